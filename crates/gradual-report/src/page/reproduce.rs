//! What was run, on what, and with which settings.

use gradual_runs::RunConfig;
use serde_json::Value;

use crate::folder::Folder;
use crate::numbers::number;
use crate::text::escape;

pub(super) fn html(folder: &Folder, csv: bool) -> String {
    let commands = folder.commands.join("\n");
    let mut text = format!(
        "<h2 id=\"reproduce\">Reproduce</h2>\n<p>The runs:</p>\n<pre>{}</pre>\n\
         <p>This page from them, with every figure and table: <code>cargo xtask report DIR</code> on the folder \
         of the runs.{}</p>\n",
        escape(&commands),
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
        .with_runs()
        .filter_map(|arm| Some((arm, arm.runs.first()?)))
        .map(|(arm, run)| {
            let config = &run.config;
            let settings = serde_json::to_string_pretty(&settings(config)).unwrap_or_default();
            format!(
                "<details><summary><code>{}</code>: {} steps of {} examples on {}</summary><pre>{}</pre></details>\n",
                escape(&arm.name),
                number(config.steps as f64),
                number(config.draw as f64),
                escape(&config.backend),
                escape(&settings)
            )
        })
        .collect();
    text.push_str(&configs);
    if let Some(Value::Object(environment)) = &folder.environment {
        let items: String = environment
            .iter()
            .map(|(name, value)| {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                format!("<dt>{}</dt><dd>{}</dd>\n", escape(name), escape(&value))
            })
            .collect();
        text.push_str(&format!("<dl class=\"small\">\n{items}</dl>\n"));
    }
    text
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
