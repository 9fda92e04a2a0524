//! The folder of one run.
//!
//! ```text
//! runs/<experiment>/<arm>/seed-<s>/
//!     config.json  environment.json  curves.jsonl  groups.jsonl  timing.jsonl  checkpoints/  DONE
//! ```
//!
//! Journals (`*.jsonl`) grow line by line. A checkpoint holds a copy of them, and a run that is
//! resumed starts from these copies: whatever was written after the checkpoint is written again.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use gradual_measure::{Evaluation, Grouping, Record, RunConfig, SCHEMA, Timing};
use serde_json::{Value, json};

use crate::checkpoint::{self, Keep, Kept};
use crate::observer::{Flow, GO_ON};
use crate::{End, Observer, Snapshot, TrainError};

const CONFIG: &str = "config.json";
const ENVIRONMENT: &str = "environment.json";
const CURVES: &str = "curves.jsonl";
const GROUPS: &str = "groups.jsonl";
const TIMING: &str = "timing.jsonl";
const CHECKPOINTS: &str = "checkpoints";
const DONE: &str = "DONE";
const LOCK: &str = ".lock";

/// What a run folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderState {
    /// Nothing yet.
    Empty,
    /// A run that did not end.
    Unfinished,
    /// A finished run.
    Done,
}

/// Writes a run down, line by line, and keeps its checkpoints. No other process can write into the
/// folder as long as this lives.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    curves: Journal,
    groups: Journal,
    timing: Journal,
    every: Option<u64>,
    keep: Keep,
    skipped: u64,
    /// Held, not read: the lock goes when it is closed.
    _lock: File,
}

/// A file of a run folder that grows by whole lines; checkpoints hold a copy of it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

/// A folder with what it takes to go on with its run.
#[derive(Debug)]
pub struct Resumed {
    /// The folder, as it was at the snapshot.
    pub folder: RunFolder,
    /// Where the run goes on; none where it starts.
    pub snapshot: Option<Snapshot>,
    /// What is wrong with newer checkpoints, which could not be used.
    pub damaged: Vec<String>,
}

