//! A second phase of a run: from some step on, the same model learns under another objective.
//!
//! So one asks what a change of the loss does to a model that is trained already: how far it moves, what it loses, and
//! how fast it learns what was held back.

use burn::optim::ModuleOptimizer;
use burn::optim::lr_scheduler::module_lr_scheduler::ModuleLrScheduler;

use crate::lens::{Fitted, Lens};
use crate::objective::Objective;
use crate::samplers::sampler::Sampler;
use crate::samplers::task_mixture::TaskMixture;

/// How a model goes on to learn. The optimizer begins anew.
pub struct Phase<'a> {
    pub(super) objective: Objective,
    pub(super) optimizer: ModuleOptimizer,
    pub(super) rate: ModuleLrScheduler,
    pub(super) sampler: Box<dyn Sampler + 'a>,
    pub(super) lens: Option<Fitted>,
    /// Globs of the parameters that learn; all where there are none.
    pub(super) trained: Vec<String>,
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
            lens: None,
            trained: Vec::new(),
        }
    }

    /// Groups are those that the grouping finds under a [lens](crate::lens). Its steps count from the beginning of the
    /// phase.
    #[must_use]
    pub fn with_lens(mut self, lens: Lens) -> Self {
        self.lens = Some(Fitted::new(lens, &mut self.objective));
        self
    }

    /// Only the parameters that match one of these globs learn, as the last layer when a classifier is fitted anew: see
    /// [`Trainer::learning_only`](crate::Trainer::learning_only).
    #[must_use]
    pub fn learning_only(self, globs: &[&str]) -> Self {
        Self {
            trained: globs.iter().map(|&glob| glob.to_owned()).collect(),
            ..self
        }
    }

    /// Another choice of examples. Its steps count from the beginning of the phase.
    #[must_use]
    pub fn with_sampler(self, sampler: Box<dyn Sampler + 'a>) -> Self {
        Self { sampler, ..self }
    }
}
