//! Multitask sparse parity.

use clap::{ArgMatches, Args, FromArgMatches as _};
use gradual_tasks::{SparseParity as Task, SparseParityConfig};
use toml::Table;

use super::kind::{self, Kind};
use crate::quality::{Parity, Quality, Watched};
use crate::training::{AnyTask, Configured};

/// Learning rate of one hidden layer.
const RATE: f64 = 3e-3;
/// That of more. At the rate above a model of two layers was left without a gradient on most tasks: its
/// units had died for them.
const DEEPER: f64 = 1e-3;

/// The rate of a model with so many hidden layers.
pub(super) fn rate(depth: usize) -> f64 {
    match depth {
        1 => RATE,
        _ => DEEPER,
    }
}

/// The kind `sparse-parity`.
pub(crate) struct SparseParity;

#[derive(Debug, Args)]
#[command(next_help_heading = "Flags of sparse parity")]
struct Flags {
    /// Codes that announce each task [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    aliases: Option<u32>,
    /// Hidden layers of the model [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    depth: Option<u32>,
}

impl Kind for SparseParity {
    fn name(&self) -> &'static str {
        "sparse-parity"
    }

    fn check(&self, file: &str) -> Result<(), toml::de::Error> {
        kind::check::<SparseParityConfig>(file)
    }

    fn with_flags(&self, command: clap::Command) -> clap::Command {
        Flags::augment_args(command)
    }

    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()> {
        let Flags { aliases, depth } = Flags::from_arg_matches(flags)?;
        kind::put(settings, [("aliases", aliases), ("depth", depth)]);
        Ok(())
    }

    fn rate(&self, settings: &Table) -> anyhow::Result<f64> {
        let config: SparseParityConfig = kind::settings(self, settings.clone())?;
        Ok(rate(config.depth))
    }

    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let config: SparseParityConfig = kind::settings(self, settings)?;
        let task = Task::new(config, 0);
        task.map(drop).map_err(|error| kind::refused(self, &error))
    }

    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>> {
        // Before any folder is made.
        self.validate(settings.clone())?;
        let config: SparseParityConfig = kind::settings(self, settings)?;
        Ok(match quality {
            Some(quality) => Box::new(Watched::new(config, quality, Parity::new)),
            None => Box::new(
                Configured::new(config, |config: &SparseParityConfig, seed| {
                    Task::new(config.clone(), seed)
                })
                .with_sizes(),
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn configurations_are_read_back_and_old_ones_too() {
        let read = |value| serde_json::from_value::<SparseParityConfig>(value).unwrap();
        let config = SparseParityConfig {
            aliases: 2,
            depth: 3,
            ..SparseParityConfig::default()
        };
        assert_eq!(read(json!(config)), config);
        // As it was written before there were aliases, and is still.
        let old = json!({
            "tasks": 20, "bits": 50, "subset": 3, "exponent": 0.8, "code": 3.0, "hidden": 256,
            "held_out": 400,
        });
        assert_eq!(read(old.clone()), SparseParityConfig::default());
        assert_eq!(json!(SparseParityConfig::default()), old);
    }
}
