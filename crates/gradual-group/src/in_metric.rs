//! Any grouping, in any metric.

use gradual_grad::Metric;

use crate::{Draw, GroupError, Grouping, Groups, Needs, Standing};

const OPERATION: &str = "metric";

/// A grouping that sees gradients in a metric, whose running moments are kept here.
///
/// Each draw is observed first and then shown in the metric; the inner grouping does not know. The
/// update is untouched: it comes from the gradients themselves, whatever a grouping looked at.
#[derive(Debug, Clone)]
pub struct InMetric<G> {
    metric: Metric,
    inner: G,
}

impl<G: Grouping> InMetric<G> {
    /// `inner`, on gradients in `metric`.
    pub fn new(metric: Metric, inner: G) -> Self {
        Self { metric, inner }
    }
}

impl<G: Grouping> Grouping for InMetric<G> {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn wants(&self) -> Option<Standing> {
        self.inner.wants()
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let gradients = self.metric.apply(standing.gradients(OPERATION)?);
        let gradients = gradients.map_err(refused)?;
        self.inner.stand(&standing.with_gradients(&gradients))
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let gradients = draw.gradients(OPERATION)?;
        self.metric.observe(gradients).map_err(refused)?;
        let gradients = self.metric.apply(gradients).map_err(refused)?;
        self.inner.group(&draw.with_gradients(&gradients))
    }
}

fn refused(source: gradual_grad::GradError) -> GroupError {
    GroupError::Gradients {
        operation: OPERATION,
        source,
    }
}
