use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use super::kind::{is_file, wrong};
use crate::error::RunsError;
use crate::record::Record;

/// The longest file that is read as a whole, in bytes: 16 MiB. Journals are read line by line and may be longer; this is
/// then the length of their longest line.
pub const MOST_BYTES: u64 = 16 << 20;

/// Opens a regular file for reading.
///
/// # Errors
/// [`RunsError::Missing`] without such a file, [`RunsError::Link`] and [`RunsError::Kind`] for anything but a regular
/// file, [`RunsError::File`] when it can't be opened.
pub fn open(path: &Path) -> Result<File, RunsError> {
    open_with(OpenOptions::new().read(true), "read", path)
}

/// [`open`] in the way that `options` say.
pub(crate) fn open_with(
    options: &mut OpenOptions,
    operation: &'static str,
    path: &Path,
) -> Result<File, RunsError> {
    // Says what is wrong; what changes between here and there, the flags refuse.
    is_file(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    }
    let file = options.open(path).map_err(|source| match source.kind() {
        io::ErrorKind::NotFound if operation == "read" => RunsError::Missing {
            path: path.to_owned(),
        },
        _ => RunsError::file(operation, path)(source),
    })?;
    let found = file
        .metadata()
        .map_err(RunsError::file("look at", path))?
        .file_type();
    match found.is_file() {
        true => Ok(file),
        false => Err(wrong(path, "file", found)),
    }
}

/// The length of a regular file in bytes.
///
/// # Errors
/// Those of [`open`], and [`RunsError::File`] when it can't be told.
pub fn length(path: &Path) -> Result<u64, RunsError> {
    let found = open(path)?.metadata();
    Ok(found.map_err(RunsError::file("look at", path))?.len())
}

/// The content of a regular file of at most `most` bytes.
///
/// # Errors
/// Those of [`open`], [`RunsError::TooLong`] for a longer file, and [`RunsError::File`] when it can't be read.
pub fn bytes(path: &Path, most: u64) -> Result<Vec<u8>, RunsError> {
    let mut content = Vec::new();
    let mut limited = open(path)?.take(most.saturating_add(1));
    limited
        .read_to_end(&mut content)
        .map_err(RunsError::file("read", path))?;
    if content.len() as u64 > most {
        return Err(RunsError::TooLong {
            path: path.to_owned(),
            most,
        });
    }
    Ok(content)
}

/// The content of a regular file of at most [`MOST_BYTES`] of UTF-8.
///
/// # Errors
/// Those of [`bytes`], and [`RunsError::NotText`].
pub fn text(path: &Path) -> Result<String, RunsError> {
    String::from_utf8(bytes(path, MOST_BYTES)?).map_err(|error| RunsError::NotText {
        path: path.to_owned(),
        at: error.utf8_error().valid_up_to(),
    })
}

/// A whole file as one record.
///
/// # Errors
/// Those of [`text`], and [`RunsError::Unreadable`] when it is no such record.
pub fn read<R: Record>(file: &Path) -> Result<R, RunsError> {
    let record = R::from_line(&text(file)?);
    record
        .and_then(|record| record.check(None).map(|()| record))
        .map_err(|source| RunsError::Unreadable {
            path: file.to_owned(),
            source: Box::new(source),
        })
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
