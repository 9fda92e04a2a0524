//! Which activation.

/// Which activation.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Gelu,
    GeluApproximate,
    Silu,
}
