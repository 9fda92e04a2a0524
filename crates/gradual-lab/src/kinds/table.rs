//! A table: a user's own, or red-wine quality.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Missing, Predicted, Table as Task, TableData, TableOptions};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Opened};

const RATE: f64 = 1e-3;

/// The kind `table`.
pub(crate) struct Table;

/// Which table; red-wine quality where none is named.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// A CSV file with a header, a pipe of such, or `-` for standard input.
    data: Option<PathBuf>,
    /// The column whose class is predicted.
    label: Option<String>,
    /// The column whose number is predicted.
    target: Option<String>,
    /// The column that names the group of a row.
    group: Option<String>,
    levels: Option<usize>,
    missing: Missing,
    categorical: Vec<String>,
    ignore: Vec<String>,
    /// Units of the hidden layer.
    hidden: Option<usize>,
}

/// The sizes of the model.
#[derive(Debug, Serialize, Deserialize)]
struct Sizes {
    hidden: usize,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of tables")]
struct Flags {
    /// A CSV file with a header, cells between commas, semicolons or tabs; - is standard input
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// The column of --data whose class is predicted: a number or a word
    #[arg(long, value_name = "COL")]
    label: Option<String>,
    /// The column of --data whose number is predicted, in the place of --label
    #[arg(long, value_name = "COL", conflicts_with = "label")]
    target: Option<String>,
    /// The column of --data that names the group of a row
    #[arg(long, value_name = "COL")]
    group: Option<String>,
    /// Most distinct words of a column, each of which becomes an input [default: 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000))]
    levels: Option<u32>,
    /// Units of the model's hidden layer [default: 64]
    #[arg(long, value_name = "N")]
    hidden: Option<u32>,
    /// What is done about missing cells: impute the mean and flag them, or refuse the table [default: impute]
    #[arg(long, value_name = "HOW", value_parser = ["impute", "refuse"])]
    missing: Option<String>,
    /// Columns whose numbers are names, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    categorical: Vec<String>,
    /// Columns that are left out, separated by commas
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    ignore: Vec<String>,
}

impl Config {
    /// How a table is read; none for red-wine quality.
    fn options(&self, kind: &dyn Kind) -> anyhow::Result<Option<TableOptions>> {
        let options = match (&self.label, &self.target, &self.group) {
            (Some(label), None, Some(group)) => TableOptions::classes(label, group),
            (None, Some(target), Some(group)) => TableOptions::numbers(target, group),
            (None, None, None) if self.data.is_none() => {
                let unused = [
                    ("levels", self.levels.is_some()),
                    ("missing", self.missing != Missing::default()),
                    ("categorical", !self.categorical.is_empty()),
                    ("ignore", !self.ignore.is_empty()),
                ];
                return match unused.into_iter().find(|(_, is_set)| *is_set) {
                    Some((name, _)) => bail!(
                        "task.table.{name} goes with a table of one's own: name its data (--data FILE)"
                    ),
                    None => Ok(None),
                };
            }
            (Some(_), Some(_), _) => {
                bail!("task.table has both label and target; a class or a number is predicted")
            }
            _ => bail!(
                "the task table needs data, group, and label or target together (--data FILE --group COL --label COL), \
                 or none of them for red-wine quality"
            ),
        };
        if self.data.is_none() {
            bail!("the task table has a label or a target, but no data (--data FILE)");
        }
        let options = match self.levels {
            None => options,
            Some(levels) => options.with_levels(levels),
        };
        let checked = options.check();
        checked.map_err(|error| kind::refused(kind, &error))?;
        Ok(Some(
            options
                .with_missing(self.missing)
                .with_categorical(self.categorical.clone())
                .without(self.ignore.clone()),
        ))
    }
}

impl Kind for Table {
    fn name(&self) -> &'static str {
        "table"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<Config>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut toml::Table) -> anyhow::Result<()> {
        let flags = Flags::from_arg_matches(flags)?;
        // What is predicted is one of the two: a flag takes the place of either in a file.
        if flags.label.is_some() || flags.target.is_some() {
            settings.remove("label");
            settings.remove("target");
        }
        kind::put(
            settings,
            [
                ("data", flags.data),
                ("label", flags.label),
                ("target", flags.target),
                ("group", flags.group),
                ("missing", flags.missing),
            ],
        );
        kind::put(
            settings,
            [("levels", flags.levels), ("hidden", flags.hidden)],
        );
        let given = |columns: Vec<String>| Some(columns).filter(|columns| !columns.is_empty());
        kind::put(
            settings,
            [
                ("categorical", given(flags.categorical)),
                ("ignore", given(flags.ignore)),
            ],
        );
        Ok(())
    }

    fn rate(&self, _: &toml::Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn open(
        &self,
        settings: toml::Table,
        quality: Option<Quality>,
    ) -> anyhow::Result<Box<dyn AnyTask>> {
        kind::without_quality(self, quality.as_ref())?;
        let config: Config = kind::settings(self, settings)?;
        // Read here, once for all runs: what is wrong with it is found before any folder is made, every run has the
        // same rows though the file may change meanwhile, and a pipe can be read only once.
        let options = config.options(self)?;
        let data = match (&config.data, &options) {
            (Some(file), Some(options)) => TableData::open(file, options)?,
            _ => TableData::red_wine()?,
        };
        let sizes = Sizes {
            hidden: config.hidden.unwrap_or(Task::HIDDEN),
        };
        let sized = Task::new(&data, 0).with_hidden(sizes.hidden);
        sized.map_err(|error| kind::refused(self, &error))?;
        let mut settings = json!({ "sha256": data.sha256(), "group": data.group() });
        // Left out where it is the usual one, so that runs from before there was another go on.
        if sizes.hidden != Task::HIDDEN {
            settings["hidden"] = sizes.hidden.into();
        }
        let is_judged_by_loss = matches!(data.predicted(), Predicted::Number(_));
        let predicted = if is_judged_by_loss { "target" } else { "label" };
        settings[predicted] = data.predicted().column().into();
        let mut notes = Vec::new();
        // There is nothing to tell of the columns of the table that comes with the program.
        if options.is_some() {
            notes = data.notes().to_vec();
            settings["columns"] = data.described().into();
            settings["missing"] = json!(config.missing);
            for (name, columns) in [
                ("categorical", &config.categorical),
                ("ignore", &config.ignore),
            ] {
                if !columns.is_empty() {
                    settings[name] = json!(columns);
                }
            }
        }
        let make = move |sizes: &Sizes, seed| {
            let task = Task::new(&data, seed).with_hidden(sizes.hidden);
            task.context("the task table")
        };
        let mut opened = Opened::new(settings, sizes, make)?;
        opened.notes = notes;
        opened.is_judged_by_loss = is_judged_by_loss;
        Ok(Box::new(opened))
    }

    fn validate(&self, settings: toml::Table) -> anyhow::Result<()> {
        let config: Config = kind::settings(self, settings)?;
        config.options(self).map(drop)
    }
}
