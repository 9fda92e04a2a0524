//! A thin loop around the step.

mod begin;
pub(crate) mod builder;
pub(crate) mod config;
mod evaluate;
mod keep;
mod members;
pub(crate) mod notes;
pub(crate) mod phase;
mod run;
pub(crate) mod schedule;
mod since;
mod standing;
mod step;
pub(crate) mod train;
