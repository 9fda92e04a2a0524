//! A thin loop around the step.

mod begin;
pub(crate) mod builder;
mod change;
pub(crate) mod config;
mod evaluate;
mod keep;
mod lens;
mod members;
pub(crate) mod note;
mod notes;
mod over_ranks;
pub(crate) mod phase;
mod proxy;
mod repeats;
mod run;
pub(crate) mod schedule;
mod search;
mod seen;
mod since;
mod standing;
mod step;
pub(crate) mod train;
mod trained;
