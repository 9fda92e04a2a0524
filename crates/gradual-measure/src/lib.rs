//! Measures whether capabilities arise gradually and together.
//!
//! Plain numbers in, plain numbers out: this crate knows nothing of tensors or training.
//!
//! - [`record`]: the lines and files of a run folder.
//! - [`curve`]: a measured curve, its smoothing, interpolation and crossings.
//! - [`emergence`]: how gradual the rise of *one* capability is.
//! - [`across`]: how *together* several capabilities rise, and how many steps that takes.
//! - [`summary`]: all of it for one run.
//! - [`statistics`]: means, intervals and verdicts over seeds.
//!
//! The usual way is [`RunSummary::of`] on the evaluations of each run, [`RunSummary::value`] for one
//! [`Metric`], and [`paired_ratio`] with [`verdict`] over the seeds.
//!
//! ```
//! use gradual_measure::{Curve, Emergence};
//!
//! let skill = Curve::new(vec![0.0, 100.0, 200.0], vec![0.0, 0.5, 1.0])?;
//! let emergence = Emergence::of(&skill);
//! assert_eq!(emergence.t50, Some(100.0));
//! assert!((emergence.effective_increments.unwrap() - 1.0).abs() < 1e-12);
//! # Ok::<(), gradual_measure::MeasureError>(())
//! ```

pub mod across;
pub mod curve;
pub mod emergence;
mod error;
mod finite;
pub mod record;
pub mod statistics;
pub mod summary;

pub use across::{Spread, gap_at_equal_mean, steps_to};
pub use curve::{Curve, skill};
pub use emergence::Emergence;
pub use error::MeasureError;
pub use record::{
    ArmRecord, CapabilityRecord, ChurnRecord, Claim, Direction, Evaluation, ExperimentRecord,
    Grouping, Metric, Record, RunConfig, SCHEMA, Timing,
};
pub use statistics::{Effect, Interval, Sample, Verdict, paired_ratio, verdict};
pub use summary::{CapabilitySummary, RunSummary};
