//! Multitask sparse parity: staggered sudden emergence under ERM; what do grouped losses do?

use anyhow::bail;
use gradual::measure::{Claim, Direction, Metric};
use gradual_tasks::{SparseParity as Task, SparseParityConfig};
use serde_json::{Value, json};

use crate::arms::{self, ARMS, CONTROLS, MORE, claim};
use crate::experiment::{Arm, Book, Experiment, Finished, Options, Run, Size};

/// Learning rate of one hidden layer.
const RATE: f64 = 3e-3;
/// That of more. At the rate above a model of two layers was left without a gradient on most tasks: its
/// units had died for them.
const DEEPER: f64 = 1e-3;

/// The weights that found groups look at.
const FIRST: &[&str] = &["layers.0.weight"];

/// The experiment `sparse-parity`.
pub(crate) struct SparseParity;

impl SparseParity {
    pub(super) fn config(options: &Options) -> SparseParityConfig {
        let config = match options.quick {
            false => SparseParityConfig::default(),
            true => SparseParityConfig {
                tasks: 8,
                bits: 20,
                exponent: 1.2,
                hidden: 128,
                ..SparseParityConfig::default()
            },
        };
        SparseParityConfig {
            aliases: options.aliases.unwrap_or(config.aliases),
            depth: options.depth.unwrap_or(config.depth),
            ..config
        }
    }

    /// The learning rate, which goes with the depth.
    pub(super) fn rate(options: &Options) -> f64 {
        match Self::config(options).depth {
            1 => RATE,
            _ => DEEPER,
        }
    }

    fn every(options: &Options) -> u64 {
        if options.quick { 30 } else { 60 }
    }
}

impl Experiment for SparseParity {
    fn name(&self) -> &'static str {
        "sparse-parity"
    }

    fn title(&self) -> &'static str {
        "Multitask sparse parity"
    }

    fn about(&self) -> &'static str {
        "parities of bits with Zipf frequencies (Michaud et al. 2023): do grouped losses let them rise together?"
    }

    fn claim(&self) -> &'static str {
        "If examples are grouped by capability and the sum of squared group losses is minimised, the \
         worst group dominates, so capabilities develop at comparable rates instead of in sudden \
         jumps one after another; groups found by clustering gradients, or from the singular vectors \
         of the gradient matrix, do the same without labels (after A. Jermyn, 2022)."
    }

    fn baseline(&self) -> &'static str {
        "erm"
    }

    fn arms(&self) -> Vec<Arm> {
        [&ARMS[..], &CONTROLS].concat()
    }

    fn more_arms(&self) -> Vec<Arm> {
        MORE.to_vec()
    }

    fn claims(&self) -> Vec<Claim> {
        let lower = |arm, metric, effect, statement| {
            claim(arm, metric, Direction::Lower, effect, statement)
        };
        vec![
            lower(
                "grouped",
                Metric::Spread,
                0.5,
                "With the true groups, capabilities emerge at comparable times.",
            ),
            lower(
                "grouped",
                Metric::Gap,
                0.8,
                "With the true groups, capabilities are closer together at equal mean skill.",
            ),
            claim(
                "grouped",
                Metric::RelativeWidth,
                Direction::Higher,
                1.25,
                "With the true groups, the rise of a capability takes a longer share of the time: curves are gradual.",
            ),
            lower(
                "grouped",
                Metric::NeededCapabilities,
                0.8,
                "With the true groups, fewer capabilities have to be tested to know the rest.",
            ),
            lower(
                "grouped",
                Metric::StepsTo99,
                1.0,
                "The true groups cost no extra steps to 99 % mean accuracy.",
            ),
            lower(
                "whitened",
                Metric::Spread,
                0.5,
                "With groups found in whitened gradients before training, capabilities emerge at comparable times.",
            ),
            lower(
                "whitened",
                Metric::Gap,
                0.8,
                "With groups found in whitened gradients, capabilities are closer together at equal mean skill.",
            ),
            lower(
                "kmeans",
                Metric::Spread,
                0.5,
                "With k-means clusters of gradients, capabilities emerge at comparable times.",
            ),
            lower(
                "kmeans",
                Metric::Gap,
                0.8,
                "With k-means clusters of gradients, capabilities are closer together.",
            ),
            lower(
                "svd-squared",
                Metric::Spread,
                0.5,
                "With SVD groups of squared components, capabilities emerge at comparable times.",
            ),
            lower(
                "svd-squared",
                Metric::Gap,
                0.8,
                "With SVD groups of squared components, capabilities are closer together.",
            ),
            lower(
                "matched",
                Metric::Gap,
                0.8,
                "With the true groups and steps as large as without, capabilities are closer together.",
            ),
            lower(
                "random",
                Metric::Gap,
                0.8,
                "Control: random groups bring capabilities closer together (they should not).",
            ),
            lower(
                "erm-half",
                Metric::Gap,
                0.8,
                "Control: slower steps bring capabilities closer together (they should not).",
            ),
            lower(
                "balanced",
                Metric::Gap,
                0.8,
                "Control: drawing capabilities equally often brings them closer together without a grouped loss.",
            ),
            lower(
                "svd",
                Metric::Spread,
                0.5,
                "With SVD groups as published, capabilities emerge at comparable times.",
            ),
            lower(
                "svd",
                Metric::Gap,
                0.8,
                "With SVD groups as published, capabilities are closer together.",
            ),
        ]
    }

    fn size(&self, options: &Options) -> Size {
        match options.quick {
            false => Size {
                seeds: 5,
                steps: 9_000,
                draw: 512,
            },
            true => Size {
                seeds: 2,
                steps: 3_000,
                draw: 256,
            },
        }
    }

    fn settings(&self, options: &Options) -> anyhow::Result<Value> {
        if options.data.is_some() {
            bail!("experiment sparse-parity makes its own data; --data goes with `table`");
        }
        // Opening the task here finds what is wrong with it before any folder is made.
        Task::new(Self::config(options), 0)?;
        Ok(json!({
            "task": Self::config(options),
            "optimizer": "adam",
            "rate": Self::rate(options),
            "evaluate_every": Self::every(options),
            "scale": "unit-sum",
        }))
    }

    fn check(&self, arm: &str, draw: usize, options: &Options) -> anyhow::Result<()> {
        let tasks = Self::config(options).tasks;
        Ok(arms::objective(arm, tasks, FIRST, 0)?.check(draw)?)
    }

    fn run(&self, run: &Run<'_>, book: Book) -> anyhow::Result<Finished> {
        let config = Self::config(run.options);
        let tasks = config.tasks;
        let task = Task::new(config, run.seed)?;
        let objective = arms::objective(run.arm, tasks, FIRST, run.seed)?;
        let sampler = arms::sampler(run.arm, &task, run.steps)?;
        let pace = (Self::rate(run.options), Self::every(run.options));
        Ok(run.train(&task, objective, sampler, pace, book)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_are_read_back_and_old_ones_too() {
        let options = Options {
            quick: true,
            aliases: Some(2),
            depth: Some(3),
            ..Options::default()
        };
        let read = |value| serde_json::from_value::<SparseParityConfig>(value).unwrap();
        let config = SparseParity::config(&options);
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
