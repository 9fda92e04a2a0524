//! Arithmetic modulo a prime.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Modular as Task, ModularConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Configured};

/// Learning rate.
const RATE: f64 = 3e-3;

/// The kind `modular`.
pub(crate) struct Modular;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of modular")]
struct Flags {
    /// The prime [default: 97]
    #[arg(long, value_name = "P")]
    modulus: Option<u32>,
    /// Share of each table that is trained on [default: 0.4]
    #[arg(long, value_name = "SHARE")]
    share: Option<f64>,
}

impl Kind for Modular {
    fn name(&self) -> &'static str {
        "modular"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<ModularConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags { modulus, share } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("modulus", modulus)]);
        kind::put(settings, [("share", share)]);
        Ok(())
    }

    fn rate(&self, _settings: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: ModularConfig = kind::settings(self, settings)?;
        config.check().map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        kind::without_quality(self, quality.as_ref())?;
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: ModularConfig = kind::settings(self, settings)?;
        Ok(Box::new(Configured::new(config, Task::new).with_sizes()))
    }
}
