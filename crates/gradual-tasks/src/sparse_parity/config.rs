//! Settings of multitask sparse parity.

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Settings of [`SparseParity`](crate::SparseParity).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseParityConfig {
    /// Number of tasks.
    pub tasks: usize,
    /// Number of bits n, at most 64.
    pub bits: usize,
    /// Bits k that each task's label depends on.
    pub subset: usize,
    /// Zipf exponent a: task i is drawn with probability ∝ (i + 1)^−a.
    pub exponent: f64,
    /// Size of the one-hot task code beside bits of ±1.
    pub code: f32,
    /// Width of each hidden layer.
    pub hidden: usize,
    /// Held-out examples per task.
    pub held_out: usize,
    /// Codes that announce a task, each as often as the others: with more than one, inputs show
    /// more groups than there are capabilities.
    // Left out of a record where it changes nothing, so that records from before it was there are
    // still the same configuration.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub aliases: usize,
    /// Number of hidden layers.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub depth: usize,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

/// Where clear staggered emergence was found: 20 tasks of 3 bits in 50, a = 0.8.
impl Default for SparseParityConfig {
    fn default() -> Self {
        Self {
            tasks: 20,
            bits: 50,
            subset: 3,
            exponent: 0.8,
            code: 3.0,
            hidden: 256,
            held_out: 400,
            aliases: 1,
            depth: 1,
        }
    }
}

impl SparseParityConfig {
    /// Whether a task can be made of these settings.
    pub(super) fn check(&self) -> Result<(), SparseParityError> {
        let within = |name, got, least, most| match (least..=most).contains(&got) {
            true => Ok(()),
            false => Err(SparseParityError::Range {
                name,
                least,
                most,
                got,
            }),
        };
        within("tasks", self.tasks, 1, 10_000)?;
        within("bits", self.bits, 1, 64)?;
        within("subset", self.subset, 1, self.bits)?;
        within("hidden", self.hidden, 1, 1_000_000)?;
        within("held_out", self.held_out, 1, 1_000_000)?;
        within("aliases", self.aliases, 1, 1_000)?;
        within("depth", self.depth, 1, 100)?;
        let (bits, tasks, subset) = (self.bits, self.tasks, self.subset);
        if binomial(bits, subset) < tasks as f64 {
            return Err(SparseParityError::Subsets {
                bits,
                tasks,
                subset,
            });
        }
        Ok(())
    }

    /// Number of codes, that is of entries before the bits.
    pub(super) fn codes(&self) -> usize {
        self.tasks * self.aliases
    }
}

/// A setting that makes no sense.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SparseParityError {
    /// A count is out of range.
    #[error("sparse parity: {name} must be from {least} to {most}, got {got}")]
    Range {
        /// The setting.
        name: &'static str,
        /// Least value.
        least: usize,
        /// Greatest value.
        most: usize,
        /// What was given.
        got: usize,
    },
    /// There are fewer subsets of bits than tasks.
    #[error("sparse parity: {bits} bits have fewer than {tasks} subsets of {subset} bits")]
    Subsets {
        /// Number of bits.
        bits: usize,
        /// Number of tasks.
        tasks: usize,
        /// Bits per task.
        subset: usize,
    },
}

/// n choose k.
fn binomial(n: usize, k: usize) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}
