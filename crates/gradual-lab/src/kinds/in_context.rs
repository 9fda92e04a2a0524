//! In-context against in-weights learning.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{InContext as Task, InContextConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::Quality;
use crate::training::{AnyTask, Configured};

/// Learning rate.
const RATE: f64 = 1e-2;

/// The kind `in-context`.
pub(crate) struct InContext;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of in-context")]
struct Flags {
    /// Exponent of the Zipf law of classes [default: 0]
    #[arg(long, value_name = "X")]
    exponent: Option<f64>,
    /// How often a class is in a bursty context [default: 4]
    #[arg(long, value_name = "N")]
    burstiness: Option<u32>,
}

impl Kind for InContext {
    fn name(&self) -> &'static str {
        "in-context"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<InContextConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags {
            exponent,
            burstiness,
        } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("exponent", exponent)]);
        kind::put(settings, [("burstiness", burstiness)]);
        Ok(())
    }

    fn rate(&self, _settings: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: InContextConfig = kind::settings(self, settings)?;
        config.check().map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        kind::without_quality(self, quality.as_ref())?;
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: InContextConfig = kind::settings(self, settings)?;
        Ok(Box::new(Configured::new(config, Task::new).with_sizes()))
    }
}
