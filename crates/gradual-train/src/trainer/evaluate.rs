//! Evaluations.

use std::collections::BTreeMap;

use burn::module::Module;
use gradual_runs::{CapabilityRecord, Evaluation, SCHEMA};

use super::builder::Trainer;
use super::change::moved;
use super::run::Run;
use super::since::SinceEvaluation;
use crate::error::TrainError;
use crate::observer::Flow;
use crate::ranks::Ranks;
use crate::task::{Score, Task};

impl<T: Task> Trainer<'_, T> {
    /// Evaluates every capability and tells the observers. Ranks but the first have none, and wait for it.
    pub(super) fn evaluate(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        if !self.ranks.is_none_or(Ranks::is_first) {
            run.since = SinceEvaluation::new(self.task.capabilities().len());
            return Ok(());
        }
        let scores = self.task.evaluate(&model.valid(), &self.device)?;
        let mut evaluation = self.evaluation(run, &scores)?;
        let start = run.start.as_deref();
        evaluation.moved = start.map(|start| moved(model, start)).transpose()?;
        let seconds = run.seconds();
        let grouping = run.since.grouping(self.task, run.done);
        let members = self.members(model, run)?;
        for observer in &mut self.observers {
            let mut told = Vec::new();
            if let Some(grouping) = &grouping {
                told.push(observer.grouped(grouping)?);
            }
            if let Some(members) = &members {
                told.push(observer.members(members)?);
            }
            told.push(observer.evaluated(&evaluation, seconds)?);
            for flow in told {
                if let Flow::Break(reason) = flow {
                    run.stopped.get_or_insert(reason);
                }
            }
        }
        run.mean_accuracy = evaluation.mean_accuracy();
        run.since = SinceEvaluation::new(self.task.capabilities().len());
        Ok(())
    }

    fn evaluation(&self, run: &Run<T::Batch>, scores: &[Score]) -> Result<Evaluation, TrainError> {
        let capabilities = self.task.capabilities();
        let (expected, got) = (capabilities.len(), scores.len());
        if expected != got {
            return Err(TrainError::Task {
                what: "scores",
                expected,
                got,
            });
        }
        for (capability, score) in capabilities.iter().zip(scores) {
            for (what, value) in [("loss", score.loss), ("accuracy", score.accuracy)] {
                if !value.is_finite() {
                    return Err(TrainError::Evaluation {
                        step: run.done,
                        what,
                        capability: capability.name.clone(),
                        value,
                    });
                }
            }
        }
        let drawn = self
            .sampler
            .frequencies(run.done.saturating_sub(self.before).max(1), self.size());
        let records: BTreeMap<String, CapabilityRecord> = capabilities
            .iter()
            .zip(scores)
            .enumerate()
            .map(|(at, (capability, score))| {
                let drawn = drawn.as_ref().and_then(|drawn| drawn.get(at).copied());
                let record = CapabilityRecord {
                    accuracy: score.accuracy,
                    loss: score.loss,
                    chance: capability.chance,
                    frequency: drawn.unwrap_or(capability.frequency),
                    probability: score.probability,
                    progress: score.progress,
                    parts: capability.parts.clone(),
                };
                (capability.name.clone(), record)
            })
            .collect();
        // Before the first step, and where all steps were skipped, there is no training loss: the held-out losses,
        // weighted by frequency, estimate the same number.
        let held_out = || {
            let records = records.values();
            records.map(|record| record.frequency * record.loss).sum()
        };
        Ok(Evaluation {
            schema: SCHEMA,
            step: run.done,
            examples: run.seen.examples,
            standing_examples: (run.seen.standing > 0).then_some(run.seen.standing),
            gradient_evaluations: (run.seen.beside() > 0)
                .then_some(run.seen.examples + run.seen.beside()),
            left_out: (run.seen.left_out > 0).then_some(run.seen.left_out),
            moved: None,
            compute: None,
            train_loss: run.since.mean_loss().unwrap_or_else(held_out),
            capabilities: records,
        })
    }
}
