//! Writes the report of experiments and prints the path of its page.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line program talks through its standard streams"
)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use gradual_report::{Format, Report, ReportError};

/// Writes the report of one experiment, or of several side by side.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Folders of experiments, `runs/<experiment>`
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// What to write, separated by commas; parquet needs a build with that feature
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "html,csv",
        value_name = "FORMATS"
    )]
    format: Vec<Name>,
    /// Write TensorBoard event files too
    #[arg(long)]
    tensorboard: bool,
    /// Where to write; by default `report` in the folder, or beside the first of several
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Write the claims and their verdicts as a Markdown page, with figures beside it, instead of a report
    #[arg(long, value_name = "FILE", conflicts_with_all = ["format", "tensorboard", "out"])]
    claims: Option<PathBuf>,
}

/// A format by name.
#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Html,
    Csv,
    Parquet,
}

impl Arguments {
    fn run(&self) -> Result<PathBuf, ReportError> {
        if let Some(page) = &self.claims {
            gradual_report::claims(&self.dirs, page)?;
            return Ok(page.clone());
        }
        let formats: Vec<Format> = self
            .format
            .iter()
            .map(|name| match name {
                Name::Html => Format::Html,
                Name::Csv => Format::Csv,
                Name::Parquet => Format::Parquet,
            })
            .collect();
        let mut report = Report::new(self.dirs.clone())
            .with_formats(&formats)
            .with_tensorboard(self.tensorboard);
        if let Some(out) = &self.out {
            report = report.with_out(out);
        }
        report.write()
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.run() {
        Ok(page) => {
            println!("{}", page.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            let dirs: Vec<String> = arguments
                .dirs
                .iter()
                .map(|dir| dir.display().to_string())
                .collect();
            eprintln!(
                "error: no report of {}: {}",
                dirs.join(", "),
                gradual_runs::message(&error)
            );
            ExitCode::FAILURE
        }
    }
}
