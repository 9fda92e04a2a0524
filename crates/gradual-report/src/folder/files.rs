//! Files of a run folder, each of records.

use std::path::{Path, PathBuf};

use gradual_runs::{Lines, Record, RunsError, files};

pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What lies in a folder, sorted, without hidden files and an earlier report.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, RunsError> {
    let mut paths = files::entries(folder)?;
    paths.retain(|path| name(path) != "report" && !name(path).starts_with('.'));
    Ok(paths)
}

/// [`lines`] of a file that need not be there.
pub(super) fn optional<R: Record>(
    path: &Path,
    finished: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<R>, RunsError> {
    if path.exists() {
        lines(path, finished, notes)
    } else {
        Ok(Vec::new())
    }
}

/// A record per line. The last line of an unfinished run may be torn.
pub(super) fn lines<R: Record>(
    path: &Path,
    finished: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<R>, RunsError> {
    let Lines { records, torn } = Lines::read(path, finished)?;
    notes.extend(torn.map(|line| {
        format!(
            "The torn last line {line} of {} is left out.",
            path.display()
        )
    }));
    Ok(records)
}
