//! Text skills in a small decoder.

use clap::ArgMatches;
use gradual_tasks::skills::SkillError;
use gradual_tasks::{Skills as Task, SkillsConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::{self, Quality, Watched};
use crate::training::{AnyTask, Configured};

const RATE: f64 = 2e-3;

/// The kind `skills`.
pub(crate) struct Skills;

impl Kind for Skills {
    fn name(&self) -> &'static str {
        "skills"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<SkillsConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        command
    }

    fn apply(&self, _: &ArgMatches, _: &mut Table) -> anyhow::Result<()> {
        Ok(())
    }

    fn rate(&self, _: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: SkillsConfig = kind::settings(self, settings)?;
        let task = Task::new(&config, 0);
        task.map(drop).map_err(|error| match error {
            SkillError::Setting(error) => kind::refused(self, &error),
            other => other.into(),
        })
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        self.validate(settings.clone())?;
        let config: SkillsConfig = kind::settings(self, settings)?;
        Ok(match quality {
            Some(quality) => Box::new(Watched::new(config, quality, quality::Skills::new)),
            None => Box::new(Configured::new(config, Task::new).with_sizes()),
        })
    }
}
