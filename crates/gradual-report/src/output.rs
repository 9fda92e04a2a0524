//! Folders that are written whole or not at all.

mod held;
mod hidden;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use gradual_runs::files::EXPERIMENT;
use gradual_runs::streams::tell;
use gradual_runs::{FolderLock, RunsError, Stamp};

use crate::ReportError;
pub(crate) use held::is_of_groups;
use held::{Held, Manifest};
pub(crate) use hidden::{Hidden, sweep};

/// How often a swap is tried again because somebody else wrote a report there at the same time.
const TRIES: usize = 100;

/// A report that is being written, in a new folder of a random, hidden name beside the place where it is to be.
///
/// [`swap`](Self::swap) puts it there as a whole. Until then, and where anything fails, what was there stays as it is;
/// the new folder is removed when this is dropped. Its `files.json` lists the files, and by that list the next report
/// knows this one: a folder that holds anything else, a file or a link is refused, so that nothing but a report of ours
/// is ever removed. A report from before there was a list is not removed either: it is kept beside the new one as
/// `.report-old-<UTC time>`.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// use gradual_report::ReportFolder;
///
/// let target = folder.path().join("report");
/// let mut report = ReportFolder::new(&target)?;
/// report.write("index.html", "<!DOCTYPE html>")?;
/// report.swap()?;
/// assert!(target.join("index.html").is_file());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct ReportFolder {
    target: PathBuf,
    new: Hidden,
    files: BTreeSet<String>,
}

impl ReportFolder {
    /// Begins a report that is to be the folder `target`. Folders on the way there are made.
    ///
    /// # Errors
    /// [`ReportError::Foreign`] when something that is no report of ours is there, [`RunsError::File`] when no folder
    /// can be made beside it.
    pub fn new(target: &Path) -> Result<Self, ReportError> {
        let target = Self::check(target)?;
        let beside = beside(&target);
        fs::create_dir_all(beside).map_err(RunsError::file("create", beside))?;
        Ok(Self {
            new: Hidden::new(beside)?,
            target,
            files: BTreeSet::new(),
        })
    }

    /// The path to write to for `target`, after checking that nothing but a report of ours is there.
    ///
    /// # Errors
    /// [`ReportError::Foreign`] when something else is.
    pub fn check(target: &Path) -> Result<PathBuf, ReportError> {
        let target = match target.file_name() {
            Some(_) => target.to_owned(),
            // `.` and `..` have no name to be exchanged by.
            None => fs::canonicalize(target).map_err(RunsError::file("find", target))?,
        };
        Held::at(&target)?;
        Ok(target)
    }

    /// Writes one file, `name` relative to the report with `/` between folders, which are made.
    ///
    /// # Errors
    /// [`RunsError::File`] when it can't be written, also for a name that leaves the folder or was used before.
    pub fn write(&mut self, name: &str, content: impl AsRef<[u8]>) -> Result<(), ReportError> {
        let path = self.new.path().join(NEW).join(name);
        let inside = |part| matches!(part, Component::Normal(_));
        let written = match Path::new(name).components().all(inside) {
            true => create(&path, content.as_ref()),
            false => Err(io::ErrorKind::InvalidInput.into()),
        };
        written.map_err(RunsError::file("write", &self.target.join(name)))?;
        self.files.insert(name.to_owned());
        Ok(())
    }

    /// Puts the report in its place, and removes the one that it replaces; one without a list of its files is kept as
    /// `.report-old-<UTC time>` beside it. Returns the place.
    ///
    /// In the folder of an experiment this waits for the lock of that folder, which whoever calls this must not hold.
    ///
    /// # Errors
    /// [`ReportError::Foreign`] when something else has come there meanwhile, [`RunsError::File`] when the folders can't
    /// be exchanged.
    pub fn swap(self) -> Result<PathBuf, ReportError> {
        self.swap_while(|| true)
    }

    /// [`swap`](Self::swap) that waits for the lock only as long as `goes_on` says so, which is asked many times a second.
    ///
    /// # Errors
    /// Those of [`swap`](Self::swap), and [`ReportError::Interrupted`] where it did not go on. Then what was there before stays
    /// as it was.
    pub fn swap_while(self, goes_on: impl Fn() -> bool) -> Result<PathBuf, ReportError> {
        let place = self.target.clone();
        self.swap_after(None, goes_on).map(|_| place)
    }

