//! The files of a run folder: their names, and whole files written and read.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::error::RunsError;
use crate::record::Record;

/// The experiment, in the folder of the experiment: [`ExperimentRecord`](crate::ExperimentRecord).
pub const EXPERIMENT: &str = "experiment.json";
/// The configuration of a run: [`RunConfig`](crate::RunConfig).
pub const CONFIG: &str = "config.json";
/// Machine and versions that a run was made with; for people.
pub const ENVIRONMENT: &str = "environment.json";
/// The journal of evaluations: [`Evaluation`](crate::Evaluation).
pub const CURVES: &str = "curves.jsonl";
/// The journal of groups: [`GroupingRecord`](crate::GroupingRecord).
pub const GROUPS: &str = "groups.jsonl";
/// The journal of wall-clock times: [`Timing`](crate::Timing).
pub const TIMING: &str = "timing.jsonl";
/// The folder of checkpoints.
pub const CHECKPOINTS: &str = "checkpoints";
/// The mark of a finished run.
pub const DONE: &str = "DONE";

/// Writes a whole file: under a temporary name beside it, brought to disk, then renamed. A reader sees the old content
/// or the new one, also after a crash. The folder must be there.
///
/// # Errors
/// [`RunsError::File`] when the file can't be written.
pub fn replace(file: &Path, content: impl AsRef<[u8]>) -> Result<(), RunsError> {
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    write_new(temporary, content)
        .and_then(|()| fs::rename(temporary, file))
        .map_err(RunsError::file("write", file))
}

/// Creates a file with this content and brings it to disk.
///
/// # Errors
/// The system's.
pub fn write_new(file: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut open = File::create(file)?;
    open.write_all(content.as_ref())?;
    open.sync_all()
}

/// A whole file as one record.
///
/// # Errors
/// [`RunsError::Missing`] without such a file, [`RunsError::Unreadable`] when it is no such record, [`RunsError::File`]
/// when it can't be read.
pub fn read<R: Record>(file: &Path) -> Result<R, RunsError> {
    R::from_line(&text(file)?).map_err(|source| RunsError::Unreadable {
        path: file.to_owned(),
        source: Box::new(source),
    })
}

/// The content of a file; bytes that are no UTF-8 are replaced.
pub(crate) fn text(file: &Path) -> Result<String, RunsError> {
    let content = fs::read(file).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => RunsError::Missing {
            path: file.to_owned(),
        },
        _ => RunsError::file("read", file)(source),
    })?;
    Ok(String::from_utf8_lossy(&content).into_owned())
}

/// The files and folders in a folder, by name.
///
/// # Errors
/// [`RunsError::File`] when the folder can't be read.
pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, RunsError> {
    let listed = fs::read_dir(folder).and_then(|entries| {
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<io::Result<Vec<_>>>()
    });
    let mut paths = listed.map_err(RunsError::file("read", folder))?;
    paths.sort();
    Ok(paths)
}

/// The journals (`*.jsonl`) in a folder, by name.
///
/// # Errors
/// Those of [`entries`].
pub fn journals(folder: &Path) -> Result<Vec<PathBuf>, RunsError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    Ok(paths)
}
