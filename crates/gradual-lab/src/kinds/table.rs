//! A table of numbers: a user's own, or red-wine quality.

use std::path::PathBuf;

use anyhow::bail;
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual::train::{Capability, Task as _};
use gradual_tasks::{Table as Task, TableData};
use serde::Deserialize;
use serde_json::{Value, json};

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Finished, Run, Setting, trainer, written_down};

const RATE: f64 = 1e-3;

/// The kind `table`.
pub(crate) struct Table;

/// Which table; red-wine quality where none is named.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// A CSV file of numbers with a header, a pipe of such, or `-` for standard input.
    data: Option<PathBuf>,
    /// The column to predict.
    label: Option<String>,
    /// The column that names the group of a row.
    group: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of tables")]
struct Flags {
    /// A CSV file of numbers with a header; - is standard input
    #[arg(long, value_name = "FILE", requires_all = ["label", "group"])]
    data: Option<String>,
    /// The column of --data to predict
    #[arg(long, value_name = "COL", requires = "data")]
    label: Option<String>,
    /// The column of --data that names the group of a row
    #[arg(long, value_name = "COL", requires = "data")]
    group: Option<String>,
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
        let Flags { data, label, group } = Flags::from_arg_matches(flags)?;
        for (name, value) in [("data", data), ("label", label), ("group", group)] {
            if let Some(value) = value {
                settings.insert(name.to_owned(), value.into());
            }
        }
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
        let data = match (&config.data, &config.label, &config.group) {
            (Some(file), Some(label), Some(group)) => TableData::open(file, label, group)?,
            (None, None, None) => TableData::red_wine()?,
            _ => bail!(
                "the task table needs data, label and group together, or none of them for red-wine quality"
            ),
        };
        Ok(Box::new(Opened {
            capabilities: Task::new(&data, 0).capabilities().to_vec(),
            data,
        }))
    }
}

/// A table that was read.
struct Opened {
    data: TableData,
    capabilities: Vec<Capability>,
}

impl AnyTask for Opened {
    /// What was read and not where, since a file can be moved, and another be put in its place.
    fn settings(&self) -> anyhow::Result<Value> {
        let names = self.capabilities.iter();
        Ok(json!({
            "sha256": self.data.sha256(),
            "label": self.data.label(),
            "group": self.data.group(),
            "capabilities": names.map(|capability| &capability.name).collect::<Vec<_>>(),
        }))
    }

    fn capabilities(&self) -> anyhow::Result<Vec<Capability>> {
        Ok(self.capabilities.clone())
    }

    fn notes(&self) -> &[String] {
        self.data.notes()
    }

    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()> {
        let task = Task::new(&self.data, setting.seed);
        Ok(trainer(&task, setting)?.try_first_step()?)
    }

    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished> {
        let task = Task::new(&self.data, run.setting.seed);
        let trainer = trainer(&task, run.setting)?;
        Ok(written_down(trainer, run).run()?.into())
    }
}
