//! Two classes with majorities, minorities and outliers.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{Subpopulations as Task, SubpopulationsConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::{self, Quality, Watched};
use crate::training::{AnyTask, Configured};

/// Learning rate.
const RATE: f64 = 3e-3;

/// The kind `subpopulations`.
pub(crate) struct Subpopulations;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of subpopulations")]
struct Flags {
    /// Share of each class that is its minority [default: 0.2]
    #[arg(long, value_name = "SHARE")]
    minority: Option<f64>,
    /// Share of training examples with the other class's label [default: 0.05]
    #[arg(long, value_name = "SHARE")]
    outliers: Option<f64>,
}

impl Kind for Subpopulations {
    fn name(&self) -> &'static str {
        "subpopulations"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<SubpopulationsConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags { minority, outliers } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("minority", minority), ("outliers", outliers)]);
        Ok(())
    }

    fn rate(&self, _settings: &Table) -> anyhow::Result<f64> {
        Ok(RATE)
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: SubpopulationsConfig = kind::settings(self, settings)?;
        config.check().map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: SubpopulationsConfig = kind::settings(self, settings)?;
        Ok(match quality {
            Some(quality) => Box::new(Watched::new(config, quality, quality::Subpopulations::new)),
            None => Box::new(Configured::new(config, Task::new).with_sizes()),
        })
    }
}
