//! Metrics by name, with the layers that they look at as context.

use gradual_registry::Registry;

use crate::metric::Metric;
use crate::metric::named::{euclidean, kronecker, unit, whitened};

/// All metrics. The context is a list of globs of the parameters that the metric looks at, as of
/// [`Metric::with_layers`]; none for all.
///
/// ```
/// use gradual_grad::registry::METRICS;
///
/// let metric = METRICS.build(&"kronecker(damping = 0.01)".parse()?, vec![String::from("*.weight")])?;
/// assert!(!metric.is_fixed());
/// # Ok::<(), gradual_registry::RegistryError>(())
/// ```
pub static METRICS: Registry<Vec<String>, Metric> = Registry::new(
    "metric",
    &[
        &euclidean::ENTRY,
        &unit::ENTRY,
        &whitened::ENTRY,
        &kronecker::ENTRY,
    ],
);
