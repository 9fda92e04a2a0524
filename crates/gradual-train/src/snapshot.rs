//! Everything that a run needs to resume as if it had never stopped.

use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use burn::module::Module;
use burn::optim::lr_scheduler::LrSchedulerRecord;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::optim::{ModuleOptimizer, OptimizerRecord};
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use gradual_group::{Churn, State};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::error::TrainError;
use crate::followed::Followed;
use crate::lens::LensState;

/// A run between two steps: weights, optimizer and learning rate as Burn records them, and the state of
/// everything else.
///
/// It holds bytes, not tensors: it can be written on one backend and read on another.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// Steps done.
    pub step: u64,
    /// Mean accuracy at the last evaluation.
    pub mean_accuracy: Option<f64>,
    /// The checkpoint that it was read from; none where it comes from a run itself.
    pub(crate) folder: Option<PathBuf>,
    /// Contents of the files of a checkpoint, in the order of [`FILES`].
    pub(crate) contents: [Vec<u8>; 4],
    /// Content of the file [`LENS`], of a run with a lens.
    pub(crate) lens: Option<Vec<u8>>,
}

/// The files of every checkpoint.
pub(crate) const FILES: [&str; 4] = ["model.bpk", "optimizer.bpk", "rate.bpk", "state.cbor"];

/// The weights of the [lens](crate::lens), once there is one.
pub(crate) const LENS: &str = "lens.bpk";

/// Where each of them stands in [`FILES`].
const MODEL: usize = 0;
const OPTIMIZER: usize = 1;
const RATE: usize = 2;
const STATE: usize = 3;

/// Everything but weights, optimizer and learning rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct RunState {
    pub(crate) step: u64,
    pub(crate) mean_accuracy: Option<f64>,
    /// Random numbers of the draws and of the standing examples.
    pub(crate) draws: ChaCha8Rng,
    pub(crate) standing_draws: ChaCha8Rng,
    /// Standing examples, as the random numbers that they were drawn with.
    pub(crate) standing: Vec<Standing>,
    /// How many of the first have made room for later ones.
    pub(crate) dropped: usize,
    pub(crate) losses: f64,
    pub(crate) examples: u64,
    pub(crate) mass: Vec<f64>,
    #[serde(default)]
    pub(crate) other_mass: f64,
    #[serde(default)]
    pub(crate) seen: Option<ExampleCounts>,
    pub(crate) skipped: u64,
    pub(crate) skipped_in_a_row: u64,
    pub(crate) grouped: bool,
    pub(crate) churn: Option<Churn>,
    /// Of snapshots from before there were such records, none.
    #[serde(default)]
    pub(crate) followed: Followed,
    /// The weights that the second phase began with, once it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) start: Option<Vec<f32>>,
    /// The lens, once its snapshot was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lens: Option<LensState>,
    pub(crate) stopped: Option<String>,
    pub(crate) seconds: f64,
    pub(crate) objective: State,
    pub(crate) sampler: State,
    /// State of each observer, by name.
    pub(crate) observers: Vec<(String, State)>,
}

/// Examples of a run so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExampleCounts {
    /// Those that steps drew, steps that were skipped included.
    pub(crate) examples: u64,
    /// Those that were drawn as standing examples.
    pub(crate) standing: u64,
    /// How often one of these was shown to the grouping.
    pub(crate) shown: u64,
    /// Those of steps that had no loss.
    pub(crate) left_out: u64,
    /// How often a standing one had no loss when it was shown.
    #[serde(default)]
    pub(crate) standing_left_out: u64,
    /// How often an example had its gradient taken under a lens, standing ones aside.
    #[serde(default)]
    pub(crate) lens: u64,
}

impl ExampleCounts {
    /// Gradients that were taken beside those of steps.
    pub(crate) fn beside(&self) -> u64 {
        self.shown + self.lens
    }
}

/// Standing examples that can be drawn again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) random: ChaCha8Rng,
    pub(crate) examples: usize,
}

