//! The command `scale`.

use anyhow::bail;
use clap::Args;
use gradual::runs::streams::say;
use serde_json::json;

use super::machine::{Machine, Row};
use super::model::Shape;
use super::step::{Sizes, Way};
use super::table;

const MOST: u64 = 10_000_000;

/// What one grouped step on many devices takes, on paper: bytes, operations, memory.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct Arguments {
    /// A decoder: 100m, 1b or 7b, whose shape the flags below change
    #[arg(long, value_name = "NAME", default_value = "7b")]
    model: String,
    #[command(flatten)]
    shape: Shape,
    /// Ranks
    #[arg(long, value_name = "R,S", value_delimiter = ',', default_values_t = [1, 8, 64, 1_024], value_parser = clap::value_parser!(u64).range(1..=MOST))]
    ranks: Vec<u64>,
    /// Examples that each rank traces in a step
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=MOST))]
    examples: u64,
    /// Dimensions of a sketch
    #[arg(long, value_name = "N", default_value_t = 512, value_parser = clap::value_parser!(u64).range(1..=MOST))]
    dim: u64,
    /// Groups
    #[arg(long, value_name = "K", default_value_t = 32, value_parser = clap::value_parser!(u64).range(1..=MOST))]
    groups: u64,
    #[command(flatten)]
    machine: Machine,
    /// JSON with all numbers in the place of the table
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "\
Times are operations over --rate and bytes over --link: bounds, not measurements.
  cargo xtask scale --model 7b --ranks 8,1024
  cargo xtask scale --model 1b --context 4096 --examples 16 --dim 1024 --json";

impl Arguments {
    /// Prints the table.
    ///
    /// # Errors
    ///
    /// For a model that has no name here, and where nothing can be printed.
    pub fn run(&self) -> anyhow::Result<()> {
        let model = self.shape.model(&self.model)?;
        let mut rows: Vec<Row> = Vec::new();
        for &ranks in &self.ranks {
            let Some(examples) = self.examples.checked_mul(ranks) else {
                bail!("{ranks} ranks of {} examples are too many", self.examples);
            };
            let sizes = Sizes {
                ranks,
                examples,
                dim: self.dim,
                groups: self.groups,
            };
            rows.extend(Way::ALL.map(|way| self.machine.row(&model, way, sizes)));
        }
        let printed = match self.json {
            true => json!({
                "parameters": model.parameters(),
                "model": model,
                "machine": self.machine,
                "rows": rows,
            })
            .to_string(),
            false => table::text(model.parameters(), &rows),
        };
        say(printed.trim_end())?;
        Ok(())
    }
}
