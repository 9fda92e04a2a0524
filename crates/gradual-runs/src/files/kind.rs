//! What stands at a path, without following it.

use std::fs::{self, File, FileType, Metadata};
use std::io;
use std::path::Path;

use crate::error::RunsError;

/// Whether a regular file is at `path`; not where nothing is.
///
/// # Errors
/// [`RunsError::Link`] for a link, [`RunsError::Kind`] for a folder, a pipe or a device, [`RunsError::File`] when that
/// can't be told.
pub fn is_file(path: &Path) -> Result<bool, RunsError> {
    is_of(path, "file", FileType::is_file)
}

/// Whether a folder is at `path`; not where nothing is.
///
/// # Errors
/// [`RunsError::Link`] for a link, [`RunsError::Kind`] for anything else, [`RunsError::File`] when that can't be told.
pub fn is_folder(path: &Path) -> Result<bool, RunsError> {
    is_of(path, "folder", FileType::is_dir)
}

fn is_of(
    path: &Path,
    expected: &'static str,
    wanted: fn(&FileType) -> bool,
) -> Result<bool, RunsError> {
    match fs::symlink_metadata(path) {
        Ok(found) if wanted(&found.file_type()) => Ok(true),
        Ok(found) => Err(wrong(path, expected, found.file_type())),
        Err(source) if is_nothing(&source) => Ok(false),
        Err(source) => Err(RunsError::file("look at", path)(source)),
    }
}

/// Nothing is there: also where a folder of the path is a file.
fn is_nothing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// Something that is not what was expected.
pub(super) fn wrong(path: &Path, expected: &'static str, got: FileType) -> RunsError {
    let path = path.to_owned();
    if got.is_symlink() {
        return RunsError::Link { path };
    }
    let got = match (got.is_dir(), got.is_file()) {
        (true, _) => "folder",
        (_, true) => "file",
        _ => "pipe, socket or device",
    };
    RunsError::Kind {
        path,
        expected,
        got,
    }
}

/// Whether the open `file` is the one that `found` was read of. Where the system does not say, it is.
pub(crate) fn is_same(file: &File, found: &Metadata) -> io::Result<bool> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let open = file.metadata()?;
        Ok((open.dev(), open.ino()) == (found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = (file, found);
        Ok(true)
    }
}
