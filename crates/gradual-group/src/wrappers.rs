//! Groupings around other groupings: they change what the inner one is shown, or what becomes of its groups.

pub(crate) mod after;
pub(crate) mod damped;
pub(crate) mod in_metric;
pub(crate) mod priors;
pub(crate) mod tracked;
pub(crate) mod wrapper;

pub use after::After;
pub use damped::Damped;
pub use in_metric::InMetric;
pub use priors::Priors;
pub use tracked::Tracked;
pub use wrapper::{GroupBy, Wrapper};

use gradual_registry::Registry;

use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;

/// What can be put around a grouping.
///
/// [`InMetric`](crate::InMetric) is not among them: the groupings put themselves into the metric of their
/// [context](GroupingContext).
pub static WRAPPERS: Registry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>> =
    Registry::new(
        "wrapper",
        &[
            &priors::ENTRY,
            &damped::ENTRY,
            &tracked::ENTRY,
            &after::ENTRY,
        ],
    );
