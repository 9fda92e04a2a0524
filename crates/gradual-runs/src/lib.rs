#![doc = include_str!("../README.md")]
//!
//! ```text
//! runs/<experiment>/experiment.json                 ExperimentRecord
//! runs/<experiment>/names.toml                      GroupNames, written by a person
//! runs/<experiment>/.lock                           held while experiment.json or a report is written
//! runs/<experiment>/tensorboard/<arm>/seed-<s>/      event files, where they are asked for
//! runs/<experiment>/.old-<time>/<arm>/seed-<s>/     runs that were moved aside
//! runs/<experiment>/<arm>/seed-<s>/config.json      RunConfig
//!                                  environment.json machine and versions
//!                                  curves.jsonl     Evaluation, one per line
//!                                  groups.jsonl     GroupingRecord, one per line
//!                                  members.jsonl    MembersRecord, one per line
//!                                  looks.jsonl      LooksRecord, one per line, of runs that search for a lens
//!                                  timing.jsonl     Timing, one per line
//!                                  checkpoints/     written by gradual-train
//!                                  DONE             Done: how a finished run ended, and the digests of its journals
//!                                  .lock            held while a run writes into the folder
//! ```
//!
//! A program may keep more journals in a run folder, which it names when the run starts. Everything else in these folders
//! is the user's, and stays.
//!
//! The folder may come from somebody else. Nothing outside of it is read or written, whatever it holds:
//!
//! - Only the names above are read, written or removed, and no link among them is followed. The folder of the experiment
//!   itself may be reached through links.
//! - Files are written under a random name that did not exist before (`.gradual-` and 16 letters and digits), and then
//!   renamed. What a killed process leaves of these is [swept](files::sweep).
//! - Pipes and devices are no files, and a file of more than [`MOST_BYTES`](files::MOST_BYTES) is not read as a whole.
//!
//! To read:
//!
//! - [`ExperimentFolder::read`]: the experiment with all its runs; [`Run::read`]: one run; [`Place::all`]: where runs lie,
//!   and [`Place::config`] their configurations alone. A folder that contradicts itself is an error: values out of range
//!   with file and line, a finished run whose journals changed, a run that is not the one that its place says, a seed that
//!   was copied.
//! - [`Lines`]: a journal; [`files::read`]: a file of one record; [`Done`]: how a run ended.
//! - [`comparable`] says which runs may stand in one verdict; [`difference`] compares two configurations entry by entry.
//!
//! To write:
//!
//! - [`record`]: records as lines of JSON. Non-finite numbers and other versions of the format are errors, and numbers
//!   are read back bit for bit. [`RunConfig`], [`ExperimentRecord`], [`GroupingRecord`], [`MembersRecord`], [`LooksRecord`] are the records themselves;
//!   [`Evaluation`] and [`Timing`] come from `gradual-measure`, which computes with them.
//! - [`files`]: names of the files, whole-file writes and reading; [`Journal`]: a file that grows line by line;
//!   [`FolderLock`]: one writer per folder; [`aside()`] and [`aside_all`]: runs make room for others.
//! - [`message()`]: an error with its causes, for people; [`shown`]: a name from a file in such a message; [`streams`]:
//!   what programs say to them; [`threads`]: what they compute with.

mod aside;
mod checks;
pub mod comparable;
mod config;
pub mod difference;
mod digest;
mod done;
mod error;
mod experiment;
mod experiment_folder;
pub mod files;
mod finite;
mod group_names;
mod grouping;
mod journal;
mod keys;
mod limits;
mod lock;
mod looks;
mod members;
mod message;
mod place;
pub mod process;
pub mod record;
mod run;
pub mod streams;
pub mod threads;

pub use aside::{Stamp, aside, aside_all};
pub use config::RunConfig;
pub use difference::{Difference, differences};
pub use digest::Digest;
pub use done::{Done, RunEnd};
pub use error::RunsError;
pub use experiment::{ArmRecord, CommandRecord, ExperimentRecord, InSeries};
pub use experiment_folder::ExperimentFolder;
pub use gradual_measure::{CapabilityRecord, Evaluation, Timing, cycle_of_parts};
pub use group_names::GroupNames;
pub use grouping::{ChurnRecord, GroupingRecord};
pub use journal::{Journal, Lines};
pub use lock::FolderLock;
pub use looks::{LookRecord, LooksRecord};
pub use members::{GroupMembers, MembersRecord};
pub use message::{message, shown};
pub use place::{Place, Places};
pub use record::{Record, SCHEMA};
pub use run::Run;
