//! What may happen with what the trainer sees.

use gradual_measure::{Evaluation, Grouping};

use crate::TrainError;

/// Told of what happens in a run, in order.
pub trait Observer {
    /// After `step` of `steps` steps.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn stepped(&mut self, step: u64, steps: u64) -> Result<(), TrainError> {
        let _ = (step, steps);
        Ok(())
    }

    /// After every capability was evaluated, `seconds` after the run's start.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<(), TrainError> {
        let _ = (evaluation, seconds);
        Ok(())
    }

    /// With the last groups before an evaluation, and the coefficients' shares since the one
    /// before.
    ///
    /// # Errors
    ///
    /// An error ends the run.
    fn grouped(&mut self, grouping: &Grouping) -> Result<(), TrainError> {
        let _ = grouping;
        Ok(())
    }
}
