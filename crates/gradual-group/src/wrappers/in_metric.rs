//! Any grouping, in any metric.

use burn::tensor::Device;
use gradual_grad::{Metric, MetricRecord};

use crate::error::GroupError;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::standing::Standing;
use crate::grouping::state::State;
use crate::grouping::{Grouping, Needs};

const OPERATION: &str = "metric";

/// A grouping that sees gradients in a metric, whose running moments are kept here.
///
/// Each draw is observed first and then shown in the metric, standing examples like any other; the inner
/// grouping does not know. The update is untouched: it comes from the gradients themselves, whatever a grouping
/// looked at. What the inner grouping refuses leaves the moments as they were.
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

    /// Observes the gradients of a draw, and has the inner grouping look at them in the metric.
    fn show<T>(
        &mut self,
        draw: &Draw<'_>,
        look: impl FnOnce(&mut G, &Draw<'_>) -> Result<T, GroupError>,
    ) -> Result<T, GroupError> {
        let gradients = draw.gradients(OPERATION)?;
        let mut metric = self.metric.clone();
        metric
            .observe(gradients)
            .map_err(GroupError::gradients(OPERATION))?;
        let gradients = metric
            .apply(gradients)
            .map_err(GroupError::gradients(OPERATION))?;
        let seen = look(&mut self.inner, &draw.with_gradients(&gradients))?;
        self.metric = metric;
        Ok(seen)
    }
}

impl<G: Grouping> Grouping for InMetric<G> {
    fn needs(&self) -> Needs {
        Needs::Gradients
    }

    fn check(&self, examples: usize) -> Result<(), GroupError> {
        self.inner.check(examples)
    }

    fn wants(&self) -> Option<Standing> {
        self.inner.wants()
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        self.show(standing, |inner, standing| inner.stand(standing))
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.show(draw, |inner, draw| inner.group(draw))
    }

    fn group_ahead(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.show(draw, |inner, draw| inner.group_ahead(draw))
    }

    /// The running moments and the inner grouping's state.
    fn state(&self) -> Result<State, GroupError> {
        let moments = self
            .metric
            .record()
            .map_err(GroupError::gradients(OPERATION))?;
        State::of(OPERATION, &(moments, self.inner.state()?))
    }

    fn restore(&mut self, state: &State, device: &Device) -> Result<(), GroupError> {
        let (moments, inner): (MetricRecord, State) = state.read(OPERATION)?;
        let mut metric = self.metric.clone();
        metric
            .restore(&moments, device)
            .map_err(GroupError::gradients(OPERATION))?;
        self.inner.restore(&inner, device)?;
        self.metric = metric;
        Ok(())
    }
}
