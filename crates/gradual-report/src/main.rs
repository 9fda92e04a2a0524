//! Writes the report of one experiment and prints the path of its page.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;

/// Writes the report of one experiment.
#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    /// Folder of the experiment, `runs/<experiment>`.
    dir: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let page = gradual_report::report(&arguments.dir)
        .with_context(|| format!("no report of {}", arguments.dir.display()))?;
    writeln!(std::io::stdout(), "{}", page.display()).context("print the path of the page")
}
