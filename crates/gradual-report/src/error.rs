use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use gradual_measure::MeasureError;
use gradual_runs::RunsError;
use gradual_runs::files::{CONFIG, DONE, EXPERIMENT};
use thiserror::Error;

/// What can go wrong between a run folder and its report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A file of a run folder could not be read, or a file of the report could not be written.
    #[error(transparent)]
    Runs(#[from] RunsError),
    /// A file that says which runs there are can't be read.
    #[error("{source}; restore it, or {way_out}")]
    Damaged {
        /// Which file, and what is wrong with it.
        source: RunsError,
        /// What else can be done.
        way_out: String,
    },
    /// No folder was given.
    #[error("read experiment: expected at least one folder, got none")]
    NoFolder,
    /// A folder was given twice, so its runs would count twice.
    #[error("read experiments: {} and {} are one folder; give it once", .one.display(), .other.display())]
    Twice {
        /// As it was given first.
        one: PathBuf,
        /// As it was given again.
        other: PathBuf,
    },
    /// The path is not a folder.
    #[error("read experiment: expected a folder, got {}", .path.display())]
    NotAFolder {
        /// The path as given.
        path: PathBuf,
    },
    /// The folder holds nothing.
    #[error("read experiment: expected experiment.json and runs, got the empty folder {}", .path.display())]
    EmptyFolder {
        /// The folder.
        path: PathBuf,
    },
    /// No run has been evaluated.
    #[error("read experiment: expected runs <arm>/seed-<s>/ with evaluations in {}, got none", .path.display())]
    NoRuns {
        /// The folder of the experiment.
        path: PathBuf,
    },
    /// Two runs of an experiment can't be compared, so that no claim can be judged by them.
    #[error("{source}; or show them with --without-verdicts, which judges no claim")]
    Incomparable {
        /// Which runs, and in what they differ.
        source: RunsError,
    },
    /// In the place of the report is something that is not one of ours.
    #[error(
        "write report: {} is no report that could be replaced: {found}; move it away, or choose another place with --out",
        .path.display()
    )]
    Foreign {
        /// The place.
        path: PathBuf,
        /// What was found there.
        found: String,
    },
    /// The page of claims, or a figure of it, would replace another file.
    #[error(
        "write claims: {} is nothing of a page of claims that could be replaced: {found}; move it away, or choose another page",
        .path.display()
    )]
    ForeignPage {
        /// The file.
        path: PathBuf,
        /// What was found there.
        found: &'static str,
    },
    /// A page of experiments would replace another file.
    #[error(
        "write {}: it is there and no page of experiments that could be replaced; move it away", .path.display()
    )]
    ForeignIndex {
        /// The file.
        path: PathBuf,
    },
    /// There is no experiment in a folder that is followed.
    #[error("there is no experiment.json in {} yet; it is waited for", .path.display())]
    Awaited {
        /// The folder.
        path: PathBuf,
    },
    /// A page could not be served.
    #[error("serve the page on 127.0.0.1:{port}: {source}; --port 0 takes a free port")]
    Serve {
        /// The port.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
    /// What is served could not be followed.
    #[error("follow the runs: the system gives no thread for it: {source}")]
    Follow {
        /// The system's reason.
        source: io::Error,
    },
    /// In the place of the report is one that this program can't make.
    #[error(
        "write report: {} is the report of an experiment that compares found groups, and this one would not hold what it holds; choose another \
         place with --out. The command of the experiment writes it again, with --collect", .path.display()
    )]
    OfGroups {
        /// The place.
        path: PathBuf,
    },
    /// Somebody asked to stop. What was there before is as it was.
    #[error("write report: stopped before it was done")]
    Interrupted,
    /// The evaluations of a run cannot be summarised.
    #[error("summarise {}: {source}", .path.display())]
    Run {
        /// The folder of the run.
        path: PathBuf,
        /// What is wrong with it.
        source: MeasureError,
    },
    /// A figure could not be drawn.
    #[error("draw figure {figure}: {reason}")]
    Draw {
        /// Name of the figure.
        figure: String,
        /// What the drawing library says.
        reason: String,
    },
    /// A table could not be written.
    #[error("write table {table}: {reason}")]
    Table {
        /// Name of the table.
        table: String,
        /// What the writer says.
        reason: String,
    },
    /// This program was built without what the format needs.
    #[error("write {format}: this build can't, it needs the feature `{format}` of gradual-report")]
    Format {
        /// Name of the format.
        format: &'static str,
    },
    /// The summary could not be written.
    #[error("write summary.json: {source}")]
    Summary {
        /// What the JSON writer says.
        source: serde_json::Error,
    },
}

impl ReportError {
    /// An error of reading an experiment, with the way out where a file of one record is damaged.
    pub(crate) fn mended(source: RunsError) -> Self {
        let path = match &source {
            RunsError::Unreadable { path, .. }
            | RunsError::NotText { path, .. }
            | RunsError::TooLong { path, .. } => path,
            _ => return source.into(),
        };
        let folder = path.parent().unwrap_or(Path::new("")).display();
        let way_out = match path.file_name().and_then(OsStr::to_str) {
            Some(EXPERIMENT) => String::from(
                "move it away and give the command that made the runs again, which writes it anew",
            ),
            Some(CONFIG) => {
                format!(
                    "move {folder} out of the experiment's folder, for a report without this run"
                )
            }
            Some(DONE) => format!(
                "remove it to let the run go on from its last checkpoint, or move {folder} out of the experiment's folder"
            ),
            _ => return source.into(),
        };
        Self::Damaged { source, way_out }
    }
}
