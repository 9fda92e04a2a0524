//! Which groupings of which gradients find the capabilities, before, during and after they emerge.

mod aliases;
mod cut;
mod line;
mod look;
mod measure;
mod parity;
mod report;
mod skills;
mod subject;

use std::fs::File;
use std::io::{self, Write};

use gradual::measure::Record;
use gradual::prelude::*;
use gradual::train::{Observer, Task, TrainError, Trainer};

use crate::experiment::{Arm, Run, adam};
use measure::Quality;
use subject::Subject;

pub(crate) use parity::GroupingQuality;
pub(crate) use skills::SkillsQuality;

/// Evaluations beside the run folder's usual ones, a line for each step that is looked at.
const FILE: &str = "quality.jsonl";

/// The only run that there is.
const ERM: &[Arm] = &[Arm {
    name: "erm",
    about: "the plain mean loss",
}];

const CLAIM: &str = "Clusters of gradients, or singular vectors of the gradient matrix, find the capabilities \
     (after A. Jermyn, 2022): in which metric, in which layers, and how early?";

/// How the model that is looked at is trained.
struct Training {
    rate: f64,
    /// Steps between evaluations of the capabilities.
    every: u64,
    /// The steps that are looked at, beside the last.
    looks: &'static [u64],
}

/// Trains on the plain mean loss and writes down what is found on the way.
fn follow<S: Subject>(
    run: &Run<'_>,
    subject: &S,
    training: &Training,
    observers: &mut [&mut dyn Observer],
) -> anyhow::Result<()> {
    let trainer = Trainer {
        steps: run.steps,
        draw: run.draw,
        rate: training.rate,
        every: training.every,
        seed: run.seed,
    };
    let path = run.folder.join(FILE);
    let failed = |source: io::Error| TrainError::File {
        operation: "write",
        path: path.clone(),
        source,
    };
    let mut file = File::create(&path).map_err(failed)?;
    let quality = Quality::new(subject, run);
    let mut watch = |step: u64, model: &<S::Task as Task>::Model| {
        if step != run.steps && !training.looks.contains(&step) {
            return Ok(());
        }
        let line = quality.at(step, model)?;
        // One write per line, so that a killed run ends with whole lines.
        file.write_all((line.to_line()? + "\n").as_bytes())
            .map_err(failed)
    };
    let mut erm = Objective::new(OneGroup, Mean);
    let task = subject.task();
    trainer.run_watched(task, &mut erm, adam(), run.device, observers, &mut watch)?;
    Ok(file.sync_all().map_err(failed)?)
}
