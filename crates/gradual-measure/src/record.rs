//! The lines and files of a run folder.
//!
//! ```text
//! runs/<experiment>/experiment.json                 ExperimentRecord
//! runs/<experiment>/<arm>/seed-<s>/config.json      RunConfig
//!                                  curves.jsonl     Evaluation, one per line
//!                                  groups.jsonl     Grouping, one per line
//!                                  timing.jsonl     Timing, one per line
//! ```
//!
//! Write with [`Record::to_line`] and read with [`Record::from_line`]: they refuse NaN, infinities and
//! lines of another schema. Numbers are read back bit for bit.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::finite;
use crate::{Claim, MeasureError, curve};

/// Version of the run-folder format that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// A record of a run folder: one JSON object.
pub trait Record: Serialize + DeserializeOwned {
    /// Kind of record, for messages.
    const NAME: &'static str;

    /// The schema that the record carries.
    fn schema(&self) -> u32;

    /// The record as one line of JSON, without the line feed.
    ///
    /// # Errors
    /// [`MeasureError::Write`] when a number is NaN or infinite; the message names the field.
    fn to_line(&self) -> Result<String, MeasureError> {
        serde_json::to_string(self).map_err(|source| MeasureError::Write {
            record: Self::NAME,
            source,
        })
    }

    /// Reads a record from one line (or a whole file) of JSON.
    ///
    /// # Errors
    /// [`MeasureError::Read`] when the text is not such a record, [`MeasureError::Schema`] when it was
    /// written by another version of the format.
    fn from_line(line: &str) -> Result<Self, MeasureError> {
        let record: Self = serde_json::from_str(line).map_err(|source| MeasureError::Read {
            record: Self::NAME,
            source,
        })?;
        if record.schema() == SCHEMA {
            Ok(record)
        } else {
            Err(MeasureError::Schema {
                record: Self::NAME,
                expected: SCHEMA,
                got: record.schema(),
            })
        }
    }
}

macro_rules! record {
    ($($kind:ty: $name:literal),+ $(,)?) => {$(
        impl Record for $kind {
            const NAME: &'static str = $name;

            fn schema(&self) -> u32 {
                self.schema
            }
        }
    )+};
}

record! {
    Evaluation: "evaluation",
    Grouping: "grouping",
    Timing: "timing",
    RunConfig: "run configuration",
    ExperimentRecord: "experiment",
}

/// One evaluation of all capabilities: a line of `curves.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// Format version, [`SCHEMA`].
    pub schema: u32,
    /// Optimizer steps taken before the evaluation.
    pub step: u64,
    /// Training examples that steps before the evaluation drew, those of skipped steps included; the standing ones of a
    /// grouping are counted apart.
    pub examples: u64,
    /// Training examples that were drawn to stand (landmarks); left out where there are none.
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
    #[serde(serialize_with = "finite::train_loss")]
    pub train_loss: f64,
    /// Floating-point operations of the training before the evaluation, where they are counted.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "finite::compute"
    )]
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

    fn counted(&self) -> impl Iterator<Item = &CapabilityRecord> {
        let trained = self.capabilities.values().any(|each| each.frequency > 0.0);
        let counts = move |each: &&CapabilityRecord| !trained || each.frequency > 0.0;
        self.capabilities.values().filter(counts)
    }
}

/// Held-out result of one capability at one evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CapabilityRecord {
    /// Fraction of held-out examples answered rightly, 0 to 1.
    #[serde(serialize_with = "finite::accuracy")]
    pub accuracy: f64,
    /// Mean held-out loss in nats.
    #[serde(serialize_with = "finite::loss")]
    pub loss: f64,
    /// Accuracy of guessing, 0 to below 1.
    #[serde(serialize_with = "finite::chance")]
    pub chance: f64,
    /// Share of the training distribution, 0 to 1.
    #[serde(serialize_with = "finite::frequency")]
    pub frequency: f64,
    /// Mean probability that the model gives to the right answer, where the task knows it: a measure
    /// without a threshold.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "finite::probability"
    )]
    pub probability: Option<f64>,
    /// How far the model's inside has come, 0 to 1, where the task can tell: progress that the accuracy
    /// doesn't show yet, such as the Fourier gap of sparse parity (Barak et al. 2022, "Hidden Progress in
    /// Deep Learning").
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "finite::progress"
    )]
    pub progress: Option<f64>,
}

