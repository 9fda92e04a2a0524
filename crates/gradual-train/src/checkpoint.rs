//! Checkpoints on disk.
//!
//! ```text
//! checkpoints/step-000001200/
//!     manifest.json  model.bpk  optimizer.bpk  rate.bpk  state.cbor  lens.bpk  curves.jsonl  …
//! ```
//!
//! `lens.bpk` is there in runs that group examples under a [lens](crate::lens), once it has its snapshot.
//!
//! A checkpoint is written into a new folder with a random name, every file synchronised to disk, and the folder then
//! renamed: it is there as a whole or not at all. The manifest names every file with its
//! length and CRC-32, and its own CRC-32 stands on a line of its own, so that a file that was cut,
//! changed or lost is found before anything is read from it.
//!
//! The manifest also holds the configuration of the run: a checkpoint of another run is refused, and never resumed from.
//! Manifests from before this entry say nothing of it.
//!
//! The names in a manifest are somebody's word. Only those above and the journals of the run are read, none through a
//! link, and only what has such a name is removed.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use gradual_runs::files::{self, CURVES, MEMBERS, is_journal_name, write_new};
use gradual_runs::{Digest, Evaluation, Lines, Record, RunConfig, RunsError, shown};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::TrainError;
use crate::journal_names::JournalNames;
use crate::snapshot::{FILES, LENS, Snapshot};

/// Version of this format.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const PREFIX: &str = "step-";
/// Damaged checkpoints that a message names, of however many.
const MOST_NAMED: usize = 5;

/// Which checkpoints are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// How many of the newest are kept, at least one.
    pub last: usize,
    /// Also the one with the highest mean accuracy, of equals the first.
    pub best: bool,
}

