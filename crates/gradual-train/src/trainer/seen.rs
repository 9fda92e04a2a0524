//! What the [lens](crate::lens) of a run shows of a draw.

use std::collections::BTreeSet;

use gradual_grad::ExampleGradients;
use gradual_group::{Draw, Grouping};

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use crate::error::TrainError;
use crate::step::parts::trace_together;
use crate::task::{Drawn, Task};

/// What a lens shows of the examples of a draw.
pub(super) enum Seen {
    /// There is no lens.
    Nothing,
    Gradients(Box<ExampleGradients>),
    /// The groups that they have, as they were seen before.
    Groups(Vec<Option<usize>>),
}

impl<T: Task> Trainer<'_, T> {
    /// What the lens shows of the examples of a draw, if there is one.
    pub(super) fn seen_through_lens(
        &mut self,
        run: &mut Run<T::Batch>,
        drawn: &[Drawn<T::Batch>],
    ) -> Result<Seen, TrainError> {
        if let Some(groups) = self.grouped_once(run, drawn)? {
            return Ok(Seen::Groups(groups));
        }
        let Some(frozen) = self.sight() else {
            return Ok(Seen::Nothing);
        };
        let traced = trace_together(&frozen.model, &self.sight_tracer(), drawn, |m, part| {
            self.task.losses(m, &part.batch)
        })?;
        run.seen.lens += traced.gradients.num_examples() as u64;
        Ok(Seen::Gradients(Box::new(traced.gradients)))
    }

    /// The groups of a draw of finite data under the lens, whose items get their gradients once. None where groups do not
    /// last, or items are not known.
    fn grouped_once(
        &mut self,
        run: &mut Run<T::Batch>,
        drawn: &[Drawn<T::Batch>],
    ) -> Result<Option<Vec<Option<usize>>>, TrainError> {
        let named = |part: &Drawn<T::Batch>| part.items.len() == part.labels.len();
        let leaves_out = self.config.not_finite == NotFinite::LeaveOut;
        let (Some(frozen), Some(held)) = (self.sight(), &run.lens) else {
            return Ok(None);
        };
        if leaves_out || !self.objective.grouping.is_lasting() || !drawn.iter().all(named) {
            return Ok(None);
        }
        let items = || drawn.iter().flat_map(|part| part.items.iter().copied());
        let mut new = BTreeSet::new();
        let new: Vec<usize> = items()
            .filter(|item| !held.items.contains_key(item) && new.insert(*item))
            .collect();
        let mut found = Vec::new();
        if !new.is_empty() {
            let most = drawn.iter().map(|part| part.labels.len()).max();
            let picked = new.chunks(most.unwrap_or(1).max(1));
            let picked = picked.map(|some| self.task.pick(some, &self.device));
            let picked = picked.collect::<Result<Vec<_>, TrainError>>()?;
            let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
            let tracer = self.sight_tracer();
            let traced = trace_together(&frozen.model, &tracer, &picked, losses)?;
            let groups = self.objective.grouping.group(&Draw::from(&traced));
            // What is wrong with an example is told of the whole draw, and so are soft groups.
            let Some(assigned) = groups.ok().and_then(|all| Some(all.assignment()?.to_vec()))
            else {
                return Ok(None);
            };
            run.seen.lens += new.len() as u64;
            found = assigned;
        }
        let Some(held) = &mut run.lens else {
            return Ok(None);
        };
        held.items.extend(new.into_iter().zip(found));
        Ok(items().map(|item| held.items.get(&item).copied()).collect())
    }
}
