//! Files that are there whole or not at all.

use std::fs;
use std::path::Path;

use gradual_runs::{RunsError, files};

/// Writes a whole file, after making its folder.
pub(crate) fn bytes(path: &Path, content: &[u8]) -> Result<(), RunsError> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(RunsError::file("create", folder))?;
    }
    files::replace(path, content)
}

/// [`bytes`] of a text.
pub(crate) fn text(path: &Path, content: &str) -> Result<(), RunsError> {
    bytes(path, content.as_bytes())
}
