//! Metrics that have a name.

pub(crate) mod euclidean;
pub(crate) mod kronecker;
mod settings;
pub(crate) mod unit;
pub(crate) mod whitened;
