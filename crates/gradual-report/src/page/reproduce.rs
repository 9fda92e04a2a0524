//! What was run, on what, and with which settings.

use gradual_runs::{CommandRecord, RunConfig};
use serde_json::Value;

use crate::folder::Folder;
use crate::numbers::{count, whole};
use crate::text::{escape, shown};

/// Commands that are shown, the first and the latest.
const COMMANDS: usize = 40;
/// Letters of a command, of the settings of an arm, and of a short text.
const COMMAND: usize = 8000;
const SETTINGS: usize = 6000;
const LINE: usize = 300;

/// The commands in order, each with the version and the commit of the program, where they are known.
fn commands(all: &[CommandRecord]) -> String {
    let item = |one: &CommandRecord| {
        let version = one
            .version
            .as_ref()
            .map(|version| format!("version {version}"));
        let commit = one.commit.as_ref().filter(|commit| !commit.is_empty());
        let commit = commit.map(|commit| format!("commit {commit}"));
        let program: Vec<String> = version.into_iter().chain(commit).collect();
        let program = match program.join(", ") {
            program if program.is_empty() => program,
            program => format!("<small>{}</small>", shown(&program, LINE)),
        };
        format!(
            "<li><pre>{}</pre>{program}</li>\n",
            shown(&one.command, COMMAND)
        )
    };
    let (first, latest) = match all.len() {
        0 => return "<p>No command is on record.</p>\n".to_owned(),
        few if few <= COMMANDS => (all, &all[..0]),
        many => (&all[..COMMANDS / 2], &all[many - COMMANDS / 2..]),
    };
    let between = match all.len() - first.len() - latest.len() {
        0 => String::new(),
        more => format!(
            "<li>{} in summary.json</li>\n",
            count(more, "more command is", "more commands are")
        ),
    };
    format!(
        "<p>The runs were made by:</p>\n<ol class=\"commands\">\n{}{between}{}</ol>\n",
        first.iter().map(item).collect::<String>(),
        latest.iter().map(item).collect::<String>(),
    )
}

pub(super) fn html(folder: &Folder, csv: bool) -> String {
    let mut text = format!(
        "<h2 id=\"reproduce\">Reproduce</h2>\n{}\
         <p>This page from them, with every figure and table: <code>cargo xtask report DIR</code> on the folder \
         of the runs.{}</p>\n",
        commands(&folder.commands),
        if csv {
            " The numbers lie beside this page: every evaluation in <a \
             href=\"tables/curves.csv\">curves.csv</a>, the capabilities in <a \
             href=\"tables/capabilities.csv\">capabilities.csv</a>, runs in <a \
             href=\"tables/runs.csv\">runs.csv</a>, arms in <a href=\"tables/metrics.csv\">metrics.csv</a>, the \
             verdicts in <a href=\"tables/verdicts.csv\">verdicts.csv</a>."
        } else {
            ""
        },
    );
    let configs: String = folder
        .shown()
        .filter_map(|arm| Some((arm, arm.runs.first()?)))
        .map(|(arm, run)| {
            let config = &run.config;
            let settings = serde_json::to_string_pretty(&settings(config)).unwrap_or_default();
            format!(
                "<details><summary><code>{}</code>: {}</summary><pre>{}</pre></details>\n",
                escape(&arm.label),
                steps(config),
                shown(&settings, SETTINGS)
            )
        })
        .collect();
    text.push_str(&configs);
    if let Some(Value::Object(environment)) = &folder.environment {
        let items: String = environment
            .iter()
            .take(COMMANDS)
            .map(|(name, value)| {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                format!(
                    "<dt>{}</dt><dd>{}</dd>\n",
                    shown(name, LINE),
                    shown(&value, LINE)
                )
            })
            .collect();
        text.push_str(&format!("<dl class=\"small\">\n{items}</dl>\n"));
    }
    text
}

/// Steps, examples and backend, where they are told.
fn steps(config: &RunConfig) -> String {
    let mut said = format!("{} steps", whole(config.steps as usize));
    if config.draw > 0 {
        said.push_str(&format!(" of {} examples", whole(config.draw as usize)));
    }
    if !config.backend.is_empty() {
        said.push_str(&format!(" on {}", shown(&config.backend, LINE)));
    }
    said
}

/// What a configuration holds beside its numbers; the settings alone where it names no task and no recipe.
fn settings(config: &RunConfig) -> Value {
    let named = [
        ("task", &config.task),
        ("recipe", &config.recipe),
        ("settings", &config.settings),
    ];
    if config.task.is_null() && config.recipe.is_null() {
        return config.settings.clone();
    }
    let entries = named.into_iter().filter(|(_, value)| !value.is_null());
    let entries = entries.map(|(name, value)| (name.to_owned(), value.clone()));
    Value::Object(entries.collect())
}
