//! The start of a run, and where a snapshot left it.

use std::rc::Rc;
use std::time::Instant;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::builder::Trainer;
use super::run::Run;
use super::since::SinceEvaluation;
use crate::error::TrainError;
use crate::followed::Followed;
use crate::ranks::Ranks;
use crate::samplers::sampler::Wanted;
use crate::snapshot::{ExampleCounts, Snapshot, Standing};
use crate::step::standing::StandingDraws;
use crate::task::Task;

/// Streams of random numbers: the model's weights, the draws, the standing examples.
pub(super) const WEIGHTS: u64 = 0;
const DRAWS: u64 = 1;
const STANDING: u64 = 3;

impl<T: Task> Trainer<'_, T> {
    /// The run at its start, or where the snapshot left it.
    pub(super) fn begin(&mut self) -> Result<(T::Model, Run<T::Batch>), TrainError> {
        let (model, run) = self.fresh()?;
        match self.from.take() {
            None => Ok((model, run)),
            Some(snapshot) => self.restore(model, run, &snapshot),
        }
    }

    /// The run at its start.
    pub(super) fn fresh(&self) -> Result<(T::Model, Run<T::Batch>), TrainError> {
        let model = self.checked_model()?;
        let run = Run {
            done: 0,
            skipped: 0,
            seen: ExampleCounts::default(),
            stopped: None,
            kept: None,
            skipped_in_a_row: 0,
            unverified: self.config.verify,
            draws_from_device: None,
            grouped: false,
            churn: None,
            draws: self.stream(DRAWS),
            standing_draws: self.stream(STANDING),
            standing: StandingDraws::default(),
            since: SinceEvaluation::new(self.task.capabilities().len()),
            lens: None,
            described: None,
            followed: Followed::default(),
            start: None,
            mean_accuracy: None,
            started: Instant::now(),
            seconds_before: 0.0,
        };
        Ok((model, run))
    }

    pub(super) fn stream(&self, stream: u64) -> ChaCha8Rng {
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        random.set_stream(stream);
        random
    }

    pub(super) fn restore(
        &mut self,
        model: T::Model,
        run: Run<T::Batch>,
        snapshot: &Snapshot,
    ) -> Result<(T::Model, Run<T::Batch>), TrainError> {
        let moving = snapshot.moving()?;
        let refused = |what, problem: String| snapshot.refused_state(what, &problem);
        if moving.step > self.config.steps {
            let problem = format!(
                "it is of step {}, and the run has {} steps",
                moving.step, self.config.steps
            );
            return Err(refused("steps", problem));
        }
        if moving.mass.len() != run.since.mass.len() {
            let problem = format!(
                "it is of {} capabilities, and the task has {}",
                moving.mass.len(),
                run.since.mass.len()
            );
            return Err(refused("capabilities", problem));
        }
        let held: Vec<&str> = moving
            .observers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let here: Vec<&str> = self
            .observers
            .iter()
            .map(|observer| observer.name())
            .collect();
        // Those of other ranks are told nothing.
        if held != here && self.ranks.is_none_or(Ranks::is_first) {
            let problem = format!(
                "it is of the observers {}, and there are {}",
                held.join(", "),
                here.join(", ")
            );
            return Err(refused("observers", problem));
        }
        let model = snapshot.model(model)?;
        if self.has_changed_by(moving.step) {
            if moving.start.is_none() {
                let problem = String::from("it is of a run without a second phase");
                return Err(refused("phase", problem));
            }
            self.take_phase();
        }
        self.restore_lens(snapshot, moving.lens.as_ref())?;
        self.optimizer = snapshot.optimizer(self.optimizer.clone())?;
        self.rate = snapshot.rate(self.rate.clone())?;
        let restored = self.objective.restore(&moving.objective, &self.device);
        restored.map_err(|error| refused("objective", error.to_string()))?;
        let restored = self.sampler.restore(&moving.sampler);
        restored.map_err(|error| refused("sampler", error.to_string()))?;
        for (observer, (name, state)) in self.observers.iter_mut().zip(&moving.observers) {
            let restored = observer.restore(state);
            restored.map_err(|error| refused("observer", format!("{name}: {error}")))?;
        }
        let again = moving.standing.into_iter().map(|standing| {
            let Standing { random, examples } = standing;
            let drawn = self.draw_parts(Wanted::Any(examples), &mut random.clone())?;
            Ok((examples, Rc::new((random, drawn))))
        });
        let standing = again.collect::<Result<Vec<_>, TrainError>>()?;
        let run = Run {
            done: moving.step,
            skipped: moving.skipped,
            // Of snapshots from before they were counted, what can be told.
            seen: moving.seen.unwrap_or(ExampleCounts {
                examples: moving.step * self.config.draw as u64,
                ..ExampleCounts::default()
            }),
            stopped: moving.stopped,
            kept: Some(moving.step),
            skipped_in_a_row: moving.skipped_in_a_row,
            grouped: moving.grouped,
            churn: moving.churn,
            draws: moving.draws,
            standing_draws: moving.standing_draws,
            standing: StandingDraws::new(standing, moving.dropped),
            since: SinceEvaluation::from(
                moving.losses,
                moving.examples,
                moving.mass,
                moving.other_mass,
            ),
            lens: moving.lens,
            described: None,
            followed: moving.followed,
            start: moving.start,
            mean_accuracy: moving.mean_accuracy,
            seconds_before: moving.seconds,
            ..run
        };
        Ok((model, run))
    }
}
