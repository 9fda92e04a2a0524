//! Whether the sign of a gradient counts.

/// Whether opposite gradients are alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sign {
    /// Opposite gradients are as far apart as can be.
    #[default]
    Kept,
    /// Opposite gradients are alike.
    Ignored,
}
