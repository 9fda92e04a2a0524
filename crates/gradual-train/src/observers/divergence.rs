use gradual_group::State;
use gradual_runs::Evaluation;

use crate::TrainError;
use crate::observer::{CONTINUE, Flow, Observer};

/// Stops a run whose training loss has risen for good.
///
/// The training loss between two evaluations is compared with the lowest one before; a run that stays
/// above `factor` times it for `patience` evaluations in a row stops. Losses that are not finite end a
/// run by themselves, with an error.
#[derive(Debug, Clone, PartialEq)]
pub struct StopOnDivergence {
    factor: f64,
    patience: u64,
    lowest: Option<f64>,
    above: u64,
}

impl StopOnDivergence {
    /// Above `factor` times the lowest loss for `patience` evaluations.
    pub fn new(factor: f64, patience: u64) -> Self {
        Self {
            factor,
            patience: patience.max(1),
            lowest: None,
            above: 0,
        }
    }
}

impl Observer for StopOnDivergence {
    fn name(&self) -> &'static str {
        "stop on divergence"
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _seconds: f64) -> Result<Flow, TrainError> {
        let loss = evaluation.train_loss;
        let lowest = *self.lowest.get_or_insert(loss);
        self.above = match loss > self.factor * lowest {
            true => self.above + 1,
            false => 0,
        };
        self.lowest = Some(lowest.min(loss));
        Ok(match self.above >= self.patience {
            true => Flow::Break(format!(
                "the training loss is {loss:.4}, above {} times its lowest, {lowest:.4}",
                self.factor
            )),
            false => CONTINUE,
        })
    }

    fn state(&self) -> Result<State, TrainError> {
        Ok(State::new(self.name(), &(self.lowest, self.above))?)
    }

    fn restore(&mut self, state: &State) -> Result<(), TrainError> {
        (self.lowest, self.above) = state.read(self.name())?;
        Ok(())
    }
}
