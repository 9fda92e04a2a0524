//! Files of a run folder, each of records.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gradual_measure::Record;

use crate::ReportError;

pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What lies in a folder, sorted, without hidden files and an earlier report.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, ReportError> {
    let error = |source| ReportError::Io {
        operation: "read",
        path: folder.to_owned(),
        source,
    };
    let mut paths = fs::read_dir(folder)
        .map_err(error)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map_err(error)?;
    paths.retain(|path| name(path) != "report" && !name(path).starts_with('.'));
    paths.sort();
    Ok(paths)
}

fn bytes(path: &Path) -> Result<Vec<u8>, ReportError> {
    fs::read(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => ReportError::Missing {
            path: path.to_owned(),
        },
        _ => ReportError::Io {
            operation: "read",
            path: path.to_owned(),
            source,
        },
    })
}

/// A whole file as one record.
pub(super) fn file<R: Record>(path: &Path) -> Result<R, ReportError> {
    R::from_line(&String::from_utf8_lossy(&bytes(path)?)).map_err(|source| ReportError::File {
        path: path.to_owned(),
        source,
    })
}

/// [`lines`] of a file that need not be there.
pub(super) fn optional<R: Record>(
    path: &Path,
    finished: bool,
    notes: &mut Vec<String>,
) -> Result<Vec<R>, ReportError> {
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
) -> Result<Vec<R>, ReportError> {
    let content = bytes(path)?;
    let content = String::from_utf8_lossy(&content);
    let lines: Vec<(usize, &str)> = (1..)
        .zip(content.lines())
        .filter(|(_, line)| !line.trim().is_empty())
        .collect();
    let last = lines.last().map_or(0, |(number, _)| *number);
    let mut records = Vec::with_capacity(lines.len());
    for (number, line) in lines {
        match R::from_line(line) {
            Ok(record) => records.push(record),
            Err(_) if !finished && number == last => notes.push(format!(
                "The torn last line {number} of {} is left out.",
                path.display()
            )),
            Err(source) => {
                return Err(ReportError::Line {
                    path: path.to_owned(),
                    line: number,
                    source,
                });
            }
        }
    }
    Ok(records)
}
