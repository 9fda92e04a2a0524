//! The program behind `cargo xtask experiment`, `cluster`, `bench`, `scale`, `doctor` and `test --backend`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use gradual_backends::doctor;
use gradual_lab::{cluster, command};

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
    /// Print an experiment's runs as a job of a scheduler: Slurm, Kubernetes, or GNU parallel
    Cluster(cluster::Arguments),
    /// Time a step against an ordinary one, and against peers
    Bench(Box<gradual_bench::command::Arguments>),
    /// What one grouped step on many devices takes, on paper
    Scale(Box<gradual_bench::scale::command::Arguments>),
    /// Try the devices of the backends that are compiled in
    Doctor(doctor::Arguments),
    /// Check that backends compute what the reference computes
    Conformance(gradual_conformance::command::Arguments),
}

/// A training step allocates tens of megabytes and frees them all at its end. The allocator of glibc then gives the top of its heap
/// back to the system, and the next step faults every page in again; this one keeps it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| command::leave(&error));
    let outcome = match cli.command {
        Command::Experiment(arguments) => arguments.run(),
        Command::Cluster(arguments) => arguments.run(),
        Command::Bench(arguments) => arguments.run(),
        Command::Scale(arguments) => arguments.run(),
        Command::Doctor(arguments) => arguments.run().map_err(anyhow::Error::from),
        Command::Conformance(arguments) => arguments.run(),
    };
    command::ended(outcome)
}
