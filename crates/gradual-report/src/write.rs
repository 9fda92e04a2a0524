//! Files that are there whole or not at all.

use std::fs;
use std::path::Path;

use crate::ReportError;

/// Writes `content` beside `path` and renames it, after making the folder.
pub(crate) fn bytes(path: &Path, content: &[u8]) -> Result<(), ReportError> {
    let error = |source| ReportError::Io {
        operation: "write",
        path: path.to_owned(),
        source,
    };
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(error)?;
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    let partial = path.with_file_name(name);
    fs::write(&partial, content).map_err(error)?;
    fs::rename(&partial, path).map_err(error)
}

/// [`bytes`] of a text.
pub(crate) fn text(path: &Path, content: &str) -> Result<(), ReportError> {
    bytes(path, content.as_bytes())
}
