//! Experiments on how capabilities arise: arms that learn a task, their runs, and the report of them.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the command talks through its standard streams"
)]

pub mod command;

mod arms;
mod environment;
mod experiment;
mod experiments;
mod runner;
