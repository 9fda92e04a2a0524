//! The folder of one run.
//!
//! ```text
//! runs/<experiment>/<arm>/seed-<s>/
//!     config.json  environment.json  curves.jsonl  groups.jsonl  timing.jsonl  checkpoints/  DONE
//! ```
//!
//! Journals grow line by line. A checkpoint holds a copy of them, and a run that is resumed starts from these copies:
//! whatever was written after the checkpoint is written again. Nothing but these files, and the journals that a program
//! names itself, is read, written or removed.

mod contents;
mod journals;

use std::fs;
use std::path::{Path, PathBuf};

use gradual_runs::files::{
    self, CHECKPOINTS, CONFIG, CURVES, DONE, ENVIRONMENT, GROUPS, LOOKS, MEMBERS, TIMING,
};
use gradual_runs::{
    Done, Evaluation, FolderLock, GroupingRecord, Journal, LooksRecord, MembersRecord, Record,
    RunConfig, RunEnd, RunsError, SCHEMA, Timing, process,
};
use serde_json::Value;

use crate::checkpoint::{self, Keep, Kept, Owner};
use crate::error::TrainError;
use crate::observer::{CONTINUE, End, Flow, Observer, SeenStep};
use crate::snapshot::Snapshot;
use contents::{first_of, first_of_run, is_there, lines_of_begun};
use journals::{Compared, Journals};

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
///
/// A run that [searches for a lens](crate::LensSearch) names [`LOOKS`] among the journals of its own.
#[derive(Debug)]
pub struct RunFolder {
    path: PathBuf,
    journals: Journals,
    owner: Owner,
    every: Option<u64>,
    keep: Keep,
    skipped: u64,
    /// The evaluation that the next one has to follow.
    before: Option<Evaluation>,
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
    /// Which journals had lost lines of before the checkpoint. They are put back from the checkpoint.
    pub mended: Vec<String>,
}

impl From<RunFolder> for Resumed {
    /// A run at its start.
    fn from(folder: RunFolder) -> Self {
        Self {
            folder,
            snapshot: None,
            damaged: Vec::new(),
            mended: Vec::new(),
        }
    }
}

