//! Hidden folders that reports are written into, and what is left of those that were killed.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use gradual_runs::files::LOCK;
use gradual_runs::{FolderLock, RunsError};
use tempfile::{Builder, TempDir};

use super::held::{Held, MANIFEST, before_lists, stranger};
use super::{NEW, OLD, PAGE};

/// What their names begin with.
const PREFIX: &str = ".report-";

/// How often a folder is made anew because somebody took it before it was locked.
const TRIES: usize = 100;

/// How long a folder stays that has no lock: it may be one that is just being made, or that an earlier version writes to.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A new folder with a random, hidden name. It is removed when this is dropped.
///
/// Its lock is held until then, also by a process that is killed: who finds one that nobody holds may remove it.
#[derive(Debug)]
pub(crate) struct Hidden {
    /// Let go before the folder is removed.
    _lock: FolderLock,
    folder: TempDir,
}

impl Hidden {
    /// Makes one in a folder.
    ///
    /// # Errors
    /// [`RunsError::File`] when it can't be made.
    pub(crate) fn new(beside: &Path) -> Result<Self, RunsError> {
        let mut tries = 1..TRIES;
        loop {
            let made = Builder::new().prefix(PREFIX).tempdir_in(beside);
            let folder = made.map_err(RunsError::file("create a folder in", beside))?;
            match FolderLock::take(folder.path()) {
                Ok(lock) => {
                    return Ok(Self {
                        _lock: lock,
                        folder,
                    });
                }
                // Between the file and its lock, a sweep may take it.
                Err(_) if tries.next().is_some() => {}
                Err(error) => return Err(error),
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// Removes the hidden folders in `folder` that reports left which were killed: those of our own kind of name that hold
/// nothing but files of ours, and that no process holds or, without a lock, that are a day old. What can't be removed
/// stays; the report itself is written.
pub(crate) fn sweep(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if let Ok(Some(left)) = LeftOver::of(&entry) {
            let _ = fs::remove_dir_all(entry.path());
            drop(left);
        }
    }
}

/// A folder that may be removed, with its lock if it has one.
struct LeftOver {
    _lock: Option<FolderLock>,
}

impl LeftOver {
    fn of(entry: &fs::DirEntry) -> io::Result<Option<Self>> {
        let name = entry.file_name();
        let random = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
        let of_ours =
            |end: &str| end.len() == 6 && end.bytes().all(|one| one.is_ascii_alphanumeric());
        let found = fs::symlink_metadata(entry.path())?;
        if !random.is_some_and(of_ours) || !found.is_dir() {
            return Ok(None);
        }
        let path = entry.path();
        let lock = match fs::symlink_metadata(path.join(LOCK)) {
            Ok(_) => match FolderLock::take(&path) {
                Ok(lock) => Some(lock),
                Err(_) => return Ok(None),
            },
            Err(_) if found.modified()?.elapsed().unwrap_or_default() < DAY => return Ok(None),
            Err(_) => None,
        };
        let ours = holds_only_ours(&path)?;
        Ok(ours.then_some(Self { _lock: lock }))
    }
}

/// Whether a hidden folder holds a report that was moved aside, or a part of a new one or of a page, and nothing else.
fn holds_only_ours(path: &Path) -> io::Result<bool> {
    let old = path.join(OLD);
    if fs::symlink_metadata(&old).is_ok() {
        let mut alone = true;
        for entry in fs::read_dir(path)? {
            let name = entry?.file_name();
            alone &= name == OLD || name == LOCK;
        }
        return Ok(alone && matches!(Held::at(&old), Ok(Held::Report)));
    }
    let new = format!("{NEW}/");
    let of_ours = |name: &str| {
        let name = name.strip_prefix(&new).unwrap_or(name);
        name.is_empty() || [LOCK, MANIFEST, PAGE].contains(&name) || before_lists(name)
    };
    Ok(stranger(path, "", &of_ours)?.is_none())
}
