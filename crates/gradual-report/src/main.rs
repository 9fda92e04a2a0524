//! Writes the report of experiments and prints the path of its page.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use gradual_report::{Format, Report, ReportError};
use gradual_runs::streams::{say, tell};

/// What a program returns that a signal ended.
const INTERRUPTED: u8 = 130;
/// How long a report that was asked to stop may take to clean up.
const PATIENCE: Duration = Duration::from_secs(1);
/// Letters of an error that are shown, and of each path before it.
const LONGEST: usize = 4000;
const PATH: usize = 200;

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
#[derive(Clone, Copy, ValueEnum)]
enum Name {
    Html,
    Csv,
    Parquet,
}

impl Arguments {
    fn run(&self, asked: &Arc<AtomicBool>) -> Result<PathBuf, ReportError> {
        let asked = Arc::clone(asked);
        let mut report = Report::new(self.dirs.clone())
            .with_tensorboard(self.tensorboard)
            .without_verdicts(self.without_verdicts)
            .interrupted_by(move || asked.load(Ordering::Relaxed));
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
        thread::spawn(|| {
            thread::sleep(PATIENCE);
            std::process::exit(i32::from(INTERRUPTED));
        });
    });
    if let Err(error) = set {
        tell(format!("Ctrl-C ends this program as it stands: {error}"));
    }
    asked
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            tell(error.render().to_string().trim_end());
            return ExitCode::from(2);
        }
        Err(help) => return said(help.render().to_string().trim_end()),
    };
    match arguments.run(&listen()) {
        Ok(page) => said(&page.display().to_string()),
        Err(ReportError::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(error) => {
            let dirs = arguments.dirs.iter();
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

/// Prints a line; a full disk is an error, a reader that is gone is none.
fn said(line: &str) -> ExitCode {
    match say(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format!(
                "error: could not write to standard output: {error}"
            ));
            ExitCode::FAILURE
        }
    }
}

/// At most `most` letters of a text.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some((at, _)) => format!("{} …", &text[..at]),
    }
}
