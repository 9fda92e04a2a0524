use gradual_runs::Evaluation;

use crate::TrainError;
use crate::observer::{CONTINUE, Flow, Observer};

/// Stops a run once capabilities are good enough.
///
/// Those that are never trained (of frequency 0) do not count, unless all are such.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StopAtTarget {
    mean: Option<f64>,
    worst: Option<f64>,
}

impl StopAtTarget {
    /// When the mean accuracy over capabilities is at least this.
    pub fn mean(accuracy: f64) -> Self {
        Self {
            mean: Some(accuracy),
            worst: None,
        }
    }

    /// When every capability's accuracy is at least this.
    pub fn worst(accuracy: f64) -> Self {
        Self {
            mean: None,
            worst: Some(accuracy),
        }
    }
}

impl Observer for StopAtTarget {
    fn name(&self) -> &'static str {
        "stop at target"
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _seconds: f64) -> Result<Flow, TrainError> {
        let reached = |got: Option<f64>, wanted: Option<f64>, what| match (got, wanted) {
            (Some(got), Some(wanted)) if got >= wanted => Some(Flow::Break(format!(
                "the {what} accuracy is {got:.4}, the target {wanted}"
            ))),
            _ => None,
        };
        let mean = reached(evaluation.mean_accuracy(), self.mean, "mean");
        let worst = reached(evaluation.worst_accuracy(), self.worst, "worst");
        Ok(mean.or(worst).unwrap_or(CONTINUE))
    }
}
