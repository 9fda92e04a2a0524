//! Any grouping, in any metric.

use burn::tensor::Device;
use gradual_grad::{ExampleGradients, Metric, MetricRecord};

use crate::error::GroupError;
use crate::grouping::Grouping;
use crate::grouping::draw::Draw;
use crate::grouping::groups::Groups;
use crate::grouping::needs::Needs;
use crate::grouping::state::State;
use crate::metric;
use crate::wrappers::wrapper::{GroupBy, Wrapper};

const OPERATION: &str = "metric";

/// `grouping`, on gradients in `metric` where there is one.
pub(crate) fn in_metric<G: Grouping + Clone + 'static>(
    metric: Option<Metric>,
    grouping: G,
) -> Box<dyn Grouping> {
    match metric {
        Some(metric) => Box::new(InMetric::new(metric, grouping)),
        None => Box::new(grouping),
    }
}

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
        let gradients = metric::observed(OPERATION, &mut self.metric, gradients)?;
        look(&mut self.inner, &draw.with_gradients(&gradients))
    }
}

impl<G: Grouping + Clone> Wrapper for InMetric<G> {
    type Inner = G;

    fn inner(&self) -> &G {
        &self.inner
    }

    fn inner_mut(&mut self) -> &mut G {
        &mut self.inner
    }

    /// Gradients, whatever the inner grouping needs.
    fn wrap_needs(&self, inner: Needs) -> Needs {
        inner.and(Needs::Gradients)
    }

    fn wrap_stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        self.show(standing, |inner, standing| inner.stand(standing))
    }

    fn wrap_group(&mut self, draw: &Draw<'_>, group: GroupBy<G>) -> Result<Groups, GroupError> {
        self.show(draw, group)
    }

    fn wrap_seen(&self, gradients: &ExampleGradients) -> Result<ExampleGradients, GroupError> {
        let seen = metric::seen(OPERATION, &self.metric, gradients)?;
        self.inner.seen(&seen)
    }

    /// The running moments and the inner grouping's state.
    fn wrap_state(&self, inner: State) -> Result<State, GroupError> {
        let moments = metric::recorded(OPERATION, &self.metric)?;
        State::new(OPERATION, &(moments, inner))
    }

    fn unwrap_state(&mut self, state: &State, device: &Device) -> Result<State, GroupError> {
        let (moments, inner): (MetricRecord, State) = state.read(OPERATION)?;
        self.metric = metric::restored(OPERATION, &self.metric, &moments, device)?;
        Ok(inner)
    }
}
