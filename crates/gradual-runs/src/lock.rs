use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::RunsError;

const LOCK: &str = ".lock";

/// A folder that one writer holds. It is free again when this is dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct FolderLock {
    /// Held, not read: the lock goes when it is closed.
    _file: File,
}

impl FolderLock {
    /// Takes a folder, which must be there, for one writer, and waits for another to be done with it.
    ///
    /// # Errors
    /// [`RunsError::File`] when it can't be locked.
    pub fn wait(folder: &Path) -> Result<Self, RunsError> {
        let (file, lock) = Self::open(folder)?;
        lock.lock().map_err(RunsError::file("lock", &file))?;
        Ok(Self { _file: lock })
    }

    fn open(folder: &Path) -> Result<(PathBuf, File), RunsError> {
        let file = folder.join(LOCK);
        let lock = File::create(&file).map_err(RunsError::file("create", &file))?;
        Ok((file, lock))
    }

    /// Takes a folder, which must be there, for one writer.
    ///
    /// # Errors
    /// [`RunsError::Locked`] when another writer holds it, [`RunsError::File`] when it can't be locked.
    pub fn take(folder: &Path) -> Result<Self, RunsError> {
        let (file, lock) = Self::open(folder)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _file: lock }),
            Err(TryLockError::WouldBlock) => Err(RunsError::Locked {
                path: folder.to_owned(),
            }),
            Err(TryLockError::Error(source)) => Err(RunsError::file("lock", &file)(source)),
        }
    }
}
