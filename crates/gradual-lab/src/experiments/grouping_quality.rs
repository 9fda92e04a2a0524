//! Which groupings of which gradients find the capabilities, before, during and after they emerge.

mod aliases;
mod line;
mod measure;
mod report;
mod rows;

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::bail;
use gradual::measure::{Claim, Record};
use gradual::prelude::*;
use gradual::train::{Observer, TrainError, Trainer};
use gradual_tasks::SparseParity as Task;
use serde_json::{Value, json};

use super::sparse_parity::SparseParity;
use crate::experiment::{Arm, Experiment, Options, Run, Size, Written, adam};

/// Evaluations beside the run folder's usual ones, a line for each step that is looked at.
const FILE: &str = "quality.jsonl";

/// The steps that are looked at, beside the last.
const STEPS: &[u64] = &[0, 300, 1_000, 3_000, 6_000, 12_000, 24_000];

/// The experiment `grouping-quality`.
pub(crate) struct GroupingQuality;

impl GroupingQuality {
    /// Steps between evaluations of the capabilities.
    fn every(options: &Options) -> u64 {
        if options.quick { 100 } else { 300 }
    }

    /// Examples that are grouped.
    fn examples(options: &Options) -> usize {
        if options.quick { 500 } else { 1_500 }
    }

    /// The steps of a run that are looked at.
    fn steps(last: u64) -> Vec<u64> {
        let mut steps: Vec<u64> = STEPS.iter().copied().filter(|&step| step < last).collect();
        steps.push(last);
        steps
    }
}

impl Experiment for GroupingQuality {
    fn name(&self) -> &'static str {
        "grouping-quality"
    }

    fn title(&self) -> &'static str {
        "Which groupings find the capabilities"
    }

    fn about(&self) -> &'static str {
        "groups found along an ERM run of sparse parity, against the true tasks: which grouping, metric and layer?"
    }

    fn claim(&self) -> &'static str {
        "Clusters of gradients, or singular vectors of the gradient matrix, find the capabilities \
         (after A. Jermyn, 2022): in which metric, in which layers, and how early?"
    }

    fn baseline(&self) -> &'static str {
        "erm"
    }

    fn arms(&self) -> &'static [Arm] {
        &[Arm {
            name: "erm",
            about: "the plain mean loss",
        }]
    }

    fn claims(&self) -> Vec<Claim> {
        Vec::new()
    }

    fn size(&self, options: &Options) -> Size {
        match options.quick {
            false => Size {
                seeds: 3,
                steps: 6_000,
                draw: 512,
            },
            true => Size {
                seeds: 1,
                steps: 1_500,
                draw: 256,
            },
        }
    }

    fn settings(&self, options: &Options) -> anyhow::Result<Value> {
        if options.data.is_some() {
            bail!("experiment grouping-quality makes its own data; --data goes with `table`");
        }
        let config = SparseParity::config(options);
        // Opening the task here finds what is wrong with it before any folder is made.
        Task::new(config.clone(), 0)?;
        Ok(json!({
            "task": config,
            "optimizer": "adam",
            "rate": SparseParity::rate(options),
            "evaluate_every": Self::every(options),
            "scale": "unit-sum",
            "examples": Self::examples(options),
        }))
    }

    fn run(&self, run: &Run<'_>, observers: &mut [&mut dyn Observer]) -> anyhow::Result<()> {
        let config = SparseParity::config(run.options);
        let task = Task::new(config.clone(), run.seed)?;
        let trainer = Trainer {
            steps: run.steps,
            draw: run.draw,
            rate: SparseParity::rate(run.options),
            every: Self::every(run.options),
            seed: run.seed,
        };
        let path = run.folder.join(FILE);
        let failed = |source: io::Error| TrainError::File {
            operation: "write",
            path: path.clone(),
            source,
        };
        let mut file = File::create(&path).map_err(failed)?;
        let steps = Self::steps(run.steps);
        let quality = measure::Quality::new(&task, &config, Self::examples(run.options), run);
        let mut watch = |step: u64, model: &_| {
            if !steps.contains(&step) {
                return Ok(());
            }
            let line = quality.at(step, model)?;
            // One write per line, so that a killed run ends with whole lines.
            file.write_all((line.to_line()? + "\n").as_bytes())
                .map_err(failed)
        };
        let mut erm = Objective::new(OneGroup, Mean);
        trainer.run_watched(&task, &mut erm, adam(), run.device, observers, &mut watch)?;
        Ok(file.sync_all().map_err(failed)?)
    }

    fn report(&self, folder: &Path) -> anyhow::Result<Written> {
        report::write(folder, FILE)
    }
}
