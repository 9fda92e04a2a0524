use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::RunsError;
use crate::files::{self, LOCK};

/// How often a lock is taken anew because its file was exchanged meanwhile.
const TRIES: usize = 100;
/// How long a wait is that nobody needs to be told of, and how often it looks meanwhile.
const SHORT: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);
/// How long a writer waits for those that only look.
const SOON: Duration = Duration::from_secs(2);

/// A folder that one writer holds. It is free again when this is dropped, or when the process ends in whatever way.
///
/// The file `.lock` in the folder stays; it is neither written nor shortened.
#[derive(Debug)]
pub struct FolderLock {
    /// Held, not read: the lock goes when it is closed.
    _file: File,
}

impl FolderLock {
    /// Takes a folder, which must be there, for one writer, and waits for another to be done with it.
    ///
    /// # Errors
    /// [`RunsError::Link`] and [`RunsError::Kind`] when its `.lock` is no regular file, [`RunsError::File`] when it
    /// can't be locked.
    pub fn wait(folder: &Path) -> Result<Self, RunsError> {
        Self::wait_telling(folder, || {})
    }

    /// [`wait`](Self::wait) that calls `tell` once where it takes longer than a second, so that a program can say what it
    /// waits for.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait).
    pub fn wait_telling(folder: &Path, tell: impl FnOnce()) -> Result<Self, RunsError> {
        Self::wait_while(folder, tell, || true)
    }

    /// [`wait_telling`](Self::wait_telling) as long as `goes_on` says so, which is asked many times a second.
    ///
    /// # Errors
    /// Those of [`wait`](Self::wait), and [`RunsError::Locked`] where it did not go on.
    pub fn wait_while(
        folder: &Path,
        tell: impl FnOnce(),
        goes_on: impl Fn() -> bool,
    ) -> Result<Self, RunsError> {
        let (began, mut tell) = (Instant::now(), Some(tell));
        Self::locked(folder, |path, file| {
            loop {
                match file.try_lock() {
                    Ok(()) => return Ok(()),
                    Err(TryLockError::Error(source)) => {
                        return Err(RunsError::file("lock", path)(source));
                    }
                    Err(TryLockError::WouldBlock) if !goes_on() => return Err(held(folder)),
                    Err(TryLockError::WouldBlock) => thread::sleep(LOOK),
                }
                if began.elapsed() > SHORT
                    && let Some(tell) = tell.take()
                {
                    tell();
                }
            }
        })
    }

    /// Takes a folder, which must be there, for one writer, after a wait of up to two seconds: for others that
    /// [look](Self::look).
    ///
    /// # Errors
    /// [`RunsError::Locked`] when it is held for longer, and those of [`wait`](Self::wait).
    pub fn take_soon(folder: &Path) -> Result<Self, RunsError> {
        let began = Instant::now();
        Self::wait_while(folder, || {}, || began.elapsed() < SOON)
    }

    /// Takes a folder, which must be there, for one of many that look at it. Nobody writes into it meanwhile.
    ///
    /// # Errors
    /// [`RunsError::Locked`] when a writer holds it, and those of [`wait`](Self::wait).
    pub fn look(folder: &Path) -> Result<Self, RunsError> {
        Self::locked(folder, |path, file| match file.try_lock_shared() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(held(folder)),
            Err(TryLockError::Error(source)) => Err(RunsError::file("lock", path)(source)),
        })
    }

    /// Takes a folder, which must be there, for one writer.
    ///
    /// # Errors
    /// [`RunsError::Locked`] when another writer holds it, and those of [`wait`](Self::wait).
    pub fn take(folder: &Path) -> Result<Self, RunsError> {
        Self::locked(folder, |path, file| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(held(folder)),
            Err(TryLockError::Error(source)) => Err(RunsError::file("lock", path)(source)),
        })
    }

    fn locked(
        folder: &Path,
        mut lock: impl FnMut(&Path, &File) -> Result<(), RunsError>,
    ) -> Result<Self, RunsError> {
        let path: PathBuf = folder.join(LOCK);
        for _ in 0..TRIES {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false);
            let file = files::open_with(&mut options, "lock", &path)?;
            lock(&path, &file)?;
            // The folder may have been moved aside, or the file removed, while this waited.
            let there = fs::symlink_metadata(&path);
            let same = there.and_then(|there| files::is_same(&file, &there));
            if same.unwrap_or(false) {
                return Ok(Self { _file: file });
            }
        }
        Err(held(folder))
    }
}

fn held(folder: &Path) -> RunsError {
    RunsError::Locked {
        path: folder.to_owned(),
    }
}
