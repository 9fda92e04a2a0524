//! The loop.

use std::collections::HashSet;

use gradual_runs::cycle_of_parts;

use super::builder::Trainer;
use super::run::Run;
use super::schedule::is_evaluation_step;
use crate::error::TrainError;
use crate::lens::Fitted;
use crate::observer::End;
use crate::task::{Capability, Task};

/// A run that came to an end.
#[derive(Debug)]
pub struct Ended<M> {
    /// The model, with autodiff.
    pub model: M,
    /// How it ended.
    pub end: End,
    /// Steps done.
    pub step: u64,
    /// Steps that were skipped because of NaN or infinite numbers.
    pub skipped: u64,
    /// Examples that were left out because they had no loss.
    pub left_out: u64,
    /// How often another standing example stood for one that had no loss when it was shown.
    pub standing_left_out: u64,
}

impl<T: Task> Trainer<'_, T> {
    /// Trains to the end.
    ///
    /// # Errors
    ///
    /// [`TrainError::Setting`] for zero steps, parts or steps between evaluations, or an empty draw;
    /// [`TrainError::Group`] for more groups than a draw has
    /// examples, before the first step; [`TrainError::Part`] for a part that is no capability;
    /// [`TrainError::Sampler`] when the
    /// sampler does not go with the task; [`TrainError::Snapshot`] when the snapshot is of another run;
    /// [`TrainError::Step`] naming step, capability and last checkpoint when a step fails; whatever an
    /// observer returns.
    pub fn run(mut self) -> Result<Ended<T::Model>, TrainError> {
        let (model, mut run) = self.begun()?;
        let mut advanced = self.at_start(model, &mut run);
        let (model, end) = loop {
            let (model, end) = self.together(advanced, &mut run)?;
            match end {
                Some(end) => break (model, end),
                None => advanced = self.advance(model, &mut run),
            }
        };
        let kept = self.at_end(&model, &mut run, &end);
        self.ended_together(kept)?;
        Ok(Ended {
            model,
            end,
            step: run.done,
            skipped: run.skipped,
            left_out: run.seen.left_out,
            standing_left_out: run.seen.standing_left_out,
        })
    }

    /// Whatever comes before the first step.
    fn at_start(
        &mut self,
        model: T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<T::Model, TrainError> {
        for note in self.notes()? {
            for observer in &mut self.observers {
                observer.noted(&note)?;
            }
        }
        self.check_lenses(&model)?;
        self.check_trained(&model)?;
        if run.kept.is_none() {
            self.look(&model, run, true)?;
        }
        self.learn_proxy(run)?;
        Ok(model)
    }

    /// A step, and what follows it.
    fn advance(
        &mut self,
        model: T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<T::Model, TrainError> {
        self.change(&model, run)?;
        let model = self.step(model, run)?;
        let on_grid = self.is_on_grid(run);
        self.look(&model, run, on_grid)?;
        Ok(model)
    }

    /// Whether the run is evaluated after the steps that are done: on its grid, and where the second phase begins.
    pub(super) fn is_on_grid(&self, run: &Run<T::Batch>) -> bool {
        let changes = self
            .then
            .as_ref()
            .is_some_and(|(after, _)| *after == run.done);
        changes || is_evaluation_step(run.done, self.config.steps, self.config.every)
    }

    /// How the run has come to its end, if it has.
    pub(super) fn end(&self, run: &Run<T::Batch>, interrupted: bool) -> Option<End> {
        match &run.stopped {
            Some(reason) => Some(End::Stopped(reason.clone())),
            None if run.done == self.config.steps => Some(End::Completed),
            None => interrupted.then_some(End::Interrupted),
        }
    }

    fn at_end(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
        end: &End,
    ) -> Result<(), TrainError> {
        self.keep(model, run, true)?;
        for observer in &mut self.observers {
            observer.ended(end)?;
        }
        Ok(())
    }

    /// Takes the first step and leaves it at that: what a recipe, a model and a task have wrong with one another is found
    /// before anything is written down. The gradients are [verified](crate::TrainerConfig::verify) if they are to be.
    /// Nothing is evaluated, and no observer is told.
    ///
    /// # Errors
    ///
    /// Those of [`run`](Self::run) up to its first step.
    pub fn try_first_step(mut self) -> Result<(), TrainError> {
        self.observers.clear();
        let (model, mut run) = self.begun()?;
        self.check_lenses(&model)?;
        self.check_trained(&model)?;
        self.try_proxy(&mut run)?;
        let stepped = self.step(model, &mut run).map(drop);
        self.ended_together(stepped)
    }

    /// What happens between two steps.
    fn look(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
        evaluate: bool,
    ) -> Result<(), TrainError> {
        if evaluate {
            self.evaluate(model, run)?;
        }
        if let Some(watch) = &mut self.watch {
            watch(run.done, model)?;
        }
        self.keep(model, run, false)
    }

    pub(super) fn check(&self) -> Result<(), TrainError> {
        let at_least_one = |name, got| match got {
            0 => Err(TrainError::Setting {
                name,
                least: 1,
                got,
            }),
            _ => Ok(()),
        };
        at_least_one("steps", self.config.steps)?;
        at_least_one("draw", self.config.draw as u64)?;
        at_least_one("parts", self.config.parts as u64)?;
        at_least_one("every", self.config.every)?;
        if let Some((after, phase)) = &self.then {
            at_least_one("steps before the second phase", *after)?;
            self.check_phase(phase)?;
        }
        parts_are_capabilities(self.task.capabilities())?;
        self.objective.check(self.config.draw)?;
        self.lens.as_ref().map_or(Ok(()), Fitted::check)?;
        self.check_proxy()?;
        self.sampler.check(self.size())
    }
}

/// Whether all parts of capabilities are others of the same task, each named once, and none is composed of itself: a run
/// could not be read otherwise.
fn parts_are_capabilities(capabilities: &[Capability]) -> Result<(), TrainError> {
    let names: HashSet<&str> = capabilities.iter().map(|one| one.name.as_str()).collect();
    for Capability { name, parts, .. } in capabilities {
        let mut seen = HashSet::from([name.as_str()]);
        for part in parts {
            if !names.contains(part.as_str()) || !seen.insert(part) {
                return Err(TrainError::Part {
                    capability: name.clone(),
                    part: part.clone(),
                });
            }
        }
    }
    let each = capabilities.iter();
    match cycle_of_parts(each.map(|one| (one.name.as_str(), one.parts.as_slice()))) {
        None => Ok(()),
        Some(names) => Err(TrainError::Cycle {
            names: names.into_iter().map(str::to_owned).collect(),
        }),
    }
}
