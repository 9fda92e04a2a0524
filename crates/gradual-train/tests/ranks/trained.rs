//! A trainer on every rank.

use std::sync::Mutex;

use burn::optim::SgdConfig;
use burn::optim::momentum::MomentumConfig;
use burn::tensor::Device;
use gradual_runs::Evaluation;
use gradual_train::{
    CONTINUE, Ended, Flow, Objective, Observer, Ranks, SeenStep, Snapshot, Task, TrainError,
    Trainer, TrainerConfig,
};

use crate::common::products::{Net, weights};

pub(crate) const DRAW: usize = 32;
pub(crate) const PARTS: usize = 4;

pub(crate) fn config(steps: u64) -> TrainerConfig {
    TrainerConfig {
        steps,
        draw: DRAW,
        parts: PARTS,
        every: 10,
        seed: 3,
        ..TrainerConfig::default()
    }
}

/// With an optimizer that has a state.
pub(crate) fn trainer<'a, T: Task<Model = Net>>(
    task: &'a T,
    objective: Objective,
    config: TrainerConfig,
) -> Trainer<'a, T> {
    let momentum = Some(MomentumConfig::new());
    let optimizer = SgdConfig::new().with_momentum(momentum).init();
    Trainer::new(task, objective, optimizer, &Device::flex(), config).with_rate(0.01)
}

/// What a run has come to: for the observers of rank 0, which may end in the middle.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) losses: Vec<f64>,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) snapshots: Vec<Snapshot>,
}

pub(crate) struct Watching<'a>(pub(crate) &'a Mutex<Seen>);

impl Observer for Watching<'_> {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.0.lock().unwrap().losses.push(seen.loss);
        Ok(CONTINUE)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _: f64) -> Result<Flow, TrainError> {
        let mut seen = self.0.lock().unwrap();
        seen.evaluations.push(evaluation.clone());
        Ok(CONTINUE)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        Some(1)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        self.0.lock().unwrap().snapshots.push(snapshot.clone());
        Ok(())
    }
}

/// The weights after every step, on this rank.
pub(crate) type Weights = Vec<Vec<f32>>;

/// Runs a trainer on one rank, or alone, and keeps the weights after every step.
pub(crate) fn run<'a, T: Task<Model = Net>>(
    trainer: Trainer<'a, T>,
    ranks: Option<&'a Ranks>,
    from: Option<Snapshot>,
    seen: &'a Mutex<Seen>,
) -> Result<(Ended<Net>, Weights), TrainError> {
    let mut all = Vec::new();
    let trainer = match ranks {
        Some(ranks) => trainer.with_ranks(ranks),
        None => trainer,
    };
    let ended = trainer
        .observe(Watching(seen))
        .watch(|_, net: &Net| {
            all.push(weights(net));
            Ok(())
        })
        .resume(from)
        .run()?;
    Ok((ended, all))
}
