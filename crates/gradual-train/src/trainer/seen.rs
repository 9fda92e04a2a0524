//! What the [lens](crate::lens) of a run shows of a draw.

use std::collections::BTreeSet;

use gradual_group::{Draw, Grouping};

use super::builder::Trainer;
use super::config::NotFinite;
use super::run::Run;
use crate::error::TrainError;
use crate::step::known::SeenDraw;
use crate::step::parts::{losses_together, trace_together};
use crate::task::{Drawn, Task};

/// What a lens shows of the examples of a draw.
pub(super) enum Seen {
    /// There is no lens.
    Nothing,
    Draw(Box<SeenDraw>),
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
        let seen = self.show(&frozen.model, drawn)?;
        run.seen.lens += num_gradients(&seen);
        Ok(Seen::Draw(Box::new(seen)))
    }

    /// What a snapshot shows of some examples: gradients and losses, or losses alone where nobody looks at more.
    fn show(&self, frozen: &T::Model, drawn: &[Drawn<T::Batch>]) -> Result<SeenDraw, TrainError> {
        let losses = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
        if self.objective.grouping.needs().gradients() {
            return Ok(trace_together(frozen, &self.sight_tracer(), drawn, losses)?.into());
        }
        Ok(SeenDraw {
            losses: losses_together(frozen, drawn, losses)?,
            gradients: None,
        })
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
            let seen = self.show(&frozen.model, &picked)?;
            let draw = Draw::new(&seen.losses);
            let groups = self.objective.grouping.group(&match &seen.gradients {
                Some(gradients) => draw.with_gradients(gradients),
                None => draw,
            });
            // What is wrong with an example is told of the whole draw, and so are soft groups.
            let Some(assigned) = groups.ok().and_then(|all| Some(all.assignment()?.to_vec()))
            else {
                return Ok(None);
            };
            run.seen.lens += num_gradients(&seen);
            found = assigned;
        }
        let Some(held) = &mut run.lens else {
            return Ok(None);
        };
        held.items.extend(new.into_iter().zip(found));
        Ok(items().map(|item| held.items.get(&item).copied()).collect())
    }
}

/// How many gradients were taken for it.
fn num_gradients(seen: &SeenDraw) -> u64 {
    let gradients = seen.gradients.as_ref();
    gradients.map_or(0, |gradients| gradients.num_examples() as u64)
}
