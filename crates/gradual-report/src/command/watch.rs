//! A page that follows experiments, from a command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use gradual_runs::streams::tell;

use super::said;
use crate::watch;

const EXAMPLES: &str = "Examples:
  gradual watch runs/sparse-parity
  gradual watch runs/mine --port 8080

Open the address in a browser. Ctrl-C stops it.";

/// Follows experiments in the browser while they run.
///
/// Prints the address of a page on this machine alone, with the progress of the runs and the figures of the report, which
/// are drawn again as evaluations come. The folders are read and never written to; one that is not there yet is waited for.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Folders of experiments, `runs/<experiment>`
    #[arg(required = true, value_name = "DIR")]
    dirs: Vec<PathBuf>,
    /// Port of the page; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,
}

impl Arguments {
    /// Serves the page until it is stopped, and returns the exit code.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        gradual_runs::threads::prepare();
        let mut told = ExitCode::SUCCESS;
        let served = watch::serve(self.dirs.clone(), self.port, |address| {
            told = said(&format!("http://{address}/"));
            told == ExitCode::SUCCESS
        });
        match served {
            // Whoever can't be told the address can't open the page.
            Ok(()) => told,
            Err(error) => {
                tell(format!("error: {}", gradual_runs::message(&error)));
                ExitCode::FAILURE
            }
        }
    }
}
