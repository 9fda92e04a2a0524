//! What a sampler is made for.

/// A task and a run as a sampler's constructor sees them.
#[derive(Debug, Clone, PartialEq)]
pub struct SamplerContext {
    /// Share of the training examples of each capability, `[k]`. Those that are never trained have 0, and are not
    /// drawn.
    pub frequencies: Vec<f64>,
    /// Number of steps of the run.
    pub steps: u64,
}

impl SamplerContext {
    /// The capabilities that are trained.
    pub(super) fn trained(&self) -> Vec<usize> {
        let all = self.frequencies.iter().enumerate();
        all.filter(|(_, frequency)| **frequency > 0.0)
            .map(|(capability, _)| capability)
            .collect()
    }
}
