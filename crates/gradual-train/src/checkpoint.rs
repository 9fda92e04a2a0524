//! Checkpoints on disk.
//!
//! ```text
//! checkpoints/step-000001200/
//!     manifest.json  model.bpk  optimizer.bpk  rate.bpk  state.cbor  curves.jsonl  …
//! ```
//!
//! A checkpoint is written into a folder with a temporary name, every file synchronised to disk, and the folder then
//! renamed: it is there as a whole or not at all. The manifest names every file with its
//! length and CRC-32, and its own CRC-32 stands on a line of its own, so that a file that was cut,
//! changed or lost is found before anything is read from it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use gradual_runs::RunsError;
use gradual_runs::files::write_new;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::snapshot::{FILES, Snapshot};

/// Version of this format.
const FORMAT: u32 = 1;
const MANIFEST: &str = "manifest.json";
const PREFIX: &str = "step-";
const TEMPORARY: &str = ".writing-";
const REMOVING: &str = ".removing-";

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
    files: BTreeMap<String, Entry>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    bytes: u64,
    crc32: u32,
}

impl Entry {
    fn of(content: &[u8]) -> Self {
        Self {
            bytes: content.len() as u64,
            crc32: crc32fast::hash(content),
        }
    }
}

/// What a checkpoint on disk holds: the run, and the journals as they were then.
pub(crate) struct Kept {
    pub(crate) snapshot: Snapshot,
    pub(crate) journals: Vec<(String, Vec<u8>)>,
}

/// Writes a checkpoint into the folder `home`, which must be there, and removes those that need not
/// stay.
pub(crate) fn write(
    home: &Path,
    snapshot: &Snapshot,
    journals: &[(String, Vec<u8>)],
    keep: Keep,
) -> Result<(), TrainError> {
    let step = snapshot.step;
    let (folder, temporary) = (
        home.join(format!("{PREFIX}{step:012}")),
        home.join(format!("{TEMPORARY}{step:012}")),
    );
    remove(&temporary)?;
    fs::create_dir(&temporary).map_err(RunsError::file("create", &temporary))?;
    let journals = journals
        .iter()
        .map(|(name, content)| (name.as_str(), content));
    let contents = FILES.into_iter().zip(&snapshot.contents).chain(journals);
    let mut files = BTreeMap::new();
    for (name, content) in contents {
        write_file(&temporary.join(name), content)?;
        files.insert(name.to_owned(), Entry::of(content));
    }
    let manifest = Manifest {
        format: FORMAT,
        gradual: env!("CARGO_PKG_VERSION").to_owned(),
        step,
        mean_accuracy: snapshot.mean_accuracy,
        files,
    };
    let file = temporary.join(MANIFEST);
    let line = serde_json::to_string(&manifest)
        .map_err(|source| RunsError::file("write", &file)(io::Error::other(source)))?;
    let text = format!("{line}\n{:08x}\n", crc32fast::hash(line.as_bytes()));
    write_file(&file, text.as_bytes())?;
    sync_folder(&temporary)?;
    // A checkpoint of this step may be there: written, but not yet known of when the run was killed.
    remove(&folder)?;
    fs::rename(&temporary, &folder).map_err(RunsError::file("rename", &temporary))?;
    sync_folder(home)?;
    prune(home, keep)
}

/// Reads the newest intact checkpoint in `home`. Also says what is wrong with newer ones.
///
/// # Errors
///
/// All that is wrong, when there are checkpoints and none is intact.
pub(crate) fn newest(home: &Path) -> Result<(Option<Kept>, Vec<String>), String> {
    let mut damaged = Vec::new();
    let folders = list(home).map_err(|source| format!("{}: {source}", home.display()))?;
    for (step, folder) in folders.into_iter().rev() {
        match read(&folder, step) {
            Ok(kept) => return Ok((Some(kept), damaged)),
            Err(problem) => damaged.push(format!("{PREFIX}{step:012}: {problem}")),
        }
    }
    match damaged.is_empty() {
        true => Ok((None, damaged)),
        false => Err(damaged.join("; ")),
    }
}

/// Checkpoints by step, oldest first. Without a folder there are none.
fn list(home: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let entries = match fs::read_dir(home) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let step = name
            .to_str()
            .and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        if let Some(step) = step {
            found.push((step, entry.path()));
        }
    }
    found.sort();
    Ok(found)
}

/// The manifest of a checkpoint, if the checkpoint is intact.
fn manifest(folder: &Path) -> Result<Manifest, String> {
    let text = fs::read_to_string(folder.join(MANIFEST))
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
    serde_json::from_value(value).map_err(|source| format!("{MANIFEST}: {source}"))
}

fn read(folder: &Path, step: u64) -> Result<Kept, String> {
    let manifest = manifest(folder)?;
    if manifest.step != step {
        return Err(format!("{MANIFEST} is of step {}", manifest.step));
    }
    let mut contents = BTreeMap::new();
    for (name, entry) in manifest.files {
        let content = fs::read(folder.join(&name))
            .map_err(|source| format!("{name} can't be read: {source}"))?;
        if Entry::of(&content) != entry {
            return Err(format!("{name} is damaged"));
        }
        contents.insert(name, content);
    }
    let mut take = |name: &str| contents.remove(name).ok_or(format!("{name} is missing"));
    let snapshot = Snapshot {
        step,
        mean_accuracy: manifest.mean_accuracy,
        contents: [
            take(FILES[0])?,
            take(FILES[1])?,
            take(FILES[2])?,
            take(FILES[3])?,
        ],
    };
    Ok(Kept {
        snapshot,
        journals: contents.into_iter().collect(),
    })
}

/// Removes the checkpoints that need not stay.
fn prune(home: &Path, keep: Keep) -> Result<(), TrainError> {
    let listed = list(home).map_err(RunsError::file("list", home))?;
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
            remove(folder)?;
        }
    }
    Ok(())
}

/// Removes what writing or removing a checkpoint left when it was cut short.
pub(crate) fn sweep(home: &Path) -> Result<(), TrainError> {
    let entries = match fs::read_dir(home) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(RunsError::file("list", home))?,
    };
    for entry in entries {
        let entry = entry.map_err(RunsError::file("list", home))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(TEMPORARY) || name.starts_with(REMOVING) {
            let path = entry.path();
            fs::remove_dir_all(&path).map_err(RunsError::file("remove", &path))?;
        }
    }
    Ok(())
}

/// Removes a folder, if it is there, under a name that no reader takes for a checkpoint.
fn remove(folder: &Path) -> Result<(), TrainError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let going = folder.with_file_name(format!("{REMOVING}{name}"));
    match fs::rename(folder, &going) {
        Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(()),
        result => result.map_err(RunsError::file("rename", folder))?,
    }
    Ok(fs::remove_dir_all(&going).map_err(RunsError::file("remove", &going))?)
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
