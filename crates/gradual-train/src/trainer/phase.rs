//! A second phase of a run: from some step on, the same model learns under another objective.
//!
//! So one asks what a change of the loss does to a model that is trained already: how far it moves, what it loses, and
//! how fast it learns what was held back.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::ModuleOptimizer;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;
use burn::tensor::Tensor;
use gradual_grad::host;

use super::builder::Trainer;
use super::run::Run;
use crate::error::TrainError;
use crate::objective::Objective;
use crate::samplers::sampler::Sampler;
use crate::samplers::task_mixture::TaskMixture;
use crate::step::standing::StandingDraws;
use crate::task::Task;

/// How a model goes on to learn. The optimizer begins anew.
pub struct Phase<'a> {
    objective: Objective,
    optimizer: ModuleOptimizer,
    rate: ModuleLrScheduler,
    sampler: Box<dyn Sampler + 'a>,
}

impl std::fmt::Debug for Phase<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Phase")
            .field("objective", &self.objective)
            .finish_non_exhaustive()
    }
}

impl<'a> Phase<'a> {
    /// A phase under `objective` at a constant learning rate, on the task's own distribution.
    pub fn new(objective: Objective, optimizer: ModuleOptimizer, rate: f64) -> Self {
        Self {
            objective,
            optimizer,
            rate: ModuleLrScheduler::new(rate),
            sampler: Box::new(TaskMixture),
        }
    }

    /// Another choice of examples.
    #[must_use]
    pub fn with_sampler(self, sampler: Box<dyn Sampler + 'a>) -> Self {
        Self { sampler, ..self }
    }

    /// Refuses a phase that can't go on with draws of this size, as [`Trainer::run`] does at its start.
    pub(super) fn check<T: Task>(&self, trainer: &Trainer<'_, T>) -> Result<(), TrainError> {
        self.objective.check(trainer.config.draw)?;
        self.sampler.check(trainer.size())
    }
}

impl<T: Task> Trainer<'_, T> {
    /// Whether the second phase has begun at a snapshot that `done` steps were done at. One of exactly the step of the
    /// change was taken before it.
    pub(super) fn has_changed_by(&self, done: u64) -> bool {
        (self.then.as_ref()).is_some_and(|(after, _)| done > *after)
    }

    /// Begins the second phase, if it is time.
    pub(super) fn change(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        match &self.then {
            Some((after, _)) if run.done >= *after => {}
            _ => return Ok(()),
        }
        run.start = Some(weights(model)?);
        run.standing = StandingDraws::default();
        run.unverified = self.config.verify;
        (run.grouped, run.churn) = (false, None);
        self.take_phase();
        Ok(())
    }

    /// Puts the second phase in the place of the first.
    pub(super) fn take_phase(&mut self) {
        if let Some((_, phase)) = self.then.take() {
            self.objective = phase.objective;
            self.optimizer = phase.optimizer;
            self.rate = phase.rate;
            self.sampler = phase.sampler;
        }
    }
}

/// How far weights are from those at the start of the phase, as a share of their norm: `‖θ − θ₀‖ / ‖θ₀‖`.
pub(super) fn moved<M: Module>(model: &M, start: &[f32]) -> Result<f64, TrainError> {
    let now = weights(model)?;
    let square = |value: f64| value * value;
    let norm = |values: &mut dyn Iterator<Item = f64>| values.map(square).sum::<f64>().sqrt();
    let distance = norm(
        &mut now
            .iter()
            .zip(start)
            .map(|(a, b)| f64::from(*a) - f64::from(*b)),
    );
    let whole = norm(&mut start.iter().map(|&value| f64::from(value)));
    match now.len() == start.len() {
        true if whole > 0.0 => Ok(distance / whole),
        true => Ok(0.0),
        false => Err(TrainError::Task {
            what: "weights of the model that the phase began with",
            expected: start.len(),
            got: now.len(),
        }),
    }
}

/// All weights that are trained, in the order of the model.
fn weights<M: Module>(model: &M) -> Result<Vec<f32>, TrainError> {
    let mut read = Read(Ok(Vec::new()));
    model.visit(&mut read);
    read.0.map_err(|problem| TrainError::Read {
        operation: "weights at the start of a phase",
        problem,
    })
}

struct Read(Result<Vec<f32>, String>);

impl ModuleVisitor for Read {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        if let (Ok(weights), true) = (&mut self.0, value.is_require_grad()) {
            match host::read::<f32, D>(value) {
                Ok(more) => weights.extend(more),
                Err(problem) => self.0 = Err(problem),
            }
        }
    }
}
