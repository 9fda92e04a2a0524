//! What people see of a run while it goes on.

use gradual::grad::Verified;
use gradual::group::State;
use gradual::runs::Evaluation;
use gradual::train::{End, Flow, Note, Observer, Progress, SeenStep, TrainError};
use gradual_report::EventFile;

/// Its progress, and its evaluations in TensorBoard where that is wanted. To checkpoints it is the progress alone, so that a
/// run may go on with event files that began without them, and the other way round.
pub(crate) struct Shown {
    pub(crate) progress: Progress,
    pub(crate) events: Option<EventFile>,
    /// Whether what is unwise about the run is said: once for an arm is enough.
    pub(crate) says_notes: bool,
}

impl Observer for Shown {
    fn name(&self) -> &'static str {
        self.progress.name()
    }

    fn noted(&mut self, note: &Note) -> Result<(), TrainError> {
        match self.says_notes {
            true => self.progress.noted(note),
            false => Ok(()),
        }
    }

    fn verified(&mut self, verified: &Verified) -> Result<(), TrainError> {
        self.progress.verified(verified)
    }

    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.progress.stepped(seen)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        if let Some(events) = &mut self.events {
            events.add(evaluation, seconds)?;
        }
        self.progress.evaluated(evaluation, seconds)
    }

    fn ended(&mut self, end: &End) -> Result<(), TrainError> {
        self.progress.ended(end)
    }

    fn state(&self) -> Result<State, TrainError> {
        self.progress.state()
    }

    fn restore(&mut self, state: &State) -> Result<(), TrainError> {
        self.progress.restore(state)
    }
}
