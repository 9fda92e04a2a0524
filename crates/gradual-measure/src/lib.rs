#![doc = include_str!("../README.md")]
//!
//! Plain numbers in, plain numbers out: this crate knows nothing of tensors or training.
//!
//! - [`evaluation`]: held-out results of all capabilities at one step; [`claim`]: claims as data.
//! - [`curve`]: a measured curve, its smoothing, interpolation and crossings; [`run`]: all curves of a run.
//! - [`emergence`]: how gradual the rise of *one* capability is.
//! - [`across`]: how closely *together* several capabilities rise, and how many steps that takes; [`halves`]: how well
//!   some capabilities predict the others; [`overlap`](mod@overlap): how far their rises overlap; [`rank`]: rank
//!   correlations; [`slope()`]: a straight line through points;
//!   [`solvable`]: the model of multitask parity that predicts times of emergence from frequencies.
//! - [`composed`]: how capabilities that are composed of others develop against their parts; [`cycle_of_parts`]: whether
//!   some are composed of themselves.
//! - [`summary`]: all of it for one run; [`metric`]: the list of its numbers that reports show and claims are about.
//! - [`statistics`], [`effect`], [`verdict`]: means, paired ratios and verdicts over seeds; [`share`](mod@share): what part of
//!   one arm's effect another has.
//!
//! The usual way is [`RunSummary::from_evaluations`] on the evaluations of each run, [`RunSummary::value`] for one
//! [`Metric`] and [`RunSummary::lack`] for why there is none, and [`paired_ratio`] with [`judge`] over the seeds.

pub mod across;
mod bootstrap;
pub mod claim;
pub mod composed;
pub mod curve;
pub mod effect;
pub mod emergence;
mod error;
pub mod evaluation;
pub mod halves;
mod lack;
pub mod metric;
pub mod overlap;
mod parts;
pub mod rank;
pub mod run;
pub mod share;
mod sign_flip;
mod slope;
pub mod solvable;
pub mod statistics;
pub mod summary;
mod timing;
pub mod verdict;

pub use across::{Spread, gap_at_equal_mean, gini, gini_at_equal_mean, steps_to, steps_to_worst};
pub use claim::{Against, Claim};
pub use composed::Composed;
pub use curve::{Curve, skill};
pub use effect::{Effect, paired_ratio};
pub use emergence::{Emergence, Logistic};
pub use error::MeasureError;
pub use evaluation::{CapabilityRecord, Evaluation};
pub use halves::{Halves, half_pairs};
pub use lack::Lack;
pub use metric::{Direction, Metric, Topic};
pub use overlap::overlap;
pub use parts::cycle_of_parts;
pub use rank::{kendall_tau, spearman};
pub use run::{CapabilityCurves, Measure, RunCurves, SecondPhase};
pub use share::{Share, share};
pub use slope::slope;
pub use solvable::Solvable;
pub use statistics::{Interval, Sample};
pub use summary::{CapabilitySummary, RunSummary};
pub use timing::Timing;
pub use verdict::{Answer, Doubt, LEAST_SEEDS, Question, Verdict, holm, judge};
