//! The folder of one run.
//!
//! ```text
//! runs/<experiment>/<arm>/seed-<s>/
//!     config.json  environment.json  curves.jsonl  groups.jsonl  timing.jsonl  checkpoints/  DONE
//! ```
//!
//! Journals (`*.jsonl`) grow line by line. A checkpoint holds a copy of them, and a run that is
//! resumed starts from these copies: whatever was written after the checkpoint is written again.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use gradual_runs::files::{
    CHECKPOINTS, CONFIG, CURVES, DONE, ENVIRONMENT, GROUPS, TIMING, journals, replace,
};
use gradual_runs::{
    Evaluation, FolderLock, GroupingRecord, Journal, Record, RunConfig, RunsError, SCHEMA, Timing,
};
use serde_json::{Value, json};

use crate::checkpoint::{self, Keep, Kept};
use crate::error::TrainError;
use crate::observer::{CONTINUE, End, Flow, Observer, SeenStep};
use crate::snapshot::Snapshot;

/// What a run folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderState {
    /// Nothing yet.
    Empty,
    /// A run that did not end.
    Unfinished,
    /// A finished run.
    Done,
    /// A run that another writer is at work on; what it holds will change.
    Locked,
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
    /// Held as long as this lives.
    _lock: FolderLock,
}

/// A folder with what is needed to resume its run.
#[derive(Debug)]
pub struct Resumed {
    /// The folder, as it was at the snapshot.
    pub folder: RunFolder,
    /// Where the run resumes; none where it starts.
    pub snapshot: Option<Snapshot>,
    /// What is wrong with newer checkpoints, which could not be used.
    pub damaged: Vec<String>,
}

impl RunFolder {
    /// What the folder at `path` holds, if its configuration is `config`. A folder that another writer holds is not
    /// looked into: what is read of a run that is being written may be of two moments.
    ///
    /// # Errors
    ///
    /// [`RunsError::Configuration`] naming the entries that differ when it holds another run, [`RunsError::Outdated`]
    /// when its configuration is from before recipes were in it, and others when it can't be read.
    pub fn state(path: &Path, config: &RunConfig) -> Result<FolderState, TrainError> {
        if !path.exists() {
            return Ok(FolderState::Empty);
        }
        match FolderLock::take(path) {
            Ok(lock) => Self::locked_state(&lock, path, config),
            Err(RunsError::Locked { .. }) => Ok(FolderState::Locked),
            Err(error) => Err(error.into()),
        }
    }

    /// [`state`](Self::state) of a folder that the caller has locked.
    fn locked_state(
        _: &FolderLock,
        path: &Path,
        config: &RunConfig,
    ) -> Result<FolderState, TrainError> {
        let file = path.join(CONFIG);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Self::without_configuration(path);
            }
            Err(source) => return Err(RunsError::file("read", &file)(source).into()),
        };
        config.check_same_run(&text, path)?;
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
    /// [`RunsError::Locked`] when another run writes into the folder, [`RunsError::File`] naming the file that could
    /// not be written.
    pub fn create(
        path: &Path,
        config: &RunConfig,
        environment: &Value,
    ) -> Result<Self, TrainError> {
        Self::start(Self::take(path)?, path, config, environment)
    }

    /// Makes the folder where there is none, and locks it.
    fn take(path: &Path) -> Result<FolderLock, RunsError> {
        fs::create_dir_all(path).map_err(RunsError::file("create", path))?;
        FolderLock::take(path)
    }

    fn start(
        lock: FolderLock,
        path: &Path,
        config: &RunConfig,
        environment: &Value,
    ) -> Result<Self, TrainError> {
        let gone = |result: io::Result<()>, file: &Path| match result {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(RunsError::file("remove", file)(source))
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

        replace(&old, config.to_line()? + "\n")?;
        replace(&path.join(ENVIRONMENT), format!("{environment:#}\n"))?;
        fs::create_dir(&checkpoints).map_err(RunsError::file("create", &checkpoints))?;
        Self::open(path, lock)
    }

    /// Resumes the run of `config` at `path` from its newest checkpoint that is whole. Journals are put back to what
    /// they were then. A run that has no checkpoint yet starts. Everything is read and written under the folder's lock.
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
        let lock = Self::take(path)?;
        let fresh = |lock| {
            Ok(Resumed {
                folder: Self::start(lock, path, config, environment)?,
                snapshot: None,
                damaged: Vec::new(),
            })
        };
        if Self::locked_state(&lock, path, config)? == FolderState::Empty {
            return fresh(lock);
        }
        let home = path.join(CHECKPOINTS);
        let refused = |problem: String| TrainError::Checkpoint {
            path: path.to_owned(),
            problem,
        };
        let (kept, damaged) = checkpoint::newest(&home).map_err(refused)?;
        let Some(Kept {
            snapshot,
            journals: copies,
        }) = kept
        else {
            // The first checkpoint comes right after the first evaluation: without it nothing is lost.
            let curves = fs::read(path.join(CURVES)).unwrap_or_default();
            if curves.iter().filter(|&&byte| byte == b'\n').count() > 1 {
                return Err(refused(String::from(
                    "the run has begun, but there is none",
                )));
            }
            return fresh(lock);
        };
        checkpoint::sweep(&home)?;
        let names: Vec<&str> = copies.iter().map(|(name, _)| name.as_str()).collect();
        for journal in journals(path)? {
            let name = journal.file_name().unwrap_or_default().to_string_lossy();
            if !names.contains(&name.as_ref()) {
                fs::remove_file(&journal).map_err(RunsError::file("remove", &journal))?;
            }
        }
        for (name, content) in &copies {
            replace(&path.join(name), content)?;
        }
        replace(&path.join(ENVIRONMENT), format!("{environment:#}\n"))?;
        Ok(Resumed {
            folder: Self::open(path, lock)?,
            snapshot: Some(snapshot),
            damaged,
        })
    }

    fn open(path: &Path, lock: FolderLock) -> Result<Self, TrainError> {
        let open = |name| Journal::open(&path.join(name));
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

    /// Another journal called `name` (ending in `.jsonl`), whose lines are restored when the run resumes.
    ///
    /// # Errors
    ///
    /// [`RunsError::File`] when it can't be opened.
    pub fn journal(&self, name: &str) -> Result<Journal, RunsError> {
        Journal::open(&self.path.join(name))
    }
}

impl Observer for RunFolder {
    fn name(&self) -> &'static str {
        "run folder"
    }

    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.skipped += u64::from(seen.groups.is_none());
        Ok(CONTINUE)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        self.curves.append(evaluation.to_line()?)?;
        let timing = Timing {
            schema: SCHEMA,
            step: evaluation.step,
            seconds,
        };
        self.timing.append(timing.to_line()?)?;
        Ok(CONTINUE)
    }

    fn grouped(&mut self, grouping: &GroupingRecord) -> Result<Flow, TrainError> {
        self.groups.append(grouping.to_line()?)?;
        Ok(CONTINUE)
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
            let content = fs::read(&path).map_err(RunsError::file("read", &path))?;
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
            journal.sync()?;
        }
        let mark = json!({"end": how, "reason": why, "skipped_steps": self.skipped});
        Ok(replace(&self.path.join(DONE), format!("{mark}\n"))?)
    }

    fn state(&self) -> Result<gradual_group::State, TrainError> {
        Ok(gradual_group::State::new(self.name(), &self.skipped)?)
    }

    fn restore(&mut self, state: &gradual_group::State) -> Result<(), TrainError> {
        self.skipped = state.read(self.name())?;
        Ok(())
    }
}
