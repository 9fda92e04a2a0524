use std::io;
use std::path::{Path, PathBuf};

use serde_json::Value;
use thiserror::Error;

use crate::difference::Difference;

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
    /// A file that must be there is not.
    #[error("read experiment: expected the file {}, found none", .path.display())]
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
        "run folder {}: holds a run with another configuration ({}); choose another --out, or --fresh to start over",
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
        "run folder {}: its {file} was written by an earlier version and holds no `{missing}` to compare; choose another --out, or --fresh to start over",
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
        "{} and {} can't be compared ({}); choose another --out for one of them",
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

impl RunsError {
    /// [`RunsError::File`] of an operation on `path`, for `map_err`.
    pub fn file(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::File {
            operation,
            path: path.to_owned(),
            source,
        }
    }
}

fn listed(differences: &[Difference]) -> String {
    let each: Vec<String> = differences.iter().map(ToString::to_string).collect();
    each.join(", ")
}

fn between(differences: &[Difference]) -> String {
    let side = |value: &Option<Value>| {
        value
            .as_ref()
            .map_or_else(|| String::from("missing"), Value::to_string)
    };
    let each = differences.iter().map(|each| {
        let (one, other) = (side(&each.held), side(&each.asked));
        format!(
            "{} is {one} in the first and {other} in the second",
            each.path
        )
    });
    each.collect::<Vec<_>>().join(", ")
}
