//! The commands of this workspace: `cargo xtask --help`.
//!
//! Everything that continuous integration runs is a command here, so that it runs the same way on a
//! desk. This crate stays light: it never depends on Burn, it calls cargo with the right features.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks through its standard streams"
)]

mod backend;
mod bench;
mod cargo;
mod ci;
mod docs;
mod doctor;
mod experiment;
mod layers;
mod machine;
mod metadata;
mod program;
mod python;
mod report;
mod setup;
mod stop;
mod terminal;
mod test;
mod torch;
mod venv;

use std::process::ExitCode;

use clap::{ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::stop::Stop;

/// The commands of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment of gradual-lab and write its run folders and report
    Experiment(experiment::Experiment),
    /// Write the report of one experiment again, or of several side by side, or the page of claims
    Report(report::Report),
    /// Run all tests of the workspace, documentation examples included; or the conformance suite of a backend
    Test(test::Test),
    /// Time a step against an ordinary one, and against peers
    Bench(bench::Bench),
    /// Tell which backends this machine can run, and why not the others
    Doctor(doctor::Doctor),
    /// Install what a backend needs beyond Rust
    Setup(setup::Setup),
    /// Run the code of docs/python.md, in a Python of its own where there is one
    Python,
    /// Everything that continuous integration checks: format, layers, clippy, docs, test, conformance, parquet, python
    Ci,
    /// Check which crate depends on which
    Layers,
    /// Build the documentation; a warning is an error
    Docs,
}

impl Command {
    fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Experiment(experiment) => experiment.run(),
            Self::Report(report) => report.run(),
            Self::Test(test) => test.run(),
            Self::Bench(bench) => bench.run(),
            Self::Doctor(doctor) => doctor.run(),
            Self::Setup(setup) => setup.run(),
            Self::Python => python::run().map(|outcome| outcome.say()),
            Self::Ci => ci::run(),
            Self::Layers => layers::run(),
            Self::Docs => docs::run(&[]),
        }
    }
}

fn main() -> ExitCode {
    let color = if terminal::is_plain() {
        ColorChoice::Never
    } else {
        ColorChoice::Auto
    };
    let matches = Cli::command().color(color).get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    match cli.command.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let (code, message) = match error.downcast_ref::<Stop>() {
                Some(stop) => (stop.code(), stop.message().map(str::to_owned)),
                None => (1, Some(format!("{error:#}"))),
            };
            if let Some(message) = message {
                eprintln!("error: {message}");
            }
            ExitCode::from(code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    fn parse(line: &str) -> Command {
        Cli::try_parse_from(line.split(' '))
            .unwrap_or_else(|error| panic!("{line}: {error}"))
            .command
    }

    #[test]
    fn experiment_takes_its_name_and_flags_in_any_order() {
        let Command::Experiment(experiment) =
            parse("xtask experiment --seeds -3 tabular --data a.csv --backend flex --quick")
        else {
            panic!("not an experiment");
        };
        assert_eq!(experiment.backend(), Some("flex"));
        assert_eq!(
            experiment.lab_arguments(),
            [
                "experiment",
                "tabular",
                "--seeds=-3",
                "--data=a.csv",
                "--quick"
            ]
        );
    }

    #[test]
    fn report_passes_everything_on_and_builds_parquet_in_when_asked() {
        for (line, features) in [
            ("runs/a", vec![]),
            ("runs/a runs/b --out there --tensorboard", vec![]),
            ("--claims docs/claims.md runs/parquet", vec![]),
            ("--format html,parquet runs/a", vec!["--features=parquet"]),
            ("runs/a --format=parquet", vec!["--features=parquet"]),
        ] {
            let Command::Report(report) = parse(&format!("xtask report {line}")) else {
                panic!("not a report");
            };
            assert_eq!(report.features(), features, "{line}");
            assert_eq!(report.arguments().join(std::ffi::OsStr::new(" ")), line);
        }
    }

    #[test]
    fn bench_takes_its_flags_in_any_order_and_quick_yields_to_them() {
        let Command::Bench(bench) = parse("xtask bench --draws 16 --peers --quick --threads -1")
        else {
            panic!("not a bench");
        };
        assert_eq!(
            bench.lab_arguments(),
            ["bench", "--draws=16", "--repetitions=5", "--threads=-1"]
        );
    }

    #[test]
    fn scaling_has_sizes_of_its_own() {
        for (line, expected) in [
            ("--scaling --peers", "bench --scaling"),
            (
                "--widths 64,-1 --scaling --out there",
                "bench --scaling --widths=64,-1 --out=there",
            ),
            (
                "--quick --draws 8 --scaling",
                "bench --scaling --draws=8 --widths=128,512,1024 --repetitions=5",
            ),
            ("--quick", "bench --draws=64,128 --repetitions=5"),
        ] {
            let Command::Bench(bench) = parse(&format!("xtask bench {line}")) else {
                panic!("not a bench");
            };
            let arguments = bench.lab_arguments().join(std::ffi::OsStr::new(" "));
            assert_eq!(arguments, expected, "{line}");
        }
    }

    #[test]
    fn test_passes_arguments_to_cargo_and_to_the_test_program() {
        assert_eq!(
            test_arguments("xtask test --doc rises -- --nocapture"),
            "test --release --workspace --doc rises -- --nocapture"
        );
        assert_eq!(
            test_arguments("xtask test -- --nocapture"),
            "test --release --workspace -- --nocapture"
        );
    }

    #[test]
    fn test_of_one_package_leaves_the_others_alone() {
        assert_eq!(
            test_arguments("xtask test -p gradual-loss"),
            "test --release -p gradual-loss"
        );
        assert_eq!(
            test_arguments("xtask test rises --package=gradual-lab"),
            "test --release rises --package=gradual-lab"
        );
    }

    fn test_arguments(line: &str) -> String {
        let Command::Test(test) = parse(line) else {
            panic!("not a test");
        };
        test.cargo_arguments().join(" ")
    }
}