impl RunFolder {
    /// What the folder at `path` holds, if its configuration is `config`.
    ///
    /// # Errors
    ///
    /// [`TrainError::Configuration`] naming the entries that differ when it holds another run, and
    /// [`TrainError::Measure`] when its configuration can't be read.
    pub fn state(path: &Path, config: &RunConfig) -> Result<FolderState, TrainError> {
        let file = path.join(CONFIG);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Self::without_configuration(path);
            }
            Err(source) => return Err(failed("read", &file, source)),
        };
        let held = RunConfig::from_line(&text)?;
        if held != *config {
            let [held, asked] = [&held, config].map(serde_json::to_value);
            let difference = match (held, asked) {
                (Ok(held), Ok(asked)) => difference("", &held, &asked).join(", "),
                _ => String::from("unreadable"),
            };
            return Err(TrainError::Configuration {
                path: path.to_owned(),
                difference,
            });
        }
        match path.join(DONE).exists() {
            true => Ok(FolderState::Done),
            false => Ok(FolderState::Unfinished),
        }
    }

    /// The configuration is written before anything else: a folder that holds a run and no
    /// configuration has lost it.
    fn without_configuration(path: &Path) -> Result<FolderState, TrainError> {
        let lost = [DONE, CHECKPOINTS].into_iter();
        match lost.map(|name| path.join(name)).find(|file| file.exists()) {
            None => Ok(FolderState::Empty),
            Some(file) => Err(TrainError::Checkpoint {
                path: path.to_owned(),
                problem: format!("{} is there, but {CONFIG} is missing", file.display()),
            }),
        }
    }

    /// Starts the run of `config` over at `path`; what the folder held of a run is removed.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] naming the file that could not be written, [`TrainError::Locked`] when
    /// another run writes into the folder.
    pub fn create(
        path: &Path,
        config: &RunConfig,
        environment: &Value,
    ) -> Result<Self, TrainError> {
        fs::create_dir_all(path).map_err(|source| failed("create", path, source))?;
        let lock = lock(path)?;
        let gone = |result: io::Result<()>, file: &Path| match result {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(failed("remove", file, source))
            }
            _ => Ok(()),
        };
        // The mark goes first and the configuration last, so that no moment looks like another run.
        let done = path.join(DONE);
        gone(fs::remove_file(&done), &done)?;
        let checkpoints = path.join(CHECKPOINTS);
        gone(fs::remove_dir_all(&checkpoints), &checkpoints)?;
        for journal in journals(path)? {
            gone(fs::remove_file(&journal), &journal)?;
        }
        let old = path.join(CONFIG);
        gone(fs::remove_file(&old), &old)?;

        replace(path, CONFIG, &(config.to_line()? + "\n"))?;
        replace(path, ENVIRONMENT, format!("{environment:#}\n"))?;
        fs::create_dir(&checkpoints).map_err(|source| failed("create", &checkpoints, source))?;
        Self::open(path, lock)
    }

    /// Goes on with the run of `config` at `path`, from its newest checkpoint that is whole. Journals
    /// are put back to what they were then. A run that has no checkpoint yet starts.
    ///
    /// # Errors
    ///
    /// Those of [`state`](Self::state) and [`create`](Self::create), and [`TrainError::Checkpoint`]
    /// when the run has come past a checkpoint and none can be used: it is never started over without
    /// being told to.
    pub fn resume(
        path: &Path,
        config: &RunConfig,
        environment: &Value,
    ) -> Result<Resumed, TrainError> {
        let fresh = || {
            Ok(Resumed {
                folder: Self::create(path, config, environment)?,
                snapshot: None,
                damaged: Vec::new(),
            })
        };
        if Self::state(path, config)? == FolderState::Empty {
            return fresh();
        }
        let lock = lock(path)?;
        let home = path.join(CHECKPOINTS);
        let refused = |problem: String| TrainError::Checkpoint {
            path: path.to_owned(),
            problem,
        };
        let (kept, damaged) = checkpoint::newest(&home).map_err(refused)?;
        let Some(Kept { snapshot, journals }) = kept else {
            // The first checkpoint comes right after the first evaluation: without it nothing is lost.
            let curves = fs::read(path.join(CURVES)).unwrap_or_default();
            if curves.iter().filter(|&&byte| byte == b'\n').count() > 1 {
                return Err(refused(String::from(
                    "the run has begun, but there is none",
                )));
            }
            drop(lock);
            return fresh();
        };
        checkpoint::sweep(&home)?;
        let names: Vec<&str> = journals.iter().map(|(name, _)| name.as_str()).collect();
        for journal in self::journals(path)? {
            let name = journal.file_name().unwrap_or_default().to_string_lossy();
            if !names.contains(&name.as_ref()) {
                fs::remove_file(&journal).map_err(|source| failed("remove", &journal, source))?;
            }
        }
        for (name, content) in &journals {
            replace(path, name, content)?;
        }
        replace(path, ENVIRONMENT, format!("{environment:#}\n"))?;
        Ok(Resumed {
            folder: Self::open(path, lock)?,
            snapshot: Some(snapshot),
            damaged,
        })
    }

    fn open(path: &Path, lock: File) -> Result<Self, TrainError> {
        let open = |name| Journal::open(path, name);
        Ok(Self {
            curves: open(CURVES)?,
            groups: open(GROUPS)?,
            timing: open(TIMING)?,
            path: path.to_owned(),
            every: None,
            keep: Keep::default(),
            skipped: 0,
            _lock: lock,
        })
    }

    /// Keeps a checkpoint every `every` steps, and one at the start, at the end and when the run is
    /// interrupted. Without this none is kept, and a run that is killed starts over.
    #[must_use]
    pub fn with_checkpoints(self, every: u64, keep: Keep) -> Self {
        Self {
            every: Some(every.max(1)),
            keep,
            ..self
        }
    }

    /// Another journal called `name` (ending in `.jsonl`), whose lines stop and go on with the run.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`] when it can't be opened.
    pub fn journal(&self, name: &str) -> Result<Journal, TrainError> {
        Journal::open(&self.path, name)
    }
}

impl Journal {
    fn open(folder: &Path, name: &str) -> Result<Self, TrainError> {
        let path = folder.join(name);
        let file = OpenOptions::new().append(true).create(true).open(&path);
        Ok(Self {
            file: file.map_err(|source| failed("open", &path, source))?,
            path,
        })
    }

    /// Adds a line. One that can't be written as a whole is not there at all.
    ///
    /// # Errors
    ///
    /// [`TrainError::File`], also when somebody removed the file.
    pub fn append(&mut self, line: String) -> Result<(), TrainError> {
        let path = &self.path;
        // A file that was removed would swallow the line.
        let before = fs::metadata(path).map_err(|source| failed("find", path, source))?;
        let written = self.file.write_all((line + "\n").as_bytes());
        written.map_err(|source| {
            // What is left of the line would be torn; if that fails too, a checkpoint mends it.
            let _ = self.file.set_len(before.len());
            failed("write", path, source)
        })
    }
}

