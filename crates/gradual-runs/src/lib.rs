//! What a run folder holds, and how it is written and read. No tensors, no training.
//!
//! ```text
//! runs/<experiment>/experiment.json                 ExperimentRecord
//! runs/<experiment>/<arm>/seed-<s>/config.json      RunConfig
//!                                  environment.json machine and versions
//!                                  curves.jsonl     Evaluation, one per line
//!                                  groups.jsonl     GroupingRecord, one per line
//!                                  timing.jsonl     Timing, one per line
//!                                  checkpoints/     written by gradual-train
//!                                  DONE             how a finished run ended
//! ```
//!
//! - [`record`]: records as lines of JSON. Non-finite numbers and other versions of the format are errors, and numbers
//!   are read back bit for bit.
//! - [`RunConfig`], [`ExperimentRecord`], [`GroupingRecord`]: the records themselves; [`Evaluation`] and [`Timing`]
//!   come from `gradual-measure`, which computes with them. [`difference`] compares two configurations entry by entry,
//!   and [`comparable`] says which runs may stand in one verdict.
//! - [`files`]: names of the files, whole-file writes and reading; [`Journal`]: a file that grows line by line;
//!   [`FolderLock`]: one writer per folder.
//! - [`message`]: an error with its causes, for people; [`streams`]: what programs say to them.

pub mod comparable;
mod config;
pub mod difference;
mod error;
mod experiment;
pub mod files;
mod finite;
mod grouping;
mod journal;
mod lock;
mod message;
pub mod record;
pub mod streams;

pub use config::RunConfig;
pub use difference::{Difference, differences};
pub use error::RunsError;
pub use experiment::{ArmRecord, CommandRecord, ExperimentRecord};
pub use gradual_measure::{CapabilityRecord, Evaluation, Timing};
pub use grouping::{ChurnRecord, GroupingRecord};
pub use journal::{Journal, Lines};
pub use lock::FolderLock;
pub use message::message;
pub use record::{Record, SCHEMA};
