//! Everything that a run needs to resume as if it had never stopped.

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
    /// Contents of the files of a checkpoint, in the order of [`FILES`].
    pub(crate) contents: [Vec<u8>; 4],
}

/// The files of a checkpoint.
pub(crate) const FILES: [&str; 4] = ["model.bpk", "optimizer.bpk", "rate.bpk", "state.cbor"];

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
}

/// Standing examples that can be drawn again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) random: ChaCha8Rng,
    pub(crate) examples: usize,
}

impl Snapshot {
    pub(crate) fn take<M: Module>(
        model: &M,
        optimizer: &ModuleOptimizer,
        rate: &ModuleLrScheduler,
        moving: &RunState,
    ) -> Result<Self, TrainError> {
        let mut state = Vec::new();
        ciborium::into_writer(moving, &mut state).map_err(|problem| refused("state", &problem))?;
        let bytes = |what, bytes: Result<Bytes, RecordError>| {
            bytes
                .map(|bytes| bytes.to_vec())
                .map_err(|problem| refused(what, &problem))
        };
        Ok(Self {
            step: moving.step,
            mean_accuracy: moving.mean_accuracy,
            contents: [
                bytes("model", model.clone().into_record().into_bytes())?,
                bytes("optimizer", optimizer.into_bytes())?,
                bytes("learning rate", rate.to_record().into_bytes())?,
                state,
            ],
        })
    }

    /// `model` with the weights of this snapshot, on its own device.
    ///
    /// # Errors
    ///
    /// [`TrainError::Snapshot`] when they are those of another model.
    pub fn model<M: Module>(&self, model: M) -> Result<M, TrainError> {
        let record = ModuleRecord::from_bytes(self.bytes(0));
        record
            .and_then(|record| model.try_load_record(record))
            .map_err(|problem| refused("model", &problem))
    }

    pub(crate) fn optimizer(
        &self,
        optimizer: ModuleOptimizer,
    ) -> Result<ModuleOptimizer, TrainError> {
        let record = OptimizerRecord::from_bytes(self.bytes(1));
        let record = record.map_err(|problem| refused("optimizer", &problem))?;
        Ok(optimizer.load_record(record))
    }

    pub(crate) fn rate(&self, rate: ModuleLrScheduler) -> Result<ModuleLrScheduler, TrainError> {
        let record = LrSchedulerRecord::from_bytes(self.bytes(2));
        let record = record.map_err(|problem| refused("learning rate", &problem))?;
        Ok(rate.load_record(record))
    }

    pub(crate) fn moving(&self) -> Result<RunState, TrainError> {
        ciborium::from_reader(self.contents[3].as_slice())
            .map_err(|problem| refused("state", &problem))
    }

    fn bytes(&self, file: usize) -> Bytes {
        Bytes::from_bytes_vec(self.contents[file].clone())
    }
}

fn refused(what: &'static str, problem: &dyn std::fmt::Display) -> TrainError {
    TrainError::Snapshot {
        what,
        problem: problem.to_string(),
    }
}
