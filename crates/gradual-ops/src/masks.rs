//! What an attention must not look at.

use burn::tensor::{Bool, Tensor};

/// What an attention must not look at.
#[derive(Debug, Clone)]
pub struct AttentionMasks {
    /// Positions `[n, s]` that are padding (true).
    pub padding: Option<Tensor<2, Bool>>,
    /// Pairs of positions `[n, t, s]` that are masked (true).
    pub pairs: Option<Tensor<3, Bool>>,
    /// The score of what is masked. Not −∞, so that a row of which everything is masked has equal weights.
    pub score: f64,
}

/// Nothing is masked.
impl Default for AttentionMasks {
    fn default() -> Self {
        Self {
            padding: None,
            pairs: None,
            score: -1.0e4,
        }
    }
}
