//! Handwritten digits with hidden subclasses.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Digits as Task, DigitsConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::{self, Quality, Watched};
use crate::training::{AnyTask, Configured};

/// Learning rate.
const RATE: f64 = 1e-3;

/// The kind `digits`.
pub(crate) struct Digits;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of digits")]
struct Flags {
    /// The digit of which few images are trained on [default: 8]
    #[arg(long, value_name = "DIGIT")]
    rare: Option<u32>,
    /// Share of its training images that are kept [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    share: Option<f64>,
}

impl Kind for Digits {
    fn name(&self) -> &'static str {
        "digits"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<DigitsConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags { rare, share } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("rare", rare)]);
        kind::put(settings, [("share", share)]);
        Ok(())
    }

    fn rate(&self, _settings: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: DigitsConfig = kind::settings(self, settings)?;
        config.check().map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: DigitsConfig = kind::settings(self, settings)?;
        Ok(match quality {
            Some(quality) => Box::new(Watched::new(config, quality, quality::Digits::new)),
            None => Box::new(Configured::new(config, Task::new).with_sizes()),
        })
    }
}