/// The last two and the best.
impl Default for Keep {
    fn default() -> Self {
        Self {
            last: 2,
            best: true,
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    format: u32,
    gradual: String,
    step: u64,
    mean_accuracy: Option<f64>,
    /// The configuration of the run; null in checkpoints from before this entry.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    run: Value,
    files: BTreeMap<String, Digest>,
}

/// The run that checkpoints belong to.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    pub(crate) config: RunConfig,
    pub(crate) names: JournalNames,
}

impl Owner {
    /// The run of `config` with the journals `more` beside the ones that every run has.
    pub(crate) fn new(config: &RunConfig, more: &[&str]) -> Result<Self, RunsError> {
        Ok(Self {
            config: config.clone(),
            names: JournalNames::new(more)?,
        })
    }
}

/// What a checkpoint on disk holds: the run, and the journals as they were then.
pub(crate) struct Kept {
    pub(crate) snapshot: Snapshot,
    pub(crate) journals: Vec<(String, Vec<u8>)>,
}

/// Writes a checkpoint of `owner` into the folder `home`, which must be there, and removes those that need not stay.
pub(crate) fn write(
    home: &Path,
    snapshot: &Snapshot,
    journals: &[(String, Vec<u8>)],
    keep: Keep,
    owner: &Owner,
) -> Result<(), TrainError> {
    let Owner { config, names } = owner;
    let step = snapshot.step;
    let folder = home.join(name(step));
    if !files::is_folder(home)? {
        return Err(RunsError::Missing {
            path: home.to_owned(),
        }
        .into());
    }
    let temporary = files::temporary_folder(home)?;
    let journals = journals
        .iter()
        .map(|(name, content)| (name.as_str(), content));
    let lens = snapshot.lens.iter().map(|content| (LENS, content));
    let contents = FILES.into_iter().zip(&snapshot.contents).chain(lens);
    let contents = contents.chain(journals);
    let file = temporary.path().join(MANIFEST);
    let unwritten = |source| RunsError::file("write", &file)(io::Error::other(source));
    let mut listed = BTreeMap::new();
    for (name, content) in contents {
        write_file(&temporary.path().join(name), content)?;
        listed.insert(name.to_owned(), Digest::of(content));
    }
    let manifest = Manifest {
        format: FORMAT,
        gradual: env!("CARGO_PKG_VERSION").to_owned(),
        step,
        mean_accuracy: snapshot.mean_accuracy,
        run: serde_json::from_str(&config.to_line()?).map_err(unwritten)?,
        files: listed,
    };
    let line = serde_json::to_string(&manifest).map_err(unwritten)?;
    let text = format!("{line}\n{:08x}\n", crc32fast::hash(line.as_bytes()));
    write_file(&file, text.as_bytes())?;
    sync_folder(temporary.path())?;
    // A checkpoint of this step may be there: written, but not yet known of when the run was killed.
    if fs::symlink_metadata(&folder).is_ok() && !remove(home, &folder, names)? {
        set_aside(&folder)?;
    }
    fs::rename(temporary.path(), &folder).map_err(RunsError::file("rename", temporary.path()))?;
    let _ = temporary.keep();
    sync_folder(home)?;
    prune(home, step, keep, names)
}

/// The name of the folder of a checkpoint.
fn name(step: u64) -> String {
    format!("{PREFIX}{step:012}")
}

/// Reads the newest intact checkpoint of `owner` in `home`. Also says what is wrong with newer ones.
///
/// # Errors
///
/// A checkpoint, whichever, that is intact and of another run; all that is wrong, when there are checkpoints and none is
/// intact.
pub(crate) fn newest(home: &Path, owner: &Owner) -> Result<(Option<Kept>, Vec<String>), String> {
    let mut damaged = Vec::new();
    let mut more = 0_usize;
    let folders = list(home).map_err(|error| error.to_string())?;
    for (step, folder) in &folders {
        check_owner(folder, &owner.config).map_err(|other| format!("{}: {other}", name(*step)))?;
    }
    let mut kept = None;
    for (step, folder) in folders.into_iter().rev() {
        match read(&folder, step, &owner.names) {
            Ok(intact) => {
                kept = Some(intact);
                break;
            }
            Err(problem) if damaged.len() < MOST_NAMED => {
                damaged.push(format!("{}: {problem}", name(step)));
            }
            Err(_) => more += 1,
        }
    }
    if more > 0 {
        damaged.push(format!("{more} more are damaged"));
    }
    match (kept, damaged.is_empty()) {
        (None, false) => Err(damaged.join("; ")),
        (kept, _) => Ok((kept, damaged)),
    }
}

/// Refuses a checkpoint of another run. One that is damaged, or from before manifests said whose they are, passes.
fn check_owner(folder: &Path, config: &RunConfig) -> Result<(), String> {
    let run = match (files::is_folder(folder), manifest(folder)) {
        (Ok(true), Ok(manifest)) if !manifest.run.is_null() => manifest.run,
        _ => return Ok(()),
    };
    let differences = config
        .differences_from(&run.to_string())
        .map_err(|error| format!("{MANIFEST} does not say which run it is of: {error}"))?;
    match differences.as_slice() {
        [] => Ok(()),
        differences => {
            let each: Vec<String> = differences.iter().map(ToString::to_string).collect();
            Err(format!(
                "it is of another run ({}); put back the checkpoints of this one",
                each.join(", ")
            ))
        }
    }
}

/// Checkpoints by step, oldest first, links of such a name among them. Without a folder there are none.
fn list(home: &Path) -> Result<Vec<(u64, PathBuf)>, RunsError> {
    if !files::is_folder(home)? {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for path in files::entries(home)? {
        let step = path.file_name().and_then(|each| {
            let each = each.to_str()?;
            let step = each.strip_prefix(PREFIX)?.parse().ok()?;
            (name(step) == each).then_some(step)
        });
        if let Some(step) = step
            && !is_foreign(&path)
        {
            found.push((step, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a folder holds files, and none of a checkpoint: what a user put into one stays when it is removed.
fn is_foreign(folder: &Path) -> bool {
    let Ok(true) = files::is_folder(folder) else {
        return false;
    };
    let held = files::entries(folder).unwrap_or_default();
    let ours = |path: &PathBuf| {
        let mut names = FILES.into_iter().chain([LENS, MANIFEST]);
        names.any(|name| path.ends_with(name))
    };
    !held.is_empty() && !held.iter().any(ours)
}

/// The manifest of a checkpoint, if the checkpoint is intact.
fn manifest(folder: &Path) -> Result<Manifest, String> {
    let text = files::text(&folder.join(MANIFEST))
        .map_err(|source| format!("{MANIFEST} can't be read: {source}"))?;
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    let sum = lines.next().unwrap_or_default();
    if sum != format!("{:08x}", crc32fast::hash(line.as_bytes())) {
        return Err(format!("{MANIFEST} is damaged"));
    }
    // The version comes first: another one may have other fields.
    let value: serde_json::Value =
        serde_json::from_str(line).map_err(|source| format!("{MANIFEST}: {source}"))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format == u64::from(FORMAT) => {}
        Some(format) => {
            return Err(format!(
                "it is of format {format}, this version reads format {FORMAT}"
            ));
        }
        None => return Err(format!("{MANIFEST} names no format")),
    }
    let manifest: Manifest =
        serde_json::from_value(value).map_err(|source| format!("{MANIFEST}: {source}"))?;
    let known = |name: &str| FILES.contains(&name) || name == LENS || is_journal_name(name);
    match manifest.files.keys().find(|name| !known(name)) {
        Some(name) => Err(format!(
            "{MANIFEST} names {}, which is no file of a checkpoint",
            shown(name)
        )),
        None => Ok(manifest),
    }
}

/// Reads a checkpoint. Journals that the run does not have are passed over: versions before this one kept copies of all
/// that lay in the run folder.
fn read(folder: &Path, step: u64, names: &JournalNames) -> Result<Kept, String> {
    let said = |error: RunsError| error.to_string();
    files::is_folder(folder).map_err(said)?;
    let manifest = manifest(folder)?;
    if manifest.step != step {
        return Err(format!("{MANIFEST} is of step {}", manifest.step));
    }
    let content = |name: &str| {
        let digest = manifest
            .files
            .get(name)
            .ok_or(format!("{name} is missing"))?;
        let path = folder.join(name);
        let unread = |source| format!("{name} can't be read: {source}");
        // Before anything is read: a file may be far longer than it was.
        let length = files::length(&path).map_err(unread)?;
        if length != digest.bytes {
            let then = digest.bytes;
            return Err(format!(
                "{name} is damaged: it has {length} bytes and had {then}"
            ));
        }
        let content = files::bytes(&path, digest.bytes).map_err(unread)?;
        match Digest::of(&content) == *digest {
            true => Ok(content),
            false => Err(format!("{name} is damaged")),
        }
    };
    let snapshot = Snapshot {
        step,
        mean_accuracy: manifest.mean_accuracy,
        folder: Some(folder.to_owned()),
        contents: [
            content(FILES[0])?,
            content(FILES[1])?,
            content(FILES[2])?,
            content(FILES[3])?,
        ],
        lens: match manifest.files.contains_key(LENS) {
            true => Some(content(LENS)?),
            false => None,
        },
    };
    // Checkpoints from before runs had this journal.
    let none = |name: &str| name == MEMBERS && !manifest.files.contains_key(name);
    let journals = names
        .journals()
        .map(|name| match none(name) {
            true => Ok((name.to_owned(), Vec::new())),
            false => Ok((name.to_owned(), content(name)?)),
        })
        .collect::<Result<Vec<_>, String>>()?;
    let curves: Lines<Evaluation> = Lines::read(&folder.join(CURVES), true).map_err(said)?;
    match curves.records.last() {
        Some(last) if last.step > step => Err(format!(
            "{CURVES} holds an evaluation of step {}, after the checkpoint",
            last.step
        )),
        _ => Ok(Kept { snapshot, journals }),
    }
}

/// Removes the checkpoints that need not stay, once that of `step` is written.
///
/// Later ones are damaged, or the run would have resumed from them. They must not count as its newest; those of them that
/// the run comes to are written anew.
fn prune(home: &Path, step: u64, keep: Keep, names: &JournalNames) -> Result<(), TrainError> {
    let mut listed = list(home)?;
    listed.retain(|(at, folder)| *at <= step && matches!(files::is_folder(folder), Ok(true)));
    let older = listed.len().saturating_sub(keep.last.max(1));
    let mut best: Option<(f64, &Path)> = None;
    if keep.best {
        for (_, folder) in &listed {
            // One that can't be read is not the best.
            let accuracy = manifest(folder).ok().and_then(|each| each.mean_accuracy);
            if let Some(accuracy) = accuracy
                && best.is_none_or(|(most, _)| accuracy > most)
            {
                best = Some((accuracy, folder));
            }
        }
    }
    for (_, folder) in listed.iter().take(older) {
        if best.is_none_or(|(_, best)| best != folder) {
            remove(home, folder, names)?;
        }
    }
    Ok(())
}

/// Removes a checkpoint, first from its name, so that no reader takes what is left for one. Where it is a link, or holds
/// anything that is not of a checkpoint, it stays as it is.
fn remove(home: &Path, folder: &Path, names: &JournalNames) -> Result<bool, TrainError> {
    let (Ok(true), Some(name)) = (files::is_folder(folder), folder.file_name()) else {
        return Ok(false);
    };
    let listed = manifest(folder).map(|manifest| manifest.files);
    let listed = listed.unwrap_or_default();
    let ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| {
            name == MANIFEST
                || FILES.contains(&name)
                || name == LENS
                || names.journals().any(|each| each == name)
                || listed.contains_key(name)
        }) && matches!(files::is_file(path), Ok(true))
    };
    if !files::entries(folder)?.iter().all(ours) {
        return Ok(false);
    }
    let going = files::temporary_folder(home)?;
    fs::rename(folder, going.path().join(name)).map_err(RunsError::file("rename", folder))?;
    let path = going.path().to_owned();
    going.close().map_err(RunsError::file("remove", &path))?;
    Ok(true)
}

/// Gives a folder with a user's files in it, or whatever else has the name of a checkpoint, one that no checkpoint has:
/// `step-000000000020-kept-1`.
fn set_aside(folder: &Path) -> Result<(), RunsError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let free = (1..u32::MAX)
        .map(|number| folder.with_file_name(format!("{name}-kept-{number}")))
        .find(|path| fs::symlink_metadata(path).is_err());
    let Some(free) = free else {
        return Ok(());
    };
    fs::rename(folder, free).map_err(RunsError::file("rename", folder))
}

fn write_file(path: &Path, content: &[u8]) -> Result<(), RunsError> {
    write_new(path, content).map_err(RunsError::file("write", path))
}

/// Synchronises the names in a folder to disk, where the system can.
fn sync_folder(path: &Path) -> Result<(), RunsError> {
    if cfg!(unix) {
        File::open(path)
            .and_then(|folder| folder.sync_all())
            .map_err(RunsError::file("sync", path))?;
    }
    Ok(())
}
