//! From one phase to the next.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use gradual_grad::host;

use super::builder::Trainer;
use super::phase::Phase;
use super::run::Run;
use crate::error::TrainError;
use crate::lens::Fitted;
use crate::step::standing::StandingDraws;
use crate::task::Task;

impl<T: Task> Trainer<'_, T> {
    /// Refuses a phase that can't go on with draws of this size, as [`run`](Self::run) does at its start.
    pub(super) fn check_phase(&self, phase: &Phase<'_>) -> Result<(), TrainError> {
        phase.objective.check(self.config.draw)?;
        phase.lens.as_ref().map_or(Ok(()), Fitted::check)?;
        phase.sampler.check(self.size())
    }

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
        run.lens = None;
        run.unverified = self.config.verify;
        (run.grouped, run.churn) = (false, None);
        self.take_phase();
        Ok(())
    }

    /// Puts the second phase in the place of the first.
    pub(super) fn take_phase(&mut self) {
        if let Some((after, phase)) = self.then.take() {
            self.before = after;
            self.objective = phase.objective;
            self.optimizer = phase.optimizer;
            self.rate = phase.rate;
            self.sampler = phase.sampler;
            self.trained = phase.trained;
            (self.lens, self.frozen) = (phase.lens, None);
            (self.proxy, self.by_proxy) = (None, false);
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
