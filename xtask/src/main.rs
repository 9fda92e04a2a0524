//! The commands of this workspace: `cargo xtask --help`.
//!
//! Everything that continuous integration runs is a command here, so that it runs the same way on a developer's
//! machine. This crate stays light: it never depends on Burn, it calls cargo with the right features.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks through its standard streams"
)]

mod backends;
mod book;
mod checked;
mod ci;
mod doctor;
mod fuzz;
mod layers;
mod machine;
mod one_build;
mod package;
mod programs;
mod quoted;
mod setup;
mod shell;
mod test;
mod torch;
mod venv;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// The commands of this workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run an experiment and write its run folders and report (gradual-lab)
    Experiment(programs::Arguments),
    /// Print an experiment's runs as a job of Slurm, Kubernetes or GNU parallel (gradual-lab)
    Cluster(programs::Arguments),
    /// Write the report of one experiment again, or of several side by side, or the page of claims (gradual-report)
    Report(programs::Arguments),
    /// Follow an experiment in the browser while it runs (gradual-report)
    Watch(programs::Arguments),
    /// Run all tests of the workspace, documentation examples included; or the conformance suite of a backend
    Test(test::Test),
    /// Time a step against an ordinary one, and against peers, which --peers installs (gradual-lab)
    Bench(programs::Arguments),
    /// What one grouped step on many devices takes, on paper: bytes, operations, memory (gradual-lab)
    Scale(programs::Arguments),
    /// Tell which backends this machine can run, and why not the others
    Doctor(doctor::Doctor),
    /// Install what a backend or a check needs beyond Rust
    Setup(setup::Setup),
    /// Everything that continuous integration checks, from the format to the page on Python
    Ci,
    /// Look for inputs that break what reads files: the fuzz targets under libFuzzer
    Fuzz(fuzz::Fuzz),
    /// Check that programs and tests share one build of Burn
    OneBuild,
    /// Check which crate depends on which
    Layers,
    /// Build the book and the documentation of the crates; a warning is an error
    Docs,
    /// Package every crate that is published, as `cargo publish` would
    Package(package::Package),
    /// Print a script that completes these commands in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Run the code of docs/python.md, in a Python of its own
    Python,
}

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Experiment(arguments) => match programs::experiment(arguments)? {},
        Command::Cluster(arguments) => match programs::cluster(arguments)? {},
        Command::Report(arguments) => match programs::report(arguments)? {},
        Command::Watch(arguments) => match programs::watch(arguments)? {},
        Command::Test(test) => test.run(),
        Command::Bench(arguments) => match programs::bench(arguments)? {},
        Command::Scale(arguments) => match programs::scale(arguments)? {},
        Command::Doctor(doctor) => doctor.run(),
        Command::Setup(setup) => setup.run(),
        Command::Ci => ci::run(),
        Command::Fuzz(fuzz) => fuzz.run(),
        Command::OneBuild => one_build::run(),
        Command::Layers => layers::run(),
        Command::Docs => book::run(),
        Command::Package(package) => package.run(),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "xtask", &mut script);
            std::io::stdout().write_all(&script)?;
            Ok(())
        }
        Command::Python => ci::python(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// The lines of a page that are typed in a shell.
    fn typed(page: &str) -> Vec<String> {
        let mut blocks = page.split("```sh\n");
        blocks.next();
        let blocks = blocks.filter_map(|block| block.split("```").next());
        let lines = blocks.flat_map(str::lines);
        let lines = lines.map(|line| line.split(" #").next().unwrap_or(line).trim());
        lines.map(str::to_owned).collect()
    }

    #[test]
    fn commands_of_the_pages_exist() {
        let docs = shell::root().join("docs");
        let pages = std::fs::read_dir(&docs).unwrap();
        let pages = pages.map(|page| page.unwrap().path());
        let mut tried = 0;
        for page in pages.chain([shell::root().join("README.md")]) {
            if page.extension().is_none_or(|ending| ending != "md") {
                continue;
            }
            for line in typed(&std::fs::read_to_string(&page).unwrap()) {
                let what = format!("{}: {line}", page.display());
                if let Some(rest) = line.strip_prefix("cargo ") {
                    if let Some(rest) = rest.strip_prefix("xtask") {
                        // What a shell takes for itself ends the command.
                        let words = rest.split_whitespace();
                        let words = words.take_while(|word| !word.starts_with(['>', '|']));
                        let words = ["xtask"].into_iter().chain(words);
                        if let Err(error) = Cli::try_parse_from(words) {
                            assert!(!error.use_stderr(), "{what}: {error}");
                        }
                        tried += 1;
                    }
                    if let Some((_, rest)) = rest.split_once("--example ") {
                        let name = rest.split_whitespace().next().unwrap();
                        let file = shell::root().join(format!("examples/{name}.rs"));
                        assert!(file.is_file(), "{what}");
                    }
                }
            }
        }
        assert!(tried > 20, "{tried}");
    }

    #[test]
    fn the_lab_takes_every_argument_as_it_is() {
        for line in [
            "xtask experiment",
            "xtask experiment --seeds -3 tabular --data a.csv --backend flex --quick",
            "xtask experiment mine.toml --arm mine=grouping:spectral(k=8) -- --help",
            "xtask experiment --help",
            "xtask bench --scaling --peers -h",
        ] {
            let words = line.split(' ');
            let cli = Cli::try_parse_from(words.clone()).unwrap();
            let (Command::Experiment(lab) | Command::Bench(lab)) = cli.command else {
                panic!("{line}: not for the lab");
            };
            assert!(lab.arguments.iter().eq(words.skip(2)), "{line}");
        }
    }
}
