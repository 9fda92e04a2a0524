//! Biographies among text.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Biographies as Task, BiographiesConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Configured};

/// Learning rate.
const RATE: f64 = 2e-3;

/// The kind `biographies`.
pub(crate) struct Biographies;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of biographies")]
struct Flags {
    /// Biographies of different people [default: 512]
    #[arg(long, value_name = "N")]
    people: Option<u32>,
    /// Share of the examples that are biographies [default: 0.1]
    #[arg(long, value_name = "X")]
    share: Option<f64>,
}

impl Kind for Biographies {
    fn name(&self) -> &'static str {
        "biographies"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<BiographiesConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags { people, share } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("people", people)]);
        kind::put(settings, [("share", share)]);
        Ok(())
    }

    fn rate(&self, _settings: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: BiographiesConfig = kind::settings(self, settings)?;
        config.check().map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        kind::without_quality(self, quality.as_ref())?;
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: BiographiesConfig = kind::settings(self, settings)?;
        Ok(Box::new(Configured::new(config, Task::new).with_sizes()))
    }
}
