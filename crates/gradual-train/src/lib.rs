#![doc = include_str!("../README.md")]
//!
//! - [`step()`]: one draw in, one gradient update out, under any [`Objective`] (grouping, composition
//!   or rule on group gradients, and scale). Any training loop can call it.
//! - [`Trainer`]: draws, steps, and evaluates every capability of a [`Task`] on a fixed grid of
//!   steps.
//! - [`Observer`]: what happens with what the trainer sees: [`RunFolder`] writes it down,
//!   [`Progress`] shows it.
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod checkpoint;
mod digests;
mod error;
mod folder;
mod followed;
mod generator;
mod grouped_step;
mod interrupt;
mod journal_names;
mod label_set;
pub mod lens;
mod objective;
mod observer;
mod observers;
mod optimizers;
pub mod ranks;
pub mod registry;
mod samplers;
mod snapshot;
mod step;
mod task;
mod trainer;

pub use checkpoint::Keep;
pub use error::TrainError;
pub use folder::{FolderState, Resumed, RunFolder};
pub use grouped_step::GroupedStep;
pub use interrupt::Interrupt;
pub use label_set::LabelSet;
pub use lens::Lens;
pub use lens::search::LensSearch;
pub use objective::Objective;
pub use observer::{CONTINUE, End, Flow, Observer, SeenStep};
pub use observers::{Progress, Selected, StopAtTarget, StopOnDivergence, When};
#[cfg(feature = "mpi")]
pub use ranks::MpiRank;
pub use ranks::{Collective, Gathering, Ranks, RanksError, ThreadRank, Traffic};
pub use samplers::curriculum::Curriculum;
pub use samplers::epochs::Epochs;
pub use samplers::mixture::Mixture;
pub use samplers::sampler::{Sampler, TaskSize, Wanted};
pub use samplers::stratified::Stratified;
pub use samplers::task_mixture::TaskMixture;
pub use snapshot::Snapshot;
pub use step::stepped::Stepped;
pub use step::stepper::Stepper;
pub use step::{stand, step, step_in_parts};
pub use task::{Capability, Drawn, Score, Task};
pub use trainer::builder::{Trainer, Watch};
pub use trainer::config::{NotFinite, TrainerConfig};
pub use trainer::note::Note;
pub use trainer::phase::Phase;
pub use trainer::schedule::evaluation_steps;
pub use trainer::train::Ended;
