//! Evaluations: what everything in this crate is computed from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::curve;
use crate::parts::cycle_of_parts;

/// One evaluation of all capabilities.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Version of the run-folder format.
    pub schema: u32,
    /// Optimizer steps taken before the evaluation.
    pub step: u64,
    /// Training examples that steps before the evaluation drew, those of skipped steps included; the standing ones of a
    /// grouping are counted apart.
    pub examples: u64,
    /// Training examples that were drawn as standing examples (landmarks); left out where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standing_examples: Option<u64>,
    /// Per-example gradients that were computed: one for each of `examples`, and one each time that a standing
    /// example was shown to the grouping. Left out where that is `examples`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gradient_evaluations: Option<u64>,
    /// Those of `examples` that were left out of their steps because their loss was NaN or infinite; left out where
    /// there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// Mean training loss (nats) over all examples of the steps since the evaluation before; without such steps (at the
    /// first evaluation, or where all were skipped) the mean of the held-out losses, weighted by frequency.
    pub train_loss: f64,
    /// How far the weights are from those that the second phase of a run began with, `‖θ − θ₀‖ / ‖θ₀‖`; left out before it
    /// and where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<f64>,
    /// Floating-point operations of the training before the evaluation, where they are counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compute: Option<f64>,
    /// Held-out results by name of the capability.
    pub capabilities: BTreeMap<String, CapabilityRecord>,
}

impl Evaluation {
    /// Mean accuracy over the capabilities that are trained (of frequency above zero; over all where
    /// none is), 0 to 1; none without capabilities.
    #[must_use]
    pub fn mean_accuracy(&self) -> Option<f64> {
        let (mut sum, mut count) = (0.0, 0.0);
        for record in self.counted() {
            sum += record.accuracy;
            count += 1.0;
        }
        (count > 0.0).then(|| sum / count)
    }

    /// Lowest accuracy of the same capabilities, 0 to 1.
    #[must_use]
    pub fn worst_accuracy(&self) -> Option<f64> {
        self.counted()
            .map(|record| record.accuracy)
            .min_by(f64::total_cmp)
    }

    /// A cycle of capabilities that are composed of each other, see [`cycle_of_parts`].
    #[must_use]
    pub fn cycle_of_parts(&self) -> Option<Vec<&str>> {
        let each = self.capabilities.iter();
        cycle_of_parts(each.map(|(name, record)| (name.as_str(), record.parts.as_slice())))
    }

    fn counted(&self) -> impl Iterator<Item = &CapabilityRecord> {
        let trained = self.capabilities.values().any(|each| each.frequency > 0.0);
        let counts = move |each: &&CapabilityRecord| !trained || each.frequency > 0.0;
        self.capabilities.values().filter(counts)
    }
}

/// Held-out result of one capability at one evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapabilityRecord {
    /// Fraction of held-out examples answered rightly, 0 to 1.
    pub accuracy: f64,
    /// Mean held-out loss in nats.
    pub loss: f64,
    /// Accuracy of guessing, 0 to below 1.
    pub chance: f64,
    /// Share of the training distribution, 0 to 1.
    pub frequency: f64,
    /// Mean probability that the model gives to the right answer, where the task knows it: a measure
    /// without a threshold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Hidden progress of the model, 0 to 1, where the task can measure it: progress that the accuracy doesn't show
    /// yet, such as the Fourier gap of sparse parity (Barak et al. 2022, "Hidden Progress in
    /// Deep Learning").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<f64>,
    /// Names of the capabilities of the same evaluation that this one is composed of; left out where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<String>,
}

impl CapabilityRecord {
    /// Skill of this result, see [`curve::skill`].
    #[must_use]
    pub fn skill(&self) -> f64 {
        curve::skill(self.accuracy, self.chance)
    }
}
