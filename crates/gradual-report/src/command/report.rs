//! The report, from a command line.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::{Args, ValueEnum};
use gradual_runs::streams::tell;
use gradual_runs::threads;

use super::{INTERRUPTED, said};
use crate::{Format, Report, ReportError};

/// How long a report that was asked to stop may take to clean up.
const PATIENCE: Duration = Duration::from_secs(1);
/// Letters of an error that are shown, and of each path before it.
const LONGEST: usize = 4000;
const PATH: usize = 200;

const EXAMPLES: &str = "Examples:
  gradual report runs/sparse-parity
  gradual report runs/sparse-parity runs/skills --out runs/both --format html
  gradual report runs/sparse-parity --tensorboard
  gradual report --claims docs/claims.md runs";

/// Writes the report of one experiment, or of several side by side.
///
/// Prints the path of its page.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Folders of experiments, `runs/<experiment>`; with --claims also a folder of such, `runs`
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
    /// Where to write; by default `report` in the folder, or beside the first of several. An older report there is
    /// replaced, and nothing else
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Judge no claim and compare no arm with the baseline; runs that can't be compared are then shown with a note
    #[arg(long)]
    without_verdicts: bool,
    /// Write the claims and their verdicts as a Markdown page, with figures beside it, instead of a report
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["format", "tensorboard", "out", "without_verdicts"]
    )]
    claims: Option<PathBuf>,
}

/// A format by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Html,
    Csv,
    Parquet,
}

impl Arguments {
    /// Writes the report, says where it is or what went wrong, and returns the exit code.
    #[must_use]
    pub fn run(&self) -> ExitCode {
        let asked = listen();
        threads::prepare();
        match self.write(&asked) {
            Ok(page) => said(&page.display().to_string()),
            Err(ReportError::Interrupted) => ExitCode::from(INTERRUPTED),
            Err(error) => {
                let dirs = self.dirs.iter();
                let dirs: Vec<String> = dirs
                    .map(|dir| cut(&dir.display().to_string(), PATH))
                    .collect();
                tell(format!(
                    "error: no report of {}: {}",
                    cut(&dirs.join(", "), LONGEST),
                    cut(&gradual_runs::message(&error), LONGEST)
                ));
                ExitCode::FAILURE
            }
        }
    }

    fn write(&self, asked: &Arc<AtomicBool>) -> Result<PathBuf, ReportError> {
        let asked = Arc::clone(asked);
        let mut report = Report::new(self.dirs.clone())
            .with_tensorboard(self.tensorboard)
            .without_verdicts(self.without_verdicts)
            .interrupted_by(move || asked.load(Ordering::Relaxed))
            .noting(|note| tell(format!("note: {note}")));
        if let Some(page) = &self.claims {
            report.write_claims(page)?;
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
        report = report.with_formats(&formats);
        if let Some(out) = &self.out {
            report = report.with_out(out);
        }
        report.write()
    }
}

/// Asks the report to stop at the first signal, and ends the program when that takes too long.
fn listen() -> Arc<AtomicBool> {
    let asked = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&asked);
    let set = ctrlc::set_handler(move || {
        heard.store(true, Ordering::Relaxed);
        let end = || {
            thread::sleep(PATIENCE);
            std::process::exit(i32::from(INTERRUPTED));
        };
        if thread::Builder::new().spawn(end).is_err() {
            std::process::exit(i32::from(INTERRUPTED));
        }
    });
    if let Err(error) = set {
        tell(format!("Ctrl-C ends this program as it stands: {error}"));
    }
    asked
}

/// At most `most` letters of a text.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} …", &text[..at]),
    }
}
