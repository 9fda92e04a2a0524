//! The losses of the examples that are grouped, along the run: what forward passes alone show.
//!
//! Examples of one capability are learned at one time, so their losses fall together. That is how Michaud et al. (2023)
//! found bends in the losses of tokens, and it needs no gradient; but it says nothing before losses have moved.

use std::path::Path;

use burn::tensor::Device;
use gradual::group::Similarity;
use gradual::runs::{Journal, Lines, Record, SCHEMA};
use gradual::train::TrainError;
use serde::{Deserialize, Serialize};

use super::cut::Cut;
use super::features;
use super::look::{RAW, WHITE};
use super::subject::Control;

/// Its file in a run folder, a line for each evaluation.
pub(super) const FILE: &str = "trajectories.jsonl";

/// What the report calls them.
const LOSSES: &str = "loss trajectories";
const CHANGES: &str = "loss changes";

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

    /// What they show, and how it is cut: the losses themselves, a feature for each step, and by how much each has changed since
    /// the step before, once there are two.
    pub(super) fn controls(&self, device: &Device) -> Result<Vec<Control>, TrainError> {
        let Some(last) = self.seen.last() else {
            return Ok(Vec::new());
        };
        let examples = 0..last.losses.len();
        let losses = |j: usize| self.seen.iter().map(move |line| line.losses[j]);
        let changes = |j: usize| {
            let steps = self.seen.windows(2);
            steps.map(move |two| two[1].losses[j] - two[0].losses[j])
        };
        let views: [(_, Vec<f32>, _); 2] = [
            (LOSSES, examples.clone().flat_map(losses).collect(), 0),
            (CHANGES, examples.flat_map(changes).collect(), 1),
        ];
        let control = |(name, features, lost): (_, Vec<f32>, usize)| {
            let width = self.seen.len() - lost;
            let cuts = [
                Cut::KMeans,
                Cut::Spectral(Similarity::Squared),
                Cut::Density,
            ];
            Ok(Control {
                name,
                traced: features::traced(features, width, device)?,
                rows: features::looks(&[RAW, WHITE], &cuts),
            })
        };
        let views = views.into_iter().filter(|view| !view.1.is_empty());
        views.map(control).collect()
    }
}
