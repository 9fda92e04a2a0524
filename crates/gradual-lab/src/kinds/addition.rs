//! Addition, digit by digit.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Addition as Task, AdditionConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::{self, Quality, Watched};
use crate::training::{AnyTask, Configured};

/// Learning rate.
const RATE: f64 = 2e-3;

/// The kind `addition`.
pub(crate) struct Addition;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of addition")]
struct Flags {
    /// Digits of each number [default: 3]
    #[arg(long, value_name = "N")]
    digits: Option<u32>,
}

impl Kind for Addition {
    fn name(&self) -> &'static str {
        "addition"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<AdditionConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags { digits } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("digits", digits)]);
        Ok(())
    }

    fn rate(&self, _settings: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: AdditionConfig = kind::settings(self, settings)?;
        config.check().map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: AdditionConfig = kind::settings(self, settings)?;
        Ok(match quality {
            Some(quality) => Box::new(Watched::new(config, quality, quality::Addition::new)),
            None => Box::new(Configured::new(config, Task::new).with_sizes()),
        })
    }
}