    /// [`swap_while`](Self::swap_while), unless another report has come there since the one `before`: then there is none of
    /// this one, and None.
    pub(crate) fn swap_after(
        mut self,
        before: Option<Written>,
        goes_on: impl Fn() -> bool,
    ) -> Result<Option<PathBuf>, ReportError> {
        let manifest = Manifest::new(&self.files).text()?;
        self.write(held::MANIFEST, manifest)?;
        let beside = beside(&self.target);
        let _lock = match beside.join(EXPERIMENT).exists() {
            true => Some(wait(beside, &goes_on)?),
            false => None,
        };
        if before.is_some_and(|before| before != Written::at(&self.target)) {
            return Ok(None);
        }
        let failed = |source| ReportError::from(RunsError::file("write", &self.target)(source));
        for _ in 0..TRIES {
            let old = self.make_room()?;
            match fs::rename(self.new.path().join(NEW), &self.target) {
                Ok(()) => {
                    sweep(beside);
                    return Ok(Some(self.target));
                }
                // Somebody else was faster; without a lock that may be.
                Err(_) if self.target.exists() => {}
                Err(error) => {
                    if let Some(old) = old {
                        fs::rename(old.report(), &self.target).map_err(failed)?;
                    }
                    return Err(failed(error));
                }
            }
        }
        Err(failed(io::ErrorKind::ResourceBusy.into()))
    }

    /// Moves what is in the way aside.
    fn make_room(&self) -> Result<Option<Aside>, ReportError> {
        let gone = |moved: io::Result<()>| match moved {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(RunsError::file("replace", &self.target)(error))
            }
            _ => Ok(()),
        };
        match Held::at(&self.target)? {
            Held::Nothing => Ok(None),
            Held::Empty => {
                gone(fs::remove_dir(&self.target))?;
                Ok(None)
            }
            Held::Report => {
                let aside = Hidden::new(beside(&self.target))?;
                gone(fs::rename(&self.target, aside.path().join(OLD)))?;
                Ok(Some(Aside::Goes(aside)))
            }
            Held::Unlisted => {
                let kept = kept(&self.target)?;
                gone(fs::rename(&self.target, &kept))?;
                Ok(Some(Aside::Stays(kept)))
            }
        }
    }
}

/// When the report at a place was written, if one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written(Option<SystemTime>);

impl Written {
    pub(crate) fn at(target: &Path) -> Self {
        let list = fs::symlink_metadata(target.join(held::MANIFEST));
        Self(list.and_then(|list| list.modified()).ok())
    }
}

/// Takes the folder of an experiment as soon as nobody else holds it.
fn wait(folder: &Path, goes_on: &impl Fn() -> bool) -> Result<FolderLock, ReportError> {
    let waiting = || {
        tell(format_args!(
            "waiting for another program to be done with {}",
            folder.display()
        ));
    };
    FolderLock::wait_while(folder, waiting, goes_on).map_err(|error| match error {
        RunsError::Locked { .. } if !goes_on() => ReportError::Interrupted,
        error => error.into(),
    })
}

/// A report that was moved aside.
enum Aside {
    /// In a folder that goes when this is dropped.
    Goes(Hidden),
    Stays(PathBuf),
}

impl Aside {
    /// Where the report is now.
    fn report(&self) -> PathBuf {
        match self {
            Self::Goes(folder) => folder.path().join(OLD),
            Self::Stays(path) => path.clone(),
        }
    }
}

/// A free, hidden name beside `target`, with the time: `.report-old-20260131T235959Z`, and a number where that is taken.
fn kept(target: &Path) -> Result<PathBuf, RunsError> {
    let beside = beside(target);
    let stamp = Stamp::now();
    let first = beside.join(format!(".report-old-{stamp}"));
    let others = (2..).map(|number: usize| beside.join(format!(".report-old-{stamp}-{number}")));
    let mut names = std::iter::once(first).chain(others);
    let free = names.find(|path| fs::symlink_metadata(path).is_err());
    free.ok_or_else(|| RunsError::file("replace", target)(io::ErrorKind::AlreadyExists.into()))
}

/// What a page of claims is called until it is in its place.
pub(crate) const PAGE: &str = "page";

/// What a report is called until it is in its place.
const NEW: &str = "new";

/// What a report is called that is moved aside.
const OLD: &str = "old";

/// The folder that a path is in.
pub(crate) fn beside(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Creates a file that is not there yet, and the folders on the way.
pub(crate) fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(beside(path))?;
    let mut file = File::create_new(path)?;
    file.write_all(content)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report whose runs were read before another one came may be older than that.
    #[test]
    fn a_report_that_came_meanwhile_stays() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("report");
        let begun = |text: &str| {
            let mut report = ReportFolder::new(&target).unwrap();
            report.write("index.html", text).unwrap();
            report
        };
        let page = || fs::read_to_string(target.join("index.html")).unwrap();
        let nothing = Written::at(&target);
        begun("first").swap().unwrap();
        let put = begun("slow").swap_after(Some(nothing), || true).unwrap();
        assert_eq!((put, page().as_str()), (None, "first"));
        let first = Written::at(&target);
        let put = begun("next").swap_after(Some(first), || true).unwrap();
        assert_eq!((put, page().as_str()), (Some(target.clone()), "next"));
        begun("last").swap_after(None, || true).unwrap();
        assert_eq!(page(), "last");
        // Nothing is left of those that were not put there.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
