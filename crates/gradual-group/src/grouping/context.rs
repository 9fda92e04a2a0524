//! What the constructor of a grouping is told beside its parameters.

use gradual_grad::Metric;

/// What a run gives the groupings of its [registry](crate::registry), beside their parameters.
#[derive(Debug, Clone)]
pub struct GroupingContext {
    /// Number of known groups of the task; what `k = known` stands for.
    pub num_groups: usize,
    /// Seed of all random numbers of a grouping.
    pub seed: u64,
    /// The metric in which groupings see gradients; their own if there is none. Groupings that look at none ignore it.
    pub metric: Option<Metric>,
}
