//! Where runs lie: `<experiment>/<arm>/seed-<s>`.

use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};

use crate::config::RunConfig;
use crate::error::RunsError;
use crate::files::{self, CONFIG, TENSORBOARD};

/// The folder of an experiment's report, which is no arm.
const REPORT: &str = "report";

/// The place of one run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Name of the arm's folder.
    pub arm: String,
    /// The seed of the folder's name.
    pub seed: u64,
    /// The run folder.
    pub folder: PathBuf,
}

/// The places of an experiment's runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    /// By arm, and then by seed.
    pub runs: Vec<Place>,
    /// What was passed over and looks like a run, in sentences.
    pub notes: Vec<String>,
}

impl Place {
    /// The place of a run in the folder of its experiment.
    ///
    /// # Errors
    /// [`RunsError::Name`] when no folder of runs can be called as the arm is: it is empty, hidden, `report`, `tensorboard`, or a path.
    pub fn new(experiment: &Path, arm: &str, seed: u64) -> Result<Self, RunsError> {
        let mut parts = Path::new(arm).components();
        let plain = match (parts.next(), parts.next()) {
            (Some(Component::Normal(name)), None) => name == arm,
            _ => false,
        };
        let taken = [REPORT, TENSORBOARD].contains(&arm);
        if !plain || arm.starts_with('.') || taken || arm.contains(['\\', '\0']) {
            return Err(RunsError::Name {
                name: arm.to_owned(),
            });
        }
        Ok(Self {
            arm: arm.to_owned(),
            seed,
            folder: experiment.join(arm).join(format!("seed-{seed}")),
        })
    }

    /// The runs in the folder of an experiment; none where there is no such folder. Hidden folders (so those that were moved aside) and an earlier report
    /// hold none.
    ///
    /// A seed has one name: `seed-00` and `seed-+0` are passed over with a note.
    ///
    /// # Errors
    /// [`RunsError::Link`] when an arm or a run is a link to a folder, [`RunsError::File`] when a folder can't be read.
    pub fn all(experiment: &Path) -> Result<Places, RunsError> {
        let mut places = Places::default();
        // The folder itself may be reached through links.
        if !experiment.exists() {
            return Ok(places);
        }
        for (arm, folder) in folders(experiment)?.folders {
            if arm == REPORT {
                continue;
            }
            let inside = folders(&folder)?;
            let links = inside.links.iter().filter(|name| name.starts_with("seed-"));
            let passed_over = |name| format!("{arm}/{name} is passed over: it is a link.");
            places.notes.extend(links.map(passed_over));
            for (name, folder) in inside.folders {
                let Some(number) = name.strip_prefix("seed-") else {
                    continue;
                };
                match number.parse::<u64>() {
                    Ok(seed) if seed.to_string() == number => places.runs.push(Place {
                        arm: arm.clone(),
                        seed,
                        folder,
                    }),
                    _ => places.notes.push(format!(
                        "{arm}/{name} is passed over: the folder of a run is called seed-, and then its seed as a plain number."
                    )),
                }
            }
        }
        places.runs.sort();
        Ok(places)
    }

    /// The configuration of the run here; none where there is no such file.
    ///
    /// # Errors
    /// Those of [`files::read`], and [`RunsError::Misplaced`] when it is that of another arm or seed.
    pub fn config(&self) -> Result<Option<RunConfig>, RunsError> {
        let path = self.folder.join(CONFIG);
        let config: RunConfig = match files::read(&path) {
            Err(RunsError::Missing { .. }) => return Ok(None),
            read => read?,
        };
        let misplaced = |entry, held: String, place: String| RunsError::Misplaced {
            path: path.clone(),
            entry,
            held,
            place,
        };
        if config.arm != self.arm {
            return Err(misplaced("arm", config.arm, self.arm.clone()));
        }
        if config.seed != self.seed {
            let (held, place) = (config.seed.to_string(), self.seed.to_string());
            return Err(misplaced("seed", held, place));
        }
        Ok(Some(config))
    }
}

/// What is not hidden in a folder: folders, by name, and the names of links that lead to no folder.
#[derive(Default)]
struct Inside {
    folders: Vec<(String, PathBuf)>,
    links: Vec<String>,
}

/// What is not hidden in a folder.
fn folders(folder: &Path) -> Result<Inside, RunsError> {
    let mut inside = Inside::default();
    for path in files::entries(folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            continue;
        }
        let kind = match fs::symlink_metadata(&path) {
            // A report that another program exchanges is away for a moment.
            Err(gone) if gone.kind() == ErrorKind::NotFound => continue,
            found => found.map_err(RunsError::file("look at", &path))?,
        };
        if kind.is_symlink() && path.is_dir() {
            return Err(RunsError::Link { path });
        }
        if kind.is_dir() {
            inside.folders.push((name.into_owned(), path));
        } else if kind.is_symlink() {
            inside.links.push(name.into_owned());
        }
    }
    Ok(inside)
}
