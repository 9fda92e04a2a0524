//! Experiments on how capabilities arise: `cargo xtask experiment` runs this program.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks through its standard streams"
)]

mod arms;
mod backend;
mod bench;
mod command;
mod conformance;
mod doctor;
mod environment;
mod experiment;
mod experiments;
mod runner;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Experiments on how capabilities arise.
#[derive(Debug, Parser)]
#[command(name = "gradual-lab", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment and write its run folders and report
    Experiment(command::Arguments),
    /// Time a step against an ordinary one, and against peers
    Bench(bench::Arguments),
    /// Try the devices of the backends that are compiled in
    Doctor(doctor::Arguments),
    /// Check that backends compute what the reference computes
    Conformance(conformance::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Experiment(arguments) => arguments.run(),
        Command::Bench(arguments) => arguments.run(),
        Command::Doctor(arguments) => arguments.run(),
        Command::Conformance(arguments) => arguments.run(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", gradual::runs::message(error.as_ref()));
            match error.is::<command::Interrupted>() {
                true => ExitCode::from(command::INTERRUPTED),
                false => ExitCode::FAILURE,
            }
        }
    }
}
