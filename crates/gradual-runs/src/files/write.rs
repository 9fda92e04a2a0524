use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;

use tempfile::{Builder, NamedTempFile, TempDir};

use super::kind::is_file;
use super::read::entries;
use crate::error::RunsError;

/// Temporary names: this, and as many random letters and digits as [`RANDOM`] says.
const TEMPORARY: &str = ".gradual-";
const RANDOM: usize = 16;

/// Writes a whole file: under a random name beside it that did not exist before, brought to disk, then renamed. A reader
/// sees the old content or the new one, also after a crash. The folder must be there.
///
/// # Errors
/// [`RunsError::Link`] or [`RunsError::Kind`] when something else than a regular file has the name, [`RunsError::File`]
/// when the file can't be written.
pub fn replace(file: &Path, content: impl AsRef<[u8]>) -> Result<(), RunsError> {
    replace_open(file, content).map(drop)
}

/// [`replace`], and the file itself, which grows at its end. Nobody else has it open, and it has no other name.
pub(crate) fn replace_open(file: &Path, content: impl AsRef<[u8]>) -> Result<File, RunsError> {
    is_file(file)?;
    let folder = file.parent().unwrap_or(Path::new(""));
    let written = temporary_file(folder).and_then(|mut temporary| {
        temporary.write_all(content.as_ref())?;
        temporary.as_file().sync_all()?;
        Ok(temporary.persist(file)?)
    });
    written.map_err(RunsError::file("write", file))
}

fn temporary_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(TEMPORARY).rand_bytes(RANDOM).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As of any new file; the user's mask takes away from it.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(match folder.as_os_str().is_empty() {
        true => Path::new("."),
        false => folder,
    })
}

/// Creates a file with this content and brings it to disk. Nothing may have its name, not even a link.
///
/// # Errors
/// The system's.
pub fn write_new(file: &Path, content: impl AsRef<[u8]>) -> io::Result<()> {
    let mut open = File::create_new(file)?;
    open.write_all(content.as_ref())?;
    open.sync_all()
}

/// A new folder in `folder` with a random name, which is removed when it is dropped: for several files that are to
/// appear at once. Keep it, and rename it, once they are written.
///
/// # Errors
/// [`RunsError::File`] when it can't be made.
pub fn temporary_folder(folder: &Path) -> Result<TempDir, RunsError> {
    let mut builder = Builder::new();
    builder.prefix(TEMPORARY).rand_bytes(RANDOM);
    builder
        .tempdir_in(folder)
        .map_err(RunsError::file("create a folder in", folder))
}

/// Removes the temporary files and folders in `folder` that writers left when they were killed: what has exactly the
/// name of such, and is no link. Call it under the lock of the folder, so that no writer is at work.
///
/// # Errors
/// [`RunsError::File`] when the folder can't be read, or one of them can't be removed.
pub fn sweep(folder: &Path) -> Result<(), RunsError> {
    for path in entries(folder)? {
        let name = path.file_name().and_then(|name| name.to_str());
        if !name.is_some_and(is_temporary) {
            continue;
        }
        let kind = match fs::symlink_metadata(&path) {
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => continue,
            found => found.map_err(RunsError::file("look at", &path))?,
        };
        let removed = match kind.file_type() {
            kind if kind.is_file() => fs::remove_file(&path),
            kind if kind.is_dir() => fs::remove_dir_all(&path),
            _ => Ok(()),
        };
        removed.map_err(RunsError::file("remove", &path))?;
    }
    Ok(())
}

fn is_temporary(name: &str) -> bool {
    name.strip_prefix(TEMPORARY).is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|each| each.is_ascii_alphanumeric())
    })
}
