//! The [lens](crate::lens) of a run.

use burn::module::Module;
use gradual_grad::{ExampleGradients, Tracer};
use gradual_group::{Draw, Grouping};

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use crate::error::TrainError;
use crate::lens::{LensState, Matched};
use crate::objective::Sight;
use crate::snapshot::Snapshot;
use crate::step::parts::trace_together;
use crate::step::standing::trace_standing;
use crate::task::{Drawn, Task};

impl<T: Task> Trainer<'_, T> {
    /// Takes the snapshot when it is time, or another one in its place.
    pub(super) fn take_lens(
        &mut self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let Some(fitted) = &self.lens else {
            return Ok(());
        };
        match &run.lens {
            None if run.done - self.before >= fitted.lens.after => {
                self.frozen = Some(model.valid());
                self.objective.sight = Sight::Lens;
                run.unverified = self.config.verify;
                run.lens = Some(LensState {
                    step: run.done,
                    matched: None,
                });
                Ok(())
            }
            Some(held) if fitted.lens.is_old(run.done - held.step) => {
                let fresh = fitted.fresh.clone();
                self.renew_lens(fresh, model, run)
            }
            _ => Ok(()),
        }
    }

    /// Another snapshot, whose groups are matched with those of before by the new standing examples. Where these can't be
    /// grouped, the lens stays what it was.
    fn renew_lens(
        &mut self,
        fresh: Box<dyn Grouping>,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<(), TrainError> {
        let before = Before {
            grouping: std::mem::replace(&mut self.objective.grouping, fresh),
            matched: self.objective.matched.take(),
            model: self.frozen.replace(model.valid()),
        };
        let standing = std::mem::take(&mut run.standing);
        let shown = self.show_standing(model, run);
        match shown.and_then(|()| self.matched(&before, run)) {
            Ok(matched) => {
                self.objective.matched.clone_from(&matched);
                run.lens = Some(LensState {
                    step: run.done,
                    matched,
                });
                Ok(())
            }
            Err(error) => {
                self.objective.grouping = before.grouping;
                self.objective.matched = before.matched;
                self.frozen = before.model;
                run.standing = standing;
                Err(error)
            }
        }
    }

    /// What the groups are to those of `before`. None for soft groups, and without standing examples.
    fn matched(
        &self,
        before: &Before<T::Model>,
        run: &mut Run<T::Batch>,
    ) -> Result<Option<Matched>, TrainError> {
        let (Some(old), Some(now)) = (&before.model, &self.frozen) else {
            return Ok(None);
        };
        let draws = run.standing.draws().iter();
        let parts: Vec<&Drawn<T::Batch>> = draws.flat_map(|(_, drawn)| &drawn.1).collect();
        let sizes = (run.standing.dropped(), run.standing.num_examples());
        if sizes.1 == 0 {
            return Ok(None);
        }
        let leaves_out = self.config.not_finite == NotFinite::LeaveOut;
        let tracer = self.sight_tracer();
        let mut groups = |model: &T::Model, grouping: &Box<dyn Grouping>| {
            let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
            let (traced, _) = trace_standing(model, leaves_out, &tracer, &parts, sizes, losses)?;
            run.seen.lens += traced.gradients.num_examples() as u64;
            // A copy, which may learn of it.
            Ok::<_, TrainError>(grouping.clone().group(&Draw::from(&traced))?)
        };
        let was = groups(old, &before.grouping)?;
        let was = match &before.matched {
            Some(matched) => matched.mark(was),
            None => was,
        };
        let is = groups(now, &self.objective.grouping)?;
        let pair = (was.assignment(), is.assignment());
        Ok(match pair {
            (Some(was_in), Some(is_in)) => Some(Matched::new((was_in, was.identities()), is_in)),
            _ => None,
        })
    }

    /// The gradients of the examples of a draw under the lens, if there is one.
    pub(super) fn seen_through_lens(
        &self,
        run: &mut Run<T::Batch>,
        drawn: &[Drawn<T::Batch>],
    ) -> Result<Option<ExampleGradients>, TrainError> {
        let Some(frozen) = &self.frozen else {
            return Ok(None);
        };
        let traced = trace_together(frozen, &self.sight_tracer(), drawn, |m, part| {
            self.task.losses(m, &part.batch)
        })?;
        run.seen.lens += traced.gradients.num_examples() as u64;
        Ok(Some(traced.gradients))
    }

    /// The options of the traces that the grouping sees the results of.
    pub(super) fn sight_tracer(&self) -> Tracer {
        let tracer = self.objective.tracer().clone();
        match (&self.frozen, &self.lens) {
            (Some(_), Some(fitted)) => {
                let layers: Vec<&str> = fitted.lens.layers.iter().map(String::as_str).collect();
                tracer.only(&layers)
            }
            _ => tracer,
        }
    }

    /// Puts a lens where a snapshot of the run left it.
    pub(super) fn restore_lens(
        &mut self,
        snapshot: &Snapshot,
        held: Option<&LensState>,
    ) -> Result<(), TrainError> {
        let refused = |problem: &str| snapshot.refused_state("lens", &problem);
        let Some(held) = held else {
            return Ok(());
        };
        if self.lens.is_none() {
            return Err(refused("it is of a run with a lens, and this one has none"));
        }
        let frozen = snapshot.lens(self.fresh_model())?;
        let frozen = frozen.ok_or_else(|| refused("the weights of the lens are missing"))?;
        self.frozen = Some(frozen.valid());
        self.objective.sight = Sight::Lens;
        self.objective.matched.clone_from(&held.matched);
        Ok(())
    }
}

/// A lens that another one takes the place of.
struct Before<M> {
    grouping: Box<dyn Grouping>,
    matched: Option<Matched>,
    model: Option<M>,
}
