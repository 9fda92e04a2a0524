//! What is in the place of a report: nothing, a report of ours, or something that must not be touched.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, ErrorKind};
use std::ops::Bound;
use std::path::Path;

use gradual_runs::{RunsError, SCHEMA, files};
use serde::{Deserialize, Serialize};

use crate::ReportError;
use crate::text::shorten;

/// The list of the files of a report.
pub(super) const MANIFEST: &str = "files.json";

/// How often a report is looked at that others exchange meanwhile.
const LOOKS: usize = 100;

/// What systems leave in folders that somebody looks at.
const LEFT_BY_SYSTEMS: [&str; 3] = [".DS_Store", "Thumbs.db", "desktop.ini"];

/// What `files.json` holds.
#[derive(Serialize, Deserialize)]
pub(super) struct Manifest {
    schema: u32,
    /// Names relative to the report, with `/` between folders.
    files: BTreeSet<String>,
}

impl Manifest {
    pub(super) fn new(files: &BTreeSet<String>) -> Self {
        Self {
            schema: SCHEMA,
            files: files.clone(),
        }
    }

    pub(super) fn text(&self) -> Result<String, ReportError> {
        let text = serde_json::to_string_pretty(self);
        Ok(text.map_err(|source| ReportError::Summary { source })? + "\n")
    }

    /// Whether a file, or a folder whose name ends in `/`, is of the report.
    fn lists(&self, name: &str) -> bool {
        let from = (Bound::Included(name), Bound::Unbounded);
        let after = self.files.range::<str, _>(from).next();
        match name.ends_with('/') {
            true => after.is_some_and(|file| file.starts_with(name)),
            false => after.is_some_and(|file| file == name) || name == MANIFEST,
        }
    }
}

/// What may be replaced.
pub(super) enum Held {
    Nothing,
    /// A folder with nothing in it.
    Empty,
    /// A report of which every file is listed.
    Report,
    /// A report from before there were lists, by the names of its files, some of which may be somebody's own.
    Unlisted,
}

impl Held {
    /// What is at `target`. Where somebody exchanges it meanwhile, it is looked at again.
    ///
    /// # Errors
    /// [`ReportError::Foreign`] for anything that is no report.
    pub(super) fn at(target: &Path) -> Result<Self, ReportError> {
        let mut tries = 0..LOOKS;
        loop {
            let listed = manifest(target);
            let found = Self::look(target, &listed);
            if found.is_ok() || tries.next().is_none() || manifest(target) == listed {
                return found;
            }
        }
    }

    fn look(target: &Path, listed: &str) -> Result<Self, ReportError> {
        let foreign = |found: String| ReportError::Foreign {
            path: target.to_owned(),
            found,
        };
        let kind = match fs::symlink_metadata(target) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(error) => return Err(RunsError::file("look at", target)(error).into()),
        };
        if kind.is_symlink() {
            return Err(foreign("it is a link".to_owned()));
        }
        if !kind.is_dir() {
            return Err(foreign("it is no folder".to_owned()));
        }
        let listed: Option<Manifest> = serde_json::from_str(listed).ok();
        let of_ours = |name: &str| match &listed {
            Some(manifest) => manifest.lists(name),
            None => before_lists(name),
        };
        let failed = |error: io::Error| match error.kind() {
            // Somebody moved it away.
            ErrorKind::NotFound => Ok(Self::Nothing),
            _ => Err(RunsError::file("read", target)(error).into()),
        };
        let stranger = match stranger(target, "", &of_ours) {
            Ok(stranger) => stranger,
            Err(error) => return failed(error),
        };
        match stranger {
            Some(name) => Err(foreign(format!(
                "it holds {}, which is none of its files",
                shorten(&name, 80).escape_debug()
            ))),
            None if listed.is_some() => Ok(Self::Report),
            None if has_marks_of_old(target) => Ok(Self::Unlisted),
            None => match fs::read_dir(target).map(|mut entries| entries.next().is_none()) {
                Ok(true) => Ok(Self::Empty),
                Ok(false) => Err(foreign("it holds no files.json of a report".to_owned())),
                Err(error) => failed(error),
            },
        }
    }
}

/// The list of the report at `target`; empty without one.
fn manifest(target: &Path) -> String {
    files::text(&target.join(MANIFEST)).unwrap_or_default()
}

/// Whether the report at `target` is one that compares found groups, as the experiments of the protocol write them.
pub(crate) fn is_of_groups(target: &Path) -> bool {
    let listed: Result<Manifest, _> = serde_json::from_str(&manifest(target));
    listed.is_ok_and(|listed| listed.files.contains("quality.json"))
}

/// A file below `folder`, or a folder, that is not of ours.
pub(super) fn stranger(
    folder: &Path,
    above: &str,
    of_ours: &impl Fn(&str) -> bool,
) -> io::Result<Option<String>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // What is not UTF-8 is not ours under any name.
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{above}{name}");
        if entry.file_type()?.is_dir() {
            let path = path + "/";
            if !of_ours(&path) {
                return Ok(Some(path));
            }
            if let Some(found) = stranger(&entry.path(), &path, of_ours)? {
                return Ok(Some(found));
            }
        } else if !LEFT_BY_SYSTEMS.contains(&name.as_str())
            && (entry.file_type()?.is_symlink() || !of_ours(&path))
        {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Whether a report from before there were lists may have a file, or a folder whose name ends in `/`, of this name.
pub(super) fn before_lists(name: &str) -> bool {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    let below = |folder: &str| {
        let rest = name.strip_prefix(folder);
        rest.is_some_and(|rest| rest.is_empty() || !rest.contains('/'))
    };
    match name {
        "index.html" | "summary.json" | "quality.csv" | "quality.md" => true,
        _ if !name.contains('/') => ends(&[".svg"]),
        "figures/" | "tables/" => true,
        _ if below("figures/") => ends(&[".svg", ".csv", ".parquet"]),
        _ if below("tables/") => ends(&[".csv", ".parquet"]),
        _ => name.starts_with("tensorboard/") && ends(&["/", "/events.out.tfevents.0.gradual"]),
    }
}

/// Whether a folder holds what every report held before there were lists.
fn has_marks_of_old(folder: &Path) -> bool {
    let text = files::text(&folder.join("summary.json")).unwrap_or_default();
    let summary: Option<serde_json::Value> = serde_json::from_str(&text).ok();
    let of_ours = summary.is_some_and(|one| one["schema"] == SCHEMA && one["verdicts"].is_array());
    of_ours
        || ["index.html", "quality.csv", "quality.md"]
            .iter()
            .all(|name| folder.join(name).is_file())
}
