//! The losses of the examples that are grouped, along the run: what forward passes alone show.
//!
//! Examples of one capability are learned at one time, so their losses fall together. That is how Michaud et al. (2023)
//! found bends in the losses of tokens, and it needs no gradient; but it says nothing before losses have moved.

use std::path::Path;

use burn::tensor::Device;
use gradual::grad::Part::Inputs;
use gradual::group::Similarity;
use gradual::runs::{Journal, Lines, Record, SCHEMA};
use gradual::train::TrainError;
use serde::{Deserialize, Serialize};

use super::cut::Cut;
use super::features;
use super::look::{Look, RAW, WHITE};
use super::subject::Control;

/// Its file in a run folder, a line for each evaluation.
pub(super) const FILE: &str = "trajectories.jsonl";

/// What the report calls it.
const NAME: &str = "loss trajectories";

/// The losses of the examples after some steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct LossesLine {
    schema: u32,
    step: u64,
    losses: Vec<f32>,
}

impl Record for LossesLine {
    const NAME: &'static str = "losses";

    fn schema(&self) -> u32 {
        self.schema
    }
}

/// All losses so far.
pub(super) struct Trajectories {
    journal: Journal,
    seen: Vec<LossesLine>,
}

impl Trajectories {
    /// Those that a run has written so far, to go on with.
    pub(super) fn new(folder: &Path, journal: Journal) -> Result<Self, TrainError> {
        let seen = Lines::read(&folder.join(FILE), false)?.records;
        Ok(Self { journal, seen })
    }

    /// Adds the losses after `step` steps, and writes them down.
    pub(super) fn add(&mut self, step: u64, losses: Vec<f32>) -> Result<(), TrainError> {
        let line = LossesLine {
            schema: SCHEMA,
            step,
            losses,
        };
        self.journal.append(line.to_line()?)?;
        self.seen.push(line);
        Ok(())
    }

    /// What they show, and how it is cut: a feature for each step.
    pub(super) fn control(&self, device: &Device) -> Result<Option<Control>, TrainError> {
        let Some(last) = self.seen.last() else {
            return Ok(None);
        };
        let examples = 0..last.losses.len();
        let losses = examples.flat_map(|j| self.seen.iter().map(move |line| line.losses[j]));
        let cuts = vec![Cut::KMeans, Cut::Spectral(Similarity::Squared)];
        let look = |whitening| {
            (
                Look::new(whitening, Inputs, &features::layers()),
                cuts.clone(),
            )
        };
        Ok(Some(Control {
            name: NAME,
            traced: features::traced(losses.collect(), self.seen.len(), device)?,
            rows: vec![look(RAW), look(WHITE)],
        }))
    }
}