impl CapabilityRecord {
    /// Skill of this result, see [`curve::skill`].
    #[must_use]
    pub fn skill(&self) -> f64 {
        curve::skill(self.accuracy, self.chance)
    }
}

/// What the grouping did: the groups of one step, and the coefficients since the evaluation before. A line of
/// `groups.jsonl`.
///
/// Empty fields are left out of the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grouping {
    /// Format version, [`SCHEMA`].
    pub schema: u32,
    /// Optimizer steps taken, that of these groups included.
    pub step: u64,
    /// Number of groups.
    pub groups: u64,
    /// Examples per group; empty for soft groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<u64>,
    /// Of which capabilities each group's examples are: for each group, in the order of `sizes`, examples
    /// by name of the capability. Empty for soft groups, and in records from before this field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<BTreeMap<String, u64>>,
    /// Number of each group that it keeps over time, in the order of `sizes`, where groups are followed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub identities: Vec<u64>,
    /// Fraction of the coefficient mass Σ|c|, over all examples of the steps since the evaluation before, that falls
    /// on each capability's examples. What is missing to one falls on examples of no capability.
    #[serde(
        default,
        skip_serializing_if = "BTreeMap::is_empty",
        serialize_with = "finite::shares"
    )]
    pub shares: BTreeMap<String, f64>,
    /// Share of the draw's coefficients below zero, 0 to 1, where groups are signed.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "finite::negative"
    )]
    pub negative: Option<f64>,
    /// Leading singular values of the gradients, largest first.
    #[serde(
        default,
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "finite::spectrum"
    )]
    pub spectrum: Vec<f64>,
    /// Adjusted Rand index of the hard groups against the capabilities (1 the same, 0 as by chance).
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "finite::recovery"
    )]
    pub recovery: Option<f64>,
    /// What each estimator of the number of groups said of the spectrum, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub estimates: BTreeMap<String, u64>,
    /// What changed since the previous grouping, where groups are followed over time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub churn: Option<ChurnRecord>,
}

/// What became of the groups since the previous grouping.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChurnRecord {
    /// New groups that continue no old one.
    pub births: u64,
    /// Old groups that no new one continues.
    pub deaths: u64,
    /// Share of the examples whose group is another now, 0 to 1.
    #[serde(serialize_with = "finite::changed")]
    pub changed: f64,
    /// Adjusted Rand index against the old groups.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "finite::adjusted_rand"
    )]
    pub adjusted_rand: Option<f64>,
}

/// Wall-clock time: a line of `timing.jsonl`.
///
/// Times stand apart so that equal runs have equal `curves.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Format version, [`SCHEMA`].
    pub schema: u32,
    /// Optimizer steps taken.
    pub step: u64,
    /// Seconds of training up to this step.
    #[serde(serialize_with = "finite::seconds")]
    pub seconds: f64,
}

/// How a run was configured: `config.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Format version, [`SCHEMA`].
    pub schema: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the arm.
    pub arm: String,
    /// Seed of the run.
    pub seed: u64,
    /// Optimizer steps of a finished run.
    pub steps: u64,
    /// Examples per step.
    pub draw: u64,
    /// Name of the backend.
    pub backend: String,
    /// Everything else that the experiment sets.
    pub settings: serde_json::Value,
}

/// What an experiment tests: `experiment.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExperimentRecord {
    /// Format version, [`SCHEMA`].
    pub schema: u32,
    /// Name of the experiment, as on the command line.
    pub name: String,
    /// Title for people.
    pub title: String,
    /// The claim in the words of the post.
    pub claim: String,
    /// Name of the arm that the others are compared with.
    pub baseline: String,
    /// The arms in the order in which reports show them.
    pub arms: Vec<ArmRecord>,
    /// The measurable claims.
    pub claims: Vec<Claim>,
    /// The command that reruns the experiment.
    pub command: String,
}

/// One arm of an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArmRecord {
    /// Name, equal to the folder's.
    pub name: String,
    /// One sentence on what the arm does.
    pub about: String,
    /// What the arm is a control for, in a few words, when it is one: "groups without meaning", "a lower
    /// learning rate".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub control: Option<String>,
}