impl RunFolder {
    /// What the folder at `path` holds, if its configuration is `config`. A folder that another writer holds is not
    /// looked into: what is read of a run that is being written may be of two moments.
    ///
    /// # Errors
    ///
    /// [`RunsError::Configuration`] naming the entries that differ when it holds another run, [`RunsError::Outdated`]
    /// when its configuration is from before recipes were in it, [`RunsError::Unusable`] naming a file that can't be
    /// read, [`RunsError::Changed`] when it is finished and its journals are not what they were then, and the others of
    /// [`Done::check`], [`RunsError::Link`] when the folder or one of its files is a link.
    pub fn state(path: &Path, config: &RunConfig) -> Result<FolderState, TrainError> {
        if !is_there(path, config)? {
            return Ok(FolderState::Empty);
        }
        match FolderLock::look(path) {
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
        let unusable = |source| RunsError::Unusable {
            path: path.to_owned(),
            source: Box::new(source),
        };
        let held = match files::text(&path.join(CONFIG)) {
            Ok(text) => text,
            Err(RunsError::Missing { .. }) => {
                without_configuration(path, first_of(path, &[DONE, CHECKPOINTS])?)?;
                return Ok(FolderState::Empty);
            }
            Err(error) => return Err(unusable(error).into()),
        };
        match config.check_same_run(&held, path) {
            Err(error @ (RunsError::Read { .. } | RunsError::Schema { .. })) => {
                let source = Box::new(error);
                let path = path.join(CONFIG);
                return Err(unusable(RunsError::Unreadable { path, source }).into());
            }
            compared => compared?,
        }
        match Done::read(path).map_err(unusable)? {
            None => Ok(FolderState::Unfinished),
            Some(done) => {
                done.check(path, config)?;
                Ok(FolderState::Done)
            }
        }
    }

    /// Starts the run of `config` at `path`, where none is. `journals` are those that the program writes itself, beside
    /// the ones that every run has: see [`journal`](Self::journal).
    ///
    /// # Errors
    ///
    /// [`RunsError::Occupied`] when the folder holds a run: [move it aside](gradual_runs::aside()) first;
    /// [`RunsError::Locked`] when another run writes into the folder, [`RunsError::Journal`] for a name that no journal
    /// can have, [`RunsError::Link`] when the folder or one of its files is a link, [`RunsError::File`] naming the file
    /// that could not be written.
    pub fn create(
        path: &Path,
        config: &RunConfig,
        environment: &Value,
        journals: &[&str],
    ) -> Result<Self, TrainError> {
        let owner = Owner::new(config, journals)?;
        let lock = Self::take(path, config)?;
        if let Some(name) = first_of_run(path, &owner.names)? {
            return Err(RunsError::Occupied {
                path: path.to_owned(),
                name,
            }
            .into());
        }
        Self::start(lock, path, environment, owner)
    }

    /// Makes the folder where there is none, and locks it.
    fn take(path: &Path, config: &RunConfig) -> Result<FolderLock, RunsError> {
        if !is_there(path, config)? {
            fs::create_dir_all(path).map_err(RunsError::file("create", path))?;
        }
        FolderLock::take_soon(path)
    }

    fn start(
        lock: FolderLock,
        path: &Path,
        environment: &Value,
        owner: Owner,
    ) -> Result<Self, TrainError> {
        files::sweep(path)?;
        // The configuration goes first: what is there without one is not ours.
        files::replace(&path.join(CONFIG), owner.config.to_line()? + "\n")?;
        files::replace(&path.join(ENVIRONMENT), format!("{environment:#}\n"))?;
        let checkpoints = path.join(CHECKPOINTS);
        if !files::is_folder(&checkpoints)? {
            fs::create_dir(&checkpoints).map_err(RunsError::file("create", &checkpoints))?;
        }
        let empty = owner.names.journals().map(|name| (name, [].as_slice()));
        let journals = Journals::create(path, empty)?;
        Ok(Self::open(path, lock, owner, journals))
    }

    /// Resumes the run of `config` at `path` from its newest checkpoint that is whole. Journals are put back to what
    /// they were then; one that had lost its end before that is mended. A run that has no checkpoint yet starts. Everything is read and written under the folder's lock.
    /// `journals` are those that the program writes itself.
    ///
    /// # Errors
    ///
    /// Those of [`state`](Self::state) and [`create`](Self::create), and [`TrainError::Checkpoint`]
    /// when the run has come past a checkpoint and none can be used: it is never started over without
    /// being told to. The same when a checkpoint is of another run, or a journal holds other lines than the checkpoint's
    /// copy of it. Nothing was changed then.
    pub fn resume(
        path: &Path,
        config: &RunConfig,
        environment: &Value,
        journals: &[&str],
    ) -> Result<Resumed, TrainError> {
        let owner = Owner::new(config, journals)?;
        let lock = Self::take(path, config)?;
        let state = Self::locked_state(&lock, path, config)?;
        if state == FolderState::Empty {
            without_configuration(path, first_of_run(path, &owner.names)?)?;
            return Ok(Self::start(lock, path, environment, owner)?.into());
        }
        let home = path.join(CHECKPOINTS);
        let refused = |problem: String| TrainError::Checkpoint {
            path: path.to_owned(),
            problem,
        };
        let (kept, damaged) = checkpoint::newest(&home, &owner).map_err(refused)?;
        let Some(Kept {
            snapshot,
            journals: copies,
        }) = kept
        else {
            // The first checkpoint comes right after the first evaluation: without it nothing is lost.
            if state == FolderState::Done || lines_of_begun(path)? > 1 {
                let problem = String::from("the run has begun, but there is none");
                return Err(refused(problem));
            }
            return Ok(Self::start(lock, path, environment, owner)?.into());
        };
        let mut mended = Vec::new();
        for (name, content) in &copies {
            match journals::compare(path, name, content)? {
                Compared::Whole => {}
                Compared::Lost(lines) => mended.push(format!(
                    "{name} had lost {lines}, which are put back from the checkpoint of step {}",
                    snapshot.step
                )),
                Compared::Contradicts { line } => {
                    return Err(refused(format!(
                        "{name}: line {line} is another than in the copy that the checkpoint of step {} holds, so one \
                         of them was changed or is of another run; restore it",
                        snapshot.step
                    )));
                }
            }
        }
        files::sweep(path)?;
        files::sweep(&home)?;
        let copies = copies
            .iter()
            .map(|(name, content)| (name.as_str(), content.as_slice()));
        let journals = Journals::create(path, copies)?;
        files::replace(&path.join(ENVIRONMENT), format!("{environment:#}\n"))?;
        Ok(Resumed {
            folder: Self::open(path, lock, owner, journals),
            snapshot: Some(snapshot),
            damaged,
            mended,
        })
    }

    fn open(path: &Path, lock: FolderLock, owner: Owner, journals: Journals) -> Self {
        Self {
            journals,
            owner,
            path: path.to_owned(),
            every: None,
            keep: Keep::default(),
            skipped: 0,
            before: None,
            _lock: lock,
        }
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

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One of the journals that the run was started or resumed with. Its lines are put back when the run resumes, and
    /// checked once it is done.
    ///
    /// # Errors
    ///
    /// [`RunsError::Undeclared`] when it is none of these, [`RunsError::File`] when it can't be opened.
    pub fn journal(&self, name: &str) -> Result<Journal, RunsError> {
        self.journals.handle(name)
    }
}

/// The configuration is written before anything else: a folder that holds a file of a run and no configuration has lost
/// it, or the file is not ours.
fn without_configuration(path: &Path, found: Option<String>) -> Result<(), TrainError> {
    match found {
        None => Ok(()),
        Some(name) => Err(TrainError::Checkpoint {
            path: path.to_owned(),
            problem: format!("{name} is there, but {CONFIG} is missing"),
        }),
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

    /// What could not be read again is not written.
    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        evaluation.check(self.before.as_ref())?;
        self.journals.append(CURVES, evaluation.to_line()?)?;
        self.before = Some(evaluation.clone());
        let timing = Timing {
            schema: SCHEMA,
            step: evaluation.step,
            seconds,
            peak_memory: process::peak_memory(),
        };
        self.journals.append(TIMING, timing.to_line()?)?;
        Ok(CONTINUE)
    }

    fn grouped(&mut self, grouping: &GroupingRecord) -> Result<Flow, TrainError> {
        grouping.check(None)?;
        self.journals.append(GROUPS, grouping.to_line()?)?;
        Ok(CONTINUE)
    }

    fn members(&mut self, members: &MembersRecord) -> Result<Flow, TrainError> {
        members.check(None)?;
        self.journals.append(MEMBERS, members.to_line()?)?;
        Ok(CONTINUE)
    }

    fn looked(&mut self, looks: &LooksRecord) -> Result<(), TrainError> {
        looks.check(None)?;
        self.journals.append(LOOKS, looks.to_line()?)?;
        Ok(())
    }

    fn checkpoint_every(&self) -> Option<u64> {
        self.every
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        if self.every.is_none() {
            return Ok(());
        }
        let copies = self.owner.names.journals().map(|name| {
            let content = files::bytes(&self.path.join(name), u64::MAX)?;
            Ok((name.to_owned(), content))
        });
        let copies = copies.collect::<Result<Vec<_>, RunsError>>()?;
        let home = self.path.join(CHECKPOINTS);
        checkpoint::write(&home, snapshot, &copies, self.keep, &self.owner)
    }

    /// Marks the run as done, with how it ended and what its journals are.
    fn ended(&mut self, end: &End) -> Result<(), TrainError> {
        let (end, reason) = match end {
            End::Completed => (RunEnd::Completed, None),
            End::Stopped(reason) => (RunEnd::Stopped, Some(reason.clone())),
            End::Interrupted => return Ok(()),
        };
        let done = Done {
            end: Some(end),
            reason,
            skipped_steps: self.skipped,
            journals: Some(self.journals.digests(&self.path)?),
        };
        Ok(done.write(&self.path)?)
    }

    fn state(&self) -> Result<gradual_group::State, TrainError> {
        Ok(gradual_group::State::new(self.name(), &self.skipped)?)
    }

    fn restore(&mut self, state: &gradual_group::State) -> Result<(), TrainError> {
        self.skipped = state.read(self.name())?;
        Ok(())
    }
}
