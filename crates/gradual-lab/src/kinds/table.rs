//! A table of numbers: a user's own, or red-wine quality.

use std::path::PathBuf;

use anyhow::bail;
use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual::train::{Capability, Task as _};
use gradual_tasks::{Table as Task, TableError};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Configured, Finished, Run, Setting};

const RATE: f64 = 1e-3;

/// The kind `table`.
pub(crate) struct Table;

/// Which table; red-wine quality where none is named.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// A CSV file of numbers with a header.
    data: Option<PathBuf>,
    /// The column to predict.
    label: Option<String>,
    /// The column that names the group of a row.
    group: Option<String>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of tables")]
struct Flags {
    /// A CSV file of numbers with a header
    #[arg(long, value_name = "FILE", requires_all = ["label", "group"])]
    data: Option<String>,
    /// The column of --data to predict
    #[arg(long, value_name = "COL", requires = "data")]
    label: Option<String>,
    /// The column of --data that names the group of a row
    #[arg(long, value_name = "COL", requires = "data")]
    group: Option<String>,
}

fn open(config: &Config, seed: u64) -> Result<Task, TableError> {
    match (&config.data, &config.label, &config.group) {
        (Some(file), Some(label), Some(group)) => Task::open(file, label, group, seed),
        _ => Task::red_wine(seed),
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
        let given = [
            config.data.is_some(),
            config.label.is_some(),
            config.group.is_some(),
        ];
        if given.iter().any(|&each| each != given[0]) {
            bail!(
                "the task table needs data, label and group together, or none of them for red-wine quality"
            );
        }
        // Opening the table here finds what is wrong with it before any folder is made.
        let capabilities = open(&config, 0)?.capabilities().to_vec();
        let task = Configured::new(config, open);
        Ok(Box::new(Named { task, capabilities }))
    }
}

/// A table with the names of its groups, which make two files different.
struct Named<T> {
    task: T,
    capabilities: Vec<Capability>,
}

impl<T: AnyTask> AnyTask for Named<T> {
    fn settings(&self) -> anyhow::Result<Value> {
        let mut settings = self.task.settings()?;
        let names = self
            .capabilities
            .iter()
            .map(|capability| capability.name.as_str());
        if let Some(fields) = settings.as_object_mut() {
            fields.insert(String::from("capabilities"), names.collect());
        }
        Ok(settings)
    }

    fn capabilities(&self) -> anyhow::Result<Vec<Capability>> {
        Ok(self.capabilities.clone())
    }

    fn try_first_step(&self, setting: Setting<'_>) -> anyhow::Result<()> {
        self.task.try_first_step(setting)
    }

    fn train(&self, run: Run<'_>) -> anyhow::Result<Finished> {
        self.task.train(run)
    }
}
