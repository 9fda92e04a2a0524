//! Observers: what is done with the events of a run.

use std::ops::ControlFlow;

use gradual_grad::Verified;
use gradual_group::{Groups, State};
use gradual_runs::{Evaluation, GroupingRecord, LooksRecord, MembersRecord};

use crate::error::TrainError;
use crate::snapshot::Snapshot;
use crate::trainer::note::Note;

/// Whether a run continues: `Continue(())`, or `Break` with the reason, for people.
///
/// A run that an observer stops has come to its end and is not resumed.
pub type Flow = ControlFlow<String>;

/// A run goes on.
pub const CONTINUE: Flow = ControlFlow::Continue(());

/// One step, as an observer sees it.
#[derive(Debug, Clone, Copy)]
pub struct SeenStep<'a> {
    /// Steps done, this one included.
    pub step: u64,
    /// Steps of the whole run.
    pub steps: u64,
    /// Mean loss of the draw, over the examples that have one; NaN where the step was skipped.
    pub loss: f64,
    /// Examples of the draw that were left out because they have no loss: see
    /// [`NotFinite::LeaveOut`](crate::NotFinite::LeaveOut).
    pub left_out: usize,
    /// The groups of the draw; none where the step was skipped.
    pub groups: Option<&'a Groups>,
    /// Whether the groups were formed anew: at the first step, and whenever the grouping says of
    /// something else than before that it [changed](Groups::churn).
    pub regrouped: bool,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// All steps were done.
    Completed,
    /// An observer stopped it, for this reason.
    Stopped(String),
    /// Somebody asked it to stop; it can be resumed.
    Interrupted,
}

/// Told of what happens in a run, in order.
///
/// Everything has a default, so that an observer writes what it needs. One that learns from what it
/// sees also writes [`state`](Self::state) and [`restore`](Self::restore), or a resumed run differs
/// from one that never stopped.
pub trait Observer {
    /// Its name in checkpoints and messages.
    fn name(&self) -> &'static str {
        "observer"
    }

    /// Before the first step of a run or of its resumption, for everything that is unwise about it.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn noted(&mut self, note: &Note) -> Result<(), TrainError> {
        let _ = note;
        Ok(())
    }

    /// After the per-example gradients were checked, before the first step of a run or of its resumption.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn verified(&mut self, verified: &Verified) -> Result<(), TrainError> {
        let _ = verified;
        Ok(())
    }

    /// After a step.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        let _ = seen;
        Ok(CONTINUE)
    }

    /// With the groups of the last step before an evaluation, and the coefficients' shares since the one
    /// before.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn grouped(&mut self, grouping: &GroupingRecord) -> Result<Flow, TrainError> {
        let _ = grouping;
        Ok(CONTINUE)
    }

    /// With what the found groups hold, in words: at some evaluations of runs whose groups come from gradients, where the
    /// task can [describe](crate::Task::describe) its examples. These are the same over the run and no part of its
    /// draws; their groups are found by a copy of the grouping.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn members(&mut self, members: &MembersRecord) -> Result<Flow, TrainError> {
        let _ = members;
        Ok(CONTINUE)
    }

    /// With the looks that a [search for a lens](crate::LensSearch) took at a step.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn looked(&mut self, looks: &LooksRecord) -> Result<(), TrainError> {
        let _ = looks;
        Ok(())
    }

    /// After every capability was evaluated, `seconds` after the run's start, not counting the time
    /// between a stop and its resumption.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        let _ = (evaluation, seconds);
        Ok(CONTINUE)
    }

    /// After how many steps this observer wants a checkpoint, if it keeps any. It then also gets one
    /// at the start, at the end, and when the run is interrupted.
    fn checkpoint_every(&self) -> Option<u64> {
        None
    }

    /// With everything that is needed to resume from here.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        let _ = snapshot;
        Ok(())
    }

    /// At the end of the run.
    ///
    /// # Errors
    ///
    /// An error is that of the run.
    fn ended(&mut self, end: &End) -> Result<(), TrainError> {
        let _ = end;
        Ok(())
    }

    /// What the observer has learned so far, to write into a checkpoint.
    ///
    /// # Errors
    ///
    /// [`TrainError::Group`] when it can't be written.
    fn state(&self) -> Result<State, TrainError> {
        Ok(State::none())
    }

    /// Restores a state that [`state`](Self::state) returned.
    ///
    /// # Errors
    ///
    /// [`TrainError::Group`] for what is no state of this observer.
    fn restore(&mut self, state: &State) -> Result<(), TrainError> {
        Ok(state.expect_none(self.name())?)
    }
}

/// A borrowed observer is an observer.
impl<O: Observer + ?Sized> Observer for &mut O {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn noted(&mut self, note: &Note) -> Result<(), TrainError> {
        (**self).noted(note)
    }

    fn verified(&mut self, verified: &Verified) -> Result<(), TrainError> {
        (**self).verified(verified)
    }

    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        (**self).stepped(seen)
    }

    fn grouped(&mut self, grouping: &GroupingRecord) -> Result<Flow, TrainError> {
        (**self).grouped(grouping)
    }

    fn members(&mut self, members: &MembersRecord) -> Result<Flow, TrainError> {
        (**self).members(members)
    }

    fn looked(&mut self, looks: &LooksRecord) -> Result<(), TrainError> {
        (**self).looked(looks)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        (**self).evaluated(evaluation, seconds)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        (**self).checkpoint_every()
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        (**self).checkpoint(snapshot)
    }

    fn ended(&mut self, end: &End) -> Result<(), TrainError> {
        (**self).ended(end)
    }

    fn state(&self) -> Result<State, TrainError> {
        (**self).state()
    }

    fn restore(&mut self, state: &State) -> Result<(), TrainError> {
        (**self).restore(state)
    }
}
