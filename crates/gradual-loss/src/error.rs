use thiserror::Error;

/// What can go wrong when group losses are composed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LossError {
    /// Losses and groups are of different draws.
    #[error(
        "compose: there are {losses} losses, but the groups are of a draw of {examples} examples"
    )]
    Examples {
        /// Number of losses.
        losses: usize,
        /// Number of examples of the groups.
        examples: usize,
    },
    /// A matched norm needs the Gram matrix.
    #[error("scale: `MatchNorm` needs the Gram matrix of the draw; run the model under `trace`")]
    NoGram,
}
