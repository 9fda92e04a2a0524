//! Writes the report of one experiment and prints the path of its page.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks through its standard streams"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

/// Writes the report of one experiment.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Folder of the experiment, `runs/<experiment>`.
    dir: PathBuf,
}

fn main() -> ExitCode {
    let Arguments { dir } = Arguments::parse();
    match gradual_report::report(&dir) {
        Ok(page) => {
            println!("{}", page.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: no report of {}: {}", dir.display(), chain(&error));
            ExitCode::FAILURE
        }
    }
}

/// A message with those of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| {
        match text.contains(&cause.to_string()) {
            true => text,
            false => format!("{text}: {cause}"),
        }
    })
}
