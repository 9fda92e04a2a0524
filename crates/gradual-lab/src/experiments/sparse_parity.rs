//! Multitask sparse parity: staggered sudden emergence under ERM; what do grouped losses do?

use anyhow::bail;
use gradual::measure::{Claim, Direction, Metric};
use gradual::prelude::*;
use gradual::train::Observer;
use gradual_tasks::{SparseParity as Task, SparseParityConfig};
use serde_json::{Value, json};

use crate::experiment::{Arm, Experiment, Options, Run, Size};

const RATE: f64 = 3e-3;

/// The experiment `sparse-parity`.
pub(crate) struct SparseParity;

impl SparseParity {
    fn config(options: &Options) -> SparseParityConfig {
        match options.quick {
            false => SparseParityConfig::default(),
            true => SparseParityConfig {
                tasks: 6,
                bits: 24,
                exponent: 1.2,
                hidden: 128,
                ..SparseParityConfig::default()
            },
        }
    }

    fn every(options: &Options) -> u64 {
        if options.quick { 20 } else { 60 }
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

    fn arms(&self) -> &'static [Arm] {
        &[
            Arm {
                name: "erm",
                about: "the plain mean loss",
            },
            Arm {
                name: "grouped",
                about: "sum of squares over the true tasks",
            },
            Arm {
                name: "kmeans",
                about: "sum of squares over k-means clusters of unit gradients",
            },
            Arm {
                name: "svd",
                about: "sum of squares over singular directions, weighted by σ",
            },
            Arm {
                name: "random",
                about: "sum of squares over random groups: a control",
            },
        ]
    }

    fn claims(&self) -> Vec<Claim> {
        let claim = |arm: &str, metric, smallest_effect, statement: &str| Claim {
            statement: statement.to_owned(),
            source: "A. Jermyn, 2022".to_owned(),
            arm: arm.to_owned(),
            metric,
            direction: Direction::Lower,
            smallest_effect,
        };
        vec![
            claim(
                "grouped",
                Metric::Spread,
                0.5,
                "With the true groups, capabilities emerge at comparable times.",
            ),
            claim(
                "grouped",
                Metric::Gap,
                0.8,
                "With the true groups, capabilities are closer together at equal mean skill.",
            ),
            claim(
                "grouped",
                Metric::StepsTo99,
                1.0,
                "The true groups cost no extra steps to 99 % mean accuracy.",
            ),
            claim(
                "kmeans",
                Metric::Spread,
                0.5,
                "With k-means clusters of gradients, capabilities emerge at comparable times.",
            ),
            claim(
                "kmeans",
                Metric::Gap,
                0.8,
                "With k-means clusters of gradients, capabilities are closer together.",
            ),
            claim(
                "svd",
                Metric::Spread,
                0.5,
                "With SVD groups, capabilities emerge at comparable times.",
            ),
            claim(
                "svd",
                Metric::Gap,
                0.8,
                "With SVD groups, capabilities are closer together.",
            ),
            claim(
                "random",
                Metric::Spread,
                0.5,
                "Control: random groups do the same (they should not).",
            ),
        ]
    }

    fn size(&self, options: &Options) -> Size {
        match options.quick {
            false => Size {
                seeds: 3,
                steps: 9_000,
                draw: 512,
            },
            true => Size {
                seeds: 2,
                steps: 1_500,
                draw: 128,
            },
        }
    }

    fn settings(&self, options: &Options) -> anyhow::Result<Value> {
        if options.data.is_some() {
            bail!("experiment sparse-parity makes its own data; --data goes with `table`");
        }
        Ok(json!({
            "task": Self::config(options),
            "optimizer": "adam",
            "rate": RATE,
            "evaluate_every": Self::every(options),
            "scale": "unit-sum",
        }))
    }

    fn run(&self, run: &Run<'_>, observers: &mut [&mut dyn Observer]) -> anyhow::Result<()> {
        let config = Self::config(run.options);
        let tasks = config.tasks;
        let task = Task::new(config, run.seed)?;
        let objective = match run.arm {
            "erm" => Objective::new(OneGroup, Mean),
            "grouped" => Objective::new(Labels::new(tasks), SumOfSquares),
            "kmeans" => Objective::new(KMeans::new(tasks, run.seed), SumOfSquares),
            "svd" => Objective::new(SingularVectors::default(), SumOfSquares),
            "random" => Objective::new(RandomGroups::new(tasks, run.seed), SumOfSquares),
            unknown => bail!("arm '{unknown}' is not implemented"),
        };
        Ok(run.train(&task, objective, RATE, Self::every(run.options), observers)?)
    }
}
