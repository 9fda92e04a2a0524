//! Gradients as a metric shows them to a grouping, and the metric's running moments as plain data.

use burn::tensor::Device;
use gradual_grad::{ExampleGradients, Metric, MetricRecord};

use crate::error::GroupError;

/// Gradients in a metric, which observes them first.
pub(crate) fn observed(
    operation: &'static str,
    metric: &mut Metric,
    gradients: &ExampleGradients,
) -> Result<ExampleGradients, GroupError> {
    metric
        .observe(gradients)
        .map_err(GroupError::gradients(operation))?;
    seen(operation, metric, gradients)
}

/// Gradients in a metric as it is.
pub(crate) fn seen(
    operation: &'static str,
    metric: &Metric,
    gradients: &ExampleGradients,
) -> Result<ExampleGradients, GroupError> {
    metric
        .apply(gradients)
        .map_err(GroupError::gradients(operation))
}

/// The running moments.
pub(crate) fn recorded(
    operation: &'static str,
    metric: &Metric,
) -> Result<MetricRecord, GroupError> {
    metric.record().map_err(GroupError::gradients(operation))
}

/// The metric with other running moments.
pub(crate) fn restored(
    operation: &'static str,
    metric: &Metric,
    moments: &MetricRecord,
    device: &Device,
) -> Result<Metric, GroupError> {
    let mut metric = metric.clone();
    let restored = metric.restore(moments, device);
    restored.map_err(GroupError::gradients(operation))?;
    Ok(metric)
}
