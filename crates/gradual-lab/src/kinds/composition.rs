//! Compositional multitask sparse parity.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{CompositionConfig, SparseParity};
use toml::Table;

use super::kind::{self, Kind};
use super::parity;
use crate::quality::Quality;
use crate::training::{AnyTask, Configured};

/// The kind `composition`.
pub(crate) struct Composition;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of composition")]
struct Flags {
    /// How often composed parities are drawn, over how often their parts are; 0 never draws them [default: 0.3]
    #[arg(long, value_name = "SHARE")]
    composed: Option<f64>,
}

impl Kind for Composition {
    fn name(&self) -> &'static str {
        "composition"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<CompositionConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags { composed } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("composed", composed)]);
        Ok(())
    }

    fn rate(&self, settings: &Table) -> anyhow::Result<f64> {
        let config: CompositionConfig = kind::settings(self, settings.clone())?;
        Ok(parity::rate(config.depth))
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: CompositionConfig = kind::settings(self, settings)?;
        let task = SparseParity::composed(&config, 0);
        task.map(drop).map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        kind::without_quality(self, quality.as_ref())?;
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: CompositionConfig = kind::settings(self, settings)?;
        let make = |config: &CompositionConfig, seed| SparseParity::composed(config, seed);
        Ok(Box::new(Configured::new(config, make).with_sizes()))
    }
}
