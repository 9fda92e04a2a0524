//! Looks at run folders, and draws what changed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use gradual_runs::Place;
use gradual_runs::files::{CONFIG, CURVES, DONE, EXPERIMENT, GROUPS, TIMING};
use tokio::sync::watch::Sender;

use crate::folder::Folder;
use crate::results::Results;
use crate::stop::Stop;
use crate::{ReportError, figures, page};

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// What is shown.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// Grows with every change.
    pub(super) version: u64,
    pub(super) title: String,
    /// What can't be read at the moment.
    problem: Option<String>,
    /// Progress and figures.
    drawn: String,
}

impl Snapshot {
    /// Before anything was read.
    pub(super) fn first(dirs: &[PathBuf]) -> Self {
        let names = dirs.iter().map(|dir| dir.display().to_string());
        Self {
            title: names.collect::<Vec<_>>().join(", "),
            ..Self::default()
        }
    }

    /// The part of the page that changes.
    pub(super) fn html(&self) -> String {
        page::live::body(self.problem.as_deref(), &self.drawn)
    }
}

/// Length and time of every file that the page is made of; none of a file that is not there.
type Look = BTreeMap<PathBuf, Option<(u64, Option<SystemTime>)>>;

/// Publishes a snapshot whenever the folders changed, until nobody can see it any more.
pub(super) fn follow(dirs: &[PathBuf], published: &Sender<Snapshot>) {
    let mut before: Option<Look> = None;
    let mut snapshot = published.borrow().clone();
    while !published.is_closed() {
        let began = Instant::now();
        let now = look(dirs);
        if before.as_ref() != Some(&now) {
            before = Some(now);
            match draw(dirs) {
                Ok((title, drawn)) => {
                    (snapshot.title, snapshot.drawn) = (title, drawn);
                    snapshot.problem = None;
                }
                Err(error) => snapshot.problem = Some(gradual_runs::message(&error)),
            }
            snapshot.version += 1;
            published.send_replace(snapshot.clone());
        }
        // Runs on the same machine need the time more: drawing takes a quarter of it at most.
        thread::sleep(PAUSE.max(3 * began.elapsed()));
    }
}

fn look(dirs: &[PathBuf]) -> Look {
    let mut files = Look::new();
    let mut add = |path: PathBuf| {
        let found = fs::symlink_metadata(&path).ok();
        let found = found.map(|found| (found.len(), found.modified().ok()));
        files.insert(path, found);
    };
    for dir in dirs {
        add(dir.join(EXPERIMENT));
        let places = Place::all(dir).unwrap_or_default();
        for place in places.runs {
            for name in [CONFIG, CURVES, GROUPS, TIMING, DONE] {
                add(place.folder.join(name));
            }
        }
    }
    files
}

/// The title, and progress and figures.
fn draw(dirs: &[PathBuf]) -> Result<(String, String), ReportError> {
    let stop = Stop::default();
    if let Some(missing) = dirs.iter().find(|dir| !is_there(dir)) {
        return Err(ReportError::Awaited {
            path: missing.clone(),
        });
    }
    // Runs that can't be compared are followed, too.
    let folder = match Folder::read_all(dirs, false, &stop) {
        Err(ReportError::Incomparable { .. }) => Folder::read_all(dirs, true, &stop)?,
        read => read?,
    };
    let results = Results::of(&folder);
    let figures = figures::all(&folder, &stop)?;
    let drawn = page::live::drawn(&folder, &results, &figures);
    Ok((folder.title.clone(), drawn))
}

/// Whether there is an experiment in a folder.
fn is_there(dir: &Path) -> bool {
    dir.join(EXPERIMENT).exists()
}
