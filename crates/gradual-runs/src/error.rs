use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use crate::difference::Difference;
use crate::files::JOURNALS;
use crate::message::{cut, shown};

/// What can go wrong with the files of a run folder.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunsError {
    /// A record holds NaN or an infinity.
    #[error("write {record}: expected a finite number at {entry}, got {number}")]
    NotFinite {
        /// Kind of record.
        record: &'static str,
        /// Path of the entry in the record.
        entry: String,
        /// The number as it came.
        number: f64,
    },
    /// A record could not be written.
    #[error("write {record}: {source}")]
    Write {
        /// Kind of record.
        record: &'static str,
        /// What the JSON writer says.
        source: serde_json::Error,
    },
    /// A record could not be read.
    #[error("read {record}: {source}")]
    Read {
        /// Kind of record.
        record: &'static str,
        /// What the JSON reader says.
        source: serde_json::Error,
    },
    /// A record was written by another version of the format.
    #[error("read {record}: expected schema {expected}, got {got}")]
    Schema {
        /// Kind of record.
        record: &'static str,
        /// The schema this crate reads.
        expected: u32,
        /// The schema that came.
        got: u32,
    },
    /// A number of a record is out of its range, or does not go with the record before.
    #[error("{record}: {entry} is {got}, expected {expected}")]
    Value {
        /// Kind of record.
        record: &'static str,
        /// Path of the entry in the record.
        entry: String,
        /// The value as it came.
        got: String,
        /// What was expected instead.
        expected: String,
    },
    /// A link stands where a file or folder was expected.
    #[error(
        "{} is a link; in an experiment's folder links are not followed, so that nothing outside of it is read or written: put what it points to in its place, or remove it",
        .path.display()
    )]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// Something else stands where a file or folder was expected.
    #[error("{} is a {got}, expected a {expected}: move it away", .path.display())]
    Kind {
        /// Its path.
        path: PathBuf,
        /// File or folder.
        expected: &'static str,
        /// File, folder, or something else.
        got: &'static str,
    },
    /// A file that is read as a whole, or a line of a journal, is too long.
    #[error("read {}: longer than {most} bytes, the most that is read at once", .path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The most bytes that are read.
        most: u64,
    },
    /// A record is longer than what is read back.
    #[error(
        "the {record} has {bytes} bytes, and {most} is the most that is read: give it fewer or shorter names and texts"
    )]
    Long {
        /// Kind of record.
        record: &'static str,
        /// Its length.
        bytes: u64,
        /// The most bytes that are read.
        most: u64,
    },
    /// A file is no text.
    #[error("read {}: expected UTF-8 text, which it is not from byte {at} on", .path.display())]
    NotText {
        /// The file.
        path: PathBuf,
        /// Length of what can be read, in bytes.
        at: usize,
    },
    /// A name can't be that of an arm's folder.
    #[error("arm {}: not a name that a folder of runs can have", shown(.name))]
    Name {
        /// The name as it came.
        name: String,
    },
    /// A name can't be that of a journal beside the ones that every run has.
    #[error(
        "journal {}: expected up to 64 letters, digits, - and _, then .jsonl, and none of {}; name each once",
        shown(.name),
        JOURNALS.join(", ")
    )]
    Journal {
        /// The name as it came.
        name: String,
    },
    /// A journal was asked for that was not named when the run began or was resumed.
    #[error("journal {}: not among the journals that the run was started with", shown(.name))]
    Undeclared {
        /// The name as it came.
        name: String,
    },
    /// A file that says which run a folder holds, or how it ended, can't be read.
    #[error(
        "run folder {}: can't be used ({source}); choose another --out, or --fresh to move the run aside and start over",
        .path.display()
    )]
    Unusable {
        /// The run folder.
        path: PathBuf,
        /// What is wrong.
        source: Box<RunsError>,
    },
    /// A run is to start in a folder that holds one.
    #[error(
        "run folder {}: holds a run already ({name} is there); resume it, or move it aside",
        .path.display()
    )]
    Occupied {
        /// The run folder.
        path: PathBuf,
        /// A file or folder of the run that it holds.
        name: String,
    },
    /// A run is not the one that its place says.
    #[error(
        "{}: the {entry} is {}, and the folder is that of {}; a run lies at <experiment>/<arm>/seed-<s>, so move it to its place, or remove the copy",
        .path.display(),
        shown(.held),
        shown(.place)
    )]
    Misplaced {
        /// The file that says so.
        path: PathBuf,
        /// Experiment, arm or seed.
        entry: &'static str,
        /// What the file says.
        held: String,
        /// What the place says.
        place: String,
    },
    /// Two runs of different seeds have the same evaluations.
    #[error(
        "{} and {} hold the same evaluations under different seeds: one is a copy of the other; remove it and run its seed",
        .one.display(),
        .other.display()
    )]
    Copied {
        /// A run folder.
        one: PathBuf,
        /// Another one.
        other: PathBuf,
    },
    /// A file of a finished run is not what it was when the run finished.
    #[error(
        "{} is not what it was when the run finished: {problem}; restore it, or run the seed again (--fresh moves the run aside)",
        .path.display()
    )]
    Changed {
        /// The file.
        path: PathBuf,
        /// What is different.
        problem: String,
    },
    /// A run is marked as finished by a file that does not say with which journals.
    #[error(
        "{}: holds no digests of the journals, so nobody can tell whether the run finished; restore it, remove it to let the run go on from its last checkpoint, or run the seed again (--fresh moves the run aside)",
        .path.display()
    )]
    Unsigned {
        /// The `DONE` of the run.
        path: PathBuf,
    },
    /// The evaluations of a run end before its last step, or one of its journals after it.
    #[error(
        "{}: the last record is of step {last}, and the run has {steps} steps; restore the file, or run the seed again (--fresh moves the run aside)",
        .path.display()
    )]
    Steps {
        /// The journal.
        path: PathBuf,
        /// Step of its last record.
        last: u64,
        /// Steps of the run.
        steps: u64,
    },
    /// The evaluations of a run are of another one than its configuration describes.
    #[error(
        "{} at step {step}: {problem}, as {} has it; restore the file that was changed, or run the seed again (--fresh moves the run aside)",
        .path.display(), .config.display()
    )]
    Contradicted {
        /// The evaluations.
        path: PathBuf,
        /// The configuration.
        config: PathBuf,
        /// Of the evaluation that says otherwise.
        step: u64,
        /// What it says.
        problem: String,
    },
    /// A line of a journal is torn, or is no record of the kind expected.
    #[error("read line {line} of {}: {source}", .path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Line number, from 1.
        line: usize,
        /// What is wrong with it.
        source: Box<RunsError>,
    },
    /// A file is no record of the kind expected.
    #[error("read {}: {source}", .path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<RunsError>,
    },
    /// A file of names of groups is none.
    #[error("{}, line {line}: {problem}", .path.display())]
    Names {
        /// The file.
        path: PathBuf,
        /// Line of the file, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// A file that must be there is not.
    #[error(
        "read experiment: expected the file {}, found none; the page on the run folder says what has to be where",
        .path.display()
    )]
    Missing {
        /// The path looked for.
        path: PathBuf,
    },
    /// Another process, or another run of this one, writes into the run folder.
    #[error("run folder {}: another run is writing into it; wait for it or stop it", .path.display())]
    Locked {
        /// The run folder.
        path: PathBuf,
    },
    /// A run folder holds a run with another configuration.
    #[error(
        "run folder {}: holds a run with another configuration:{}\nchoose another --out, or start all runs of the folder over with --fresh",
        .path.display(),
        listed(.differences)
    )]
    Configuration {
        /// The run folder.
        path: PathBuf,
        /// The entries that differ.
        differences: Vec<Difference>,
    },
    /// A run folder was written before configurations held what the run would now be compared by.
    #[error(
        "run folder {}: its {file} was written by an earlier version and holds no `{missing}` to compare; choose another --out, or start all runs of the folder over with --fresh",
        .path.display()
    )]
    Outdated {
        /// The run folder.
        path: PathBuf,
        /// The file.
        file: &'static str,
        /// The entry that it lacks.
        missing: &'static str,
    },
    /// Two runs of one experiment can't be compared.
    #[error(
        "{} and {} can't be compared:{}\nchoose another --out for one of them",
        .one.display(),
        .other.display(),
        between(.differences)
    )]
    Incomparable {
        /// A run folder.
        one: PathBuf,
        /// Another one.
        other: PathBuf,
        /// The entries that differ: held by the one, asked for by the other.
        differences: Vec<Difference>,
    },
    /// Runs could not be moved aside, and some that were already could not be moved back.
    #[error(
        "{source}; moved aside already, and could not be moved back: {}",
        .left.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
    )]
    HalfAside {
        /// Where these runs are now.
        left: Vec<PathBuf>,
        /// Why not all could be moved.
        source: Box<RunsError>,
    },
    /// A file or folder could not be read, written, locked, …
    #[error("could not {operation} {}: {source}", .path.display())]
    File {
        /// Read, write, create, …
        operation: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// The longest message of the JSON reader that is passed on as it is, in bytes: it quotes what it read.
const LONGEST: usize = 500;

impl RunsError {
    /// [`RunsError::Read`] of a kind of record, for `map_err`. A long message is cut.
    pub(crate) fn read(record: &'static str) -> impl FnOnce(serde_json::Error) -> Self {
        move |source| {
            let text = source.to_string();
            let source = match text.len() > LONGEST {
                true => serde::de::Error::custom(cut(&text)),
                false => source,
            };
            Self::Read { record, source }
        }
    }

    /// [`RunsError::File`] of an operation on `path`, for `map_err`.
    pub fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            operation,
            path: path.to_owned(),
            source,
        }
    }
}

/// Differences that a message holds.
const LISTED: usize = 20;

fn listed(differences: &[Difference]) -> String {
    lines(differences, ToString::to_string)
}

/// A line for each difference; of very many the first, and how many more there are.
fn lines(differences: &[Difference], said: impl Fn(&Difference) -> String) -> String {
    let mut each: Vec<String> = differences.iter().take(LISTED).map(said).collect();
    if let more @ 1.. = differences.len().saturating_sub(LISTED) {
        each.push(format!("and {more} more"));
    }
    format!("\n  {};", each.join(",\n  "))
}

fn between(differences: &[Difference]) -> String {
    let side = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or_else(|| String::from("missing"), |value| cut(&value.to_string()))
    };
    lines(differences, |each| {
        let (one, other) = (side(&each.held), side(&each.asked));
        format!(
            "{} is {one} in the first and {other} in the second",
            cut(&each.path)
        )
    })
}
