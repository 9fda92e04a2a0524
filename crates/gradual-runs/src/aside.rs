//! Runs moved aside, so that others can have their place: nothing of them is lost.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use time::OffsetDateTime;

use crate::error::RunsError;
use crate::files::{self, LOCK, TENSORBOARD};
use crate::lock::FolderLock;
use crate::place::Place;

/// How many names are tried where others are taken.
const TRIES: usize = 1_000;

/// A time (UTC) as a part of a folder's name: `20260214T183005Z`. Runs that one command moves aside share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp(String);

impl Stamp {
    /// The time now.
    #[must_use]
    pub fn now() -> Self {
        let now = OffsetDateTime::now_utc();
        Self(format!(
            "{:04}{:02}{:02}T{:02}{:02}{:02}Z",
            now.year(),
            u8::from(now.month()),
            now.day(),
            now.hour(),
            now.minute(),
            now.second()
        ))
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Moves the runs at these places of `experiment`, as [`aside`] does, and says where they are now. All are locked first, and
/// held until all are moved: where one of them is at work, none is moved. Where one can't be moved, those before it are
/// moved back.
///
/// Every run takes an open file. A process may have about a thousand of them, or, once it asks for more as this does, mostly
/// several hundred thousand.
///
/// # Errors
/// Those of [`aside`] for the first run that has one; [`RunsError::HalfAside`] when a run that was moved can't be moved
/// back.
pub fn aside_all<'a>(
    experiment: &Path,
    places: impl IntoIterator<Item = &'a Place>,
    stamp: &Stamp,
) -> Result<Vec<PathBuf>, RunsError> {
    crate::limits::raise_open_files();
    let mut held = Vec::new();
    for place in places {
        if let Some(lock) = hold(experiment, place)? {
            held.push((place, lock));
        }
    }
    let mut moved: Vec<(&Place, PathBuf)> = Vec::new();
    for (place, _) in &held {
        match shift(experiment, place, stamp) {
            Ok(target) => moved.push((place, target)),
            Err(error) => return Err(put_back(&moved, error)),
        }
    }
    Ok(moved.into_iter().map(|(_, target)| target).collect())
}

/// Moves runs back to their places, the last one first, and says what there is to say: `error`, or that one stays where
/// it is.
fn put_back(moved: &[(&Place, PathBuf)], error: RunsError) -> RunsError {
    let mut left = Vec::new();
    for (place, target) in moved.iter().rev() {
        if fs::rename(target, &place.folder).is_err() {
            left.push(target.clone());
            continue;
        }
        events_back(place, target);
        // The folders that were made for it, where nothing else is in them.
        for made in target.ancestors().skip(1).take(2) {
            let _ = fs::remove_dir(made);
        }
    }
    match left.is_empty() {
        true => error,
        false => RunsError::HalfAside {
            left,
            source: Box::new(error),
        },
    }
}

/// Moves the event files of a run that is back to where they were.
fn events_back(place: &Place, target: &Path) {
    let (Some(old), Some(experiment)) =
        (target.ancestors().nth(2), place.folder.ancestors().nth(2))
    else {
        return;
    };
    let moved = events_in(old, place);
    let _ = fs::rename(&moved, events_in(experiment, place));
    for made in moved.ancestors().skip(1).take(2) {
        let _ = fs::remove_dir(made);
    }
}

/// The folder of the event files of the run at this place.
fn events_in(folder: &Path, place: &Place) -> PathBuf {
    let arm = folder.join(TENSORBOARD).join(&place.arm);
    arm.join(format!("seed-{}", place.seed))
}

/// Moves the run at a place of `experiment` to `<experiment>/.old-<stamp>/<arm>/seed-<s>`, with everything that is in
/// its folder, and says where it is now. Where that is taken, another name is found: `.old-<stamp>-2` and so on. None
/// where there is no such run.
///
/// # Errors
/// [`RunsError::Locked`] when another process writes into the run, [`RunsError::Link`] when the arm or the run is a
/// link, [`RunsError::File`] when it can't be moved.
pub fn aside(
    experiment: &Path,
    place: &Place,
    stamp: &Stamp,
) -> Result<Option<PathBuf>, RunsError> {
    Ok(aside_all(experiment, [place], stamp)?.pop())
}

/// Locks the run at a place; none where there is no such run. The lock is held until the run is at its new place; a writer
/// that waits for it takes a new lock at the old one.
fn hold(experiment: &Path, place: &Place) -> Result<Option<FolderLock>, RunsError> {
    let run = &place.folder;
    if !files::is_folder(&experiment.join(&place.arm))? || !files::is_folder(run)? {
        return Ok(None);
    }
    let lock = match FolderLock::take(run) {
        Err(RunsError::File { .. }) if !files::is_folder(run)? => return Ok(None),
        taken => taken?,
    };
    let empty = files::entries(run)?.iter().all(|each| each.ends_with(LOCK));
    Ok((!empty).then_some(lock))
}

/// Moves a run that is locked.
fn shift(experiment: &Path, place: &Place, stamp: &Stamp) -> Result<PathBuf, RunsError> {
    let run = &place.folder;
    for number in 1..=TRIES {
        let name = match number {
            1 => format!(".old-{stamp}"),
            more => format!(".old-{stamp}-{more}"),
        };
        let old = experiment.join(name);
        let arm = old.join(&place.arm);
        if !made(&old)? || !made(&arm)? {
            continue;
        }
        // A folder takes the place of an empty folder at most.
        let target = arm.join(format!("seed-{}", place.seed));
        match fs::rename(run, &target) {
            Ok(()) => {
                events_aside(experiment, place, &old);
                return Ok(target);
            }
            Err(source) if is_taken(&source) => {}
            Err(source) => return Err(RunsError::file("move aside", run)(source)),
        }
    }
    let taken = io::Error::new(io::ErrorKind::AlreadyExists, "all names are taken");
    Err(RunsError::file("move aside", run)(taken))
}

/// Moves the event files of a run that was moved aside to `<old>/tensorboard/<arm>/seed-<s>`, so that they do not stand for the
/// next one. Where they can't be moved, they stay.
fn events_aside(experiment: &Path, place: &Place, old: &Path) {
    let (from, to) = (events_in(experiment, place), events_in(old, place));
    // No link is followed: the folder of the run, that of its arm, and that of all.
    let is_folder = |folder: &Path| files::is_folder(folder).unwrap_or(false);
    if !from.ancestors().take(3).all(is_folder) {
        return;
    }
    let above: Vec<&Path> = to.ancestors().skip(1).take(2).collect();
    if above
        .into_iter()
        .rev()
        .all(|folder| made(folder).unwrap_or(false))
    {
        let _ = fs::rename(from, to);
    }
}

/// Whether the folder is there or could be made; not where something else has its name.
fn made(folder: &Path) -> Result<bool, RunsError> {
    match fs::create_dir(folder) {
        Err(source) if source.kind() == io::ErrorKind::AlreadyExists => {
            Ok(files::is_folder(folder).unwrap_or(false))
        }
        made => made
            .map(|()| true)
            .map_err(RunsError::file("create", folder)),
    }
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists
            | io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::NotADirectory
    )
}
