//! Experiments on how capabilities arise: arms that learn a task, their runs, and the report of them.
//!
//! # The idea
//!
//! An experiment is data: a task, arms, claims, sizes. An [`Arm`] is a name and a [`Recipe`], which says by the names
//! of the registries which grouping, metric, composition, scale, sampler and optimizer a run uses. The experiments that
//! come with the program are files of that data (`cargo xtask experiment --show NAME` prints one), and a file of one's
//! own runs like them.
//!
//! # A task of one's own
//!
//! Implement [`Task`](gradual::train::Task) and put a [`Lab`] together: run folders, resuming, progress, the report and
//! verdicts come with it. `examples/study.rs` is such a program.

pub mod cluster;
pub mod command;
pub mod recipe;

mod arm;
mod bounds;
mod environment;
mod experiment;
mod kinds;
mod lab;
mod meant;
mod names;
mod quality;
mod runner;
mod shown;
mod training;

pub use arm::Arm;
pub use lab::Lab;
pub use recipe::{Changes, Recipe};
