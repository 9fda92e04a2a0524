use gradual_grad::Verified;
use gradual_group::State;
use gradual_runs::{Evaluation, GroupingRecord, LooksRecord, MembersRecord};
use serde::{Deserialize, Serialize};

use crate::observer::{CONTINUE, Flow, Observer, SeenStep};
use crate::trainer::note::Note;
use crate::{End, Snapshot, TrainError};

/// Which events an observer is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// All.
    Always,
    /// Those of the steps that this number divides; 0 counts as 1.
    Every(u64),
    /// Steps at which groups were formed anew, and every evaluation.
    Regroup,
    /// Evaluations (with their groups) whose mean accuracy is higher than any before; no steps.
    Best,
}

/// An observer that is told of some events only; [`Trainer::observe_when`](crate::Trainer::observe_when)
/// makes it. Checkpoints and the end are not events: it gets all of these.
#[derive(Debug)]
pub struct Selected<O> {
    inner: O,
    when: When,
    best: Option<f64>,
    /// Groups, and what they hold, that wait for their evaluation.
    waiting: (Option<GroupingRecord>, Option<MembersRecord>),
}

#[derive(Serialize, Deserialize)]
struct Saved {
    best: Option<f64>,
    inner: State,
}

impl<O: Observer> Selected<O> {
    /// `inner`, told of what `when` lets through.
    pub fn new(inner: O, when: When) -> Self {
        Self {
            inner,
            when,
            best: None,
            waiting: (None, None),
        }
    }

    fn lets(&self, step: u64) -> bool {
        match self.when {
            When::Always | When::Regroup => true,
            When::Every(n) => step.is_multiple_of(n.max(1)),
            When::Best => false,
        }
    }
}

impl<O: Observer> Observer for Selected<O> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    fn noted(&mut self, note: &Note) -> Result<(), TrainError> {
        self.inner.noted(note)
    }

    fn verified(&mut self, verified: &Verified) -> Result<(), TrainError> {
        self.inner.verified(verified)
    }

    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        match self.lets(seen.step) && (seen.regrouped || self.when != When::Regroup) {
            true => self.inner.stepped(seen),
            false => Ok(CONTINUE),
        }
    }

    fn grouped(&mut self, grouping: &GroupingRecord) -> Result<Flow, TrainError> {
        if self.when == When::Best {
            self.waiting = (Some(grouping.clone()), None);
            return Ok(CONTINUE);
        }
        match self.lets(grouping.step) {
            true => self.inner.grouped(grouping),
            false => Ok(CONTINUE),
        }
    }

    fn members(&mut self, members: &MembersRecord) -> Result<Flow, TrainError> {
        if self.when == When::Best {
            self.waiting.1 = Some(members.clone());
            return Ok(CONTINUE);
        }
        match self.lets(members.step) {
            true => self.inner.members(members),
            false => Ok(CONTINUE),
        }
    }

    fn looked(&mut self, looks: &LooksRecord) -> Result<(), TrainError> {
        self.inner.looked(looks)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        if self.when != When::Best {
            return match self.lets(evaluation.step) {
                true => self.inner.evaluated(evaluation, seconds),
                false => Ok(CONTINUE),
            };
        }
        let (grouping, members) = std::mem::take(&mut self.waiting);
        let Some(mean) = evaluation.mean_accuracy() else {
            return Ok(CONTINUE);
        };
        if self.best.is_some_and(|best| mean <= best) {
            return Ok(CONTINUE);
        }
        self.best = Some(mean);
        if let Some(grouping) = grouping
            && let Flow::Break(reason) = self.inner.grouped(&grouping)?
        {
            return Ok(Flow::Break(reason));
        }
        if let Some(members) = members
            && let Flow::Break(reason) = self.inner.members(&members)?
        {
            return Ok(Flow::Break(reason));
        }
        self.inner.evaluated(evaluation, seconds)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        self.inner.checkpoint_every()
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        self.inner.checkpoint(snapshot)
    }

    fn ended(&mut self, end: &End) -> Result<(), TrainError> {
        self.inner.ended(end)
    }

    fn state(&self) -> Result<State, TrainError> {
        let saved = Saved {
            best: self.best,
            inner: self.inner.state()?,
        };
        Ok(State::new(self.name(), &saved)?)
    }

    fn restore(&mut self, state: &State) -> Result<(), TrainError> {
        let saved: Saved = state.read(self.name())?;
        self.inner.restore(&saved.inner)?;
        self.best = saved.best;
        Ok(())
    }
}