impl Snapshot {
    /// All of a snapshot of a run without a lens, for another rank.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.step.to_le_bytes().to_vec();
        for content in &self.contents {
            bytes.extend((content.len() as u64).to_le_bytes());
            bytes.extend(content);
        }
        bytes
    }

    /// A snapshot that was written as [`bytes`](Self::bytes).
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let (step, mut rest) = bytes.split_first_chunk()?;
        let mut contents = [const { Vec::new() }; 4];
        for content in &mut contents {
            let (len, more) = rest.split_first_chunk()?;
            let len = usize::try_from(u64::from_le_bytes(*len)).ok()?;
            let (own, others) = more.split_at_checked(len)?;
            *content = own.to_vec();
            rest = others;
        }
        Some(Self {
            step: u64::from_le_bytes(*step),
            mean_accuracy: None,
            folder: None,
            contents,
            lens: None,
        })
        .filter(|_| rest.is_empty())
    }

    pub(crate) fn take<M: Module>(
        model: &M,
        optimizer: &ModuleOptimizer,
        rate: &ModuleLrScheduler,
        frozen: Option<&M>,
        moving: &RunState,
    ) -> Result<Self, TrainError> {
        let mut state = Vec::new();
        ciborium::into_writer(moving, &mut state)
            .map_err(|problem| unwritten("state", &problem))?;
        let bytes = |what, bytes: Result<Bytes, RecordError>| {
            bytes
                .map(|bytes| bytes.to_vec())
                .map_err(|problem| unwritten(what, &problem))
        };
        Ok(Self {
            step: moving.step,
            mean_accuracy: moving.mean_accuracy,
            folder: None,
            contents: [
                bytes("model", model.clone().into_record().into_bytes())?,
                bytes("optimizer", optimizer.into_bytes())?,
                bytes("learning rate", rate.to_record().into_bytes())?,
                state,
            ],
            lens: frozen
                .map(|frozen| bytes("lens", frozen.clone().into_record().into_bytes()))
                .transpose()?,
        })
    }

    /// `model` with the weights of this snapshot, on its own device.
    ///
    /// # Errors
    ///
    /// [`TrainError::Snapshot`] when they are those of another model, or damaged.
    pub fn model<M: Module>(&self, model: M) -> Result<M, TrainError> {
        self.load(FILES[MODEL], &self.contents[MODEL], "model", |bytes| {
            let record = ModuleRecord::from_bytes(bytes);
            record.and_then(|record| model.try_load_record(record))
        })
    }

    /// `model` with the weights of the lens, if there is one.
    pub(crate) fn lens<M: Module>(&self, model: M) -> Result<Option<M>, TrainError> {
        let Some(content) = &self.lens else {
            return Ok(None);
        };
        let loaded = self.load(LENS, content, "lens", |bytes| {
            let record = ModuleRecord::from_bytes(bytes);
            record.and_then(|record| model.try_load_record(record))
        });
        loaded.map(Some)
    }

    pub(crate) fn optimizer(
        &self,
        optimizer: ModuleOptimizer,
    ) -> Result<ModuleOptimizer, TrainError> {
        let (held, loaded) = self.load(
            FILES[OPTIMIZER],
            &self.contents[OPTIMIZER],
            "optimizer",
            |bytes| {
                let record = OptimizerRecord::from_bytes(bytes)?;
                let held = record.len();
                Ok((held, optimizer.load_record(record)))
            },
        )?;
        // Burn passes over what it can't put together, and would begin there anew.
        match loaded.to_record().len() {
            here if here == held => Ok(loaded),
            here => {
                let problem = format!("{here} of its {held} tensors are of this optimizer");
                Err(self.refused(FILES[OPTIMIZER], "optimizer", &problem))
            }
        }
    }

    pub(crate) fn rate(&self, rate: ModuleLrScheduler) -> Result<ModuleLrScheduler, TrainError> {
        let content = &self.contents[RATE];
        self.load(FILES[RATE], content, "learning rate", |bytes| {
            Ok(rate.load_record(LrSchedulerRecord::from_bytes(bytes)?))
        })
    }

    pub(crate) fn moving(&self) -> Result<RunState, TrainError> {
        ciborium::from_reader(self.contents[STATE].as_slice())
            .map_err(|problem| self.refused_state("state", &problem))
    }

    /// What a file holds. Burn panics at records that say something else than it writes.
    fn load<L>(
        &self,
        file: &str,
        content: &[u8],
        what: &'static str,
        load: impl FnOnce(Bytes) -> Result<L, RecordError>,
    ) -> Result<L, TrainError> {
        let bytes = Bytes::from_bytes_vec(content.to_vec());
        match catch_unwind(AssertUnwindSafe(|| load(bytes))) {
            Ok(loaded) => loaded.map_err(|problem| self.refused(file, what, &problem)),
            Err(panic) => {
                let said = panic.downcast_ref::<String>().map(String::as_str);
                let said = said.or_else(|| panic.downcast_ref::<&str>().copied());
                let problem = said.unwrap_or("it can't be loaded");
                Err(self.refused(file, what, &problem))
            }
        }
    }

    /// What the state of a run holds does not go with the run.
    pub(crate) fn refused_state(&self, what: &'static str, problem: &dyn Display) -> TrainError {
        self.refused(FILES[STATE], what, problem)
    }

    fn refused(&self, file: &str, what: &'static str, problem: &dyn Display) -> TrainError {
        TrainError::Snapshot {
            what,
            path: self.folder.as_ref().map(|folder| folder.join(file)),
            problem: problem.to_string(),
        }
    }
}

fn unwritten(what: &'static str, problem: &dyn Display) -> TrainError {
    TrainError::Snapshot {
        what,
        path: None,
        problem: problem.to_string(),
    }
}