impl Observer for RunFolder {
    fn name(&self) -> &'static str {
        "run folder"
    }

    fn stepped(&mut self, seen: &crate::SeenStep<'_>) -> Result<Flow, TrainError> {
        self.skipped += u64::from(seen.groups.is_none());
        Ok(GO_ON)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        self.curves.append(evaluation.to_line()?)?;
        let timing = Timing {
            schema: SCHEMA,
            step: evaluation.step,
            seconds,
        };
        self.timing.append(timing.to_line()?)?;
        Ok(GO_ON)
    }

    fn grouped(&mut self, grouping: &Grouping) -> Result<Flow, TrainError> {
        self.groups.append(grouping.to_line()?)?;
        Ok(GO_ON)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        self.every
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        if self.every.is_none() {
            return Ok(());
        }
        let copies = journals(&self.path)?.into_iter().map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let content = fs::read(&path).map_err(|source| failed("read", &path, source))?;
            Ok((name.into_owned(), content))
        });
        let copies = copies.collect::<Result<Vec<_>, TrainError>>()?;
        checkpoint::write(&self.path.join(CHECKPOINTS), snapshot, &copies, self.keep)
    }

    /// Marks the run as done, with how it ended.
    fn ended(&mut self, end: &End) -> Result<(), TrainError> {
        let (how, why) = match end {
            End::Completed => ("completed", None),
            End::Stopped(reason) => ("stopped", Some(reason)),
            End::Interrupted => return Ok(()),
        };
        for journal in [&self.curves, &self.groups, &self.timing] {
            let synced = journal.file.sync_all();
            synced.map_err(|source| failed("sync", &journal.path, source))?;
        }
        let mark = json!({"end": how, "reason": why, "skipped_steps": self.skipped});
        replace(&self.path, DONE, format!("{mark}\n"))
    }

    fn state(&self) -> Result<gradual_group::State, TrainError> {
        Ok(gradual_group::State::of(self.name(), &self.skipped)?)
    }

    fn restore(&mut self, state: &gradual_group::State) -> Result<(), TrainError> {
        self.skipped = state.read(self.name())?;
        Ok(())
    }
}

/// Takes the folder for this run alone.
fn lock(path: &Path) -> Result<File, TrainError> {
    let file = path.join(LOCK);
    let lock = File::create(&file).map_err(|source| failed("create", &file, source))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(TrainError::Locked {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(failed("lock", &file, source)),
    }
}

/// The journals in a folder, by name.
fn journals(path: &Path) -> Result<Vec<PathBuf>, TrainError> {
    let listed = |source| failed("list", path, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(path).map_err(listed)? {
        let file = entry.map_err(listed)?.path();
        if file.extension().is_some_and(|ending| ending == "jsonl") {
            found.push(file);
        }
    }
    found.sort();
    Ok(found)
}

/// Writes a whole file under a temporary name, brings it to disk and renames it.
fn replace(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> Result<(), TrainError> {
    let (file, temporary) = (folder.join(name), folder.join(format!("{name}.tmp")));
    File::create(&temporary)
        .and_then(|mut open| {
            open.write_all(content.as_ref())?;
            open.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, &file))
        .map_err(|source| failed("write", &file, source))
}

pub(crate) fn failed(operation: &'static str, path: &Path, source: io::Error) -> TrainError {
    TrainError::File {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// The entries in which two values differ, as `path: held → asked`.
fn difference(path: &str, held: &Value, asked: &Value) -> Vec<String> {
    let (Value::Object(held), Value::Object(asked)) = (held, asked) else {
        return match held == asked {
            true => Vec::new(),
            false => vec![format!("{path}: {held} there, {asked} asked for")],
        };
    };
    let mut keys: Vec<&String> = held.keys().chain(asked.keys()).collect();
    keys.sort();
    keys.dedup();
    let entry = |map: &serde_json::Map<String, Value>, key: &String| {
        map.get(key).cloned().unwrap_or(Value::Null)
    };
    let child = |key: &String| {
        if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        }
    };
    keys.into_iter()
        .flat_map(|key| difference(&child(key), &entry(held, key), &entry(asked, key)))
        .collect()
}
