//! Snapshots for the observers that keep checkpoints.

use std::rc::Rc;

use gradual_group::State;
use rand_chacha::ChaCha8Rng;

use super::builder::Trainer;
use super::run::Run;
use crate::error::TrainError;
use crate::snapshot::{RunState, Snapshot, Standing};
use crate::task::Task;

impl<T: Task> Trainer<'_, T> {
    /// Gives the observers that keep checkpoints one, if it is time, or `anyway`.
    pub(super) fn keep(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
        anyway: bool,
    ) -> Result<(), TrainError> {
        let due = |every: u64| anyway || run.done.is_multiple_of(every.max(1));
        let mut every = self
            .observers
            .iter()
            .filter_map(|each| each.checkpoint_every());
        if run.kept == Some(run.done) || !every.any(due) {
            return Ok(());
        }
        let observers = self.observers.iter();
        let observers = observers.map(|each| Ok((each.name().to_owned(), each.state()?)));
        let moving = RunState {
            step: run.done,
            mean_accuracy: run.mean_accuracy,
            draws: run.draws.clone(),
            standing_draws: run.standing_draws.clone(),
            standing: run.standing.draws().iter().map(standing).collect(),
            dropped: run.standing.dropped(),
            losses: run.since.losses,
            examples: run.since.examples,
            mass: run.since.mass.clone(),
            other_mass: run.since.other_mass,
            seen: Some(run.seen),
            skipped: run.skipped,
            skipped_in_a_row: run.skipped_in_a_row,
            grouped: run.grouped,
            churn: run.churn,
            followed: run.followed.clone(),
            start: run.start.clone(),
            lens: run.lens.clone(),
            stopped: run.stopped.clone(),
            seconds: run.seconds(),
            objective: self.objective.state()?,
            sampler: self.sampler.state()?,
            observers: observers.collect::<Result<Vec<(String, State)>, TrainError>>()?,
        };
        let frozen = self.frozen.as_ref().map(|frozen| &frozen.model);
        let snapshot = Snapshot::take(model, &self.optimizer, &self.rate, frozen, &moving)?;
        for observer in &mut self.observers {
            observer.checkpoint(&snapshot)?;
        }
        run.kept = Some(run.done);
        Ok(())
    }
}

/// What a snapshot keeps of standing examples.
fn standing<D>((examples, drawn): &(usize, Rc<(ChaCha8Rng, D)>)) -> Standing {
    Standing {
        random: drawn.0.clone(),
        examples: *examples,
    }
}
