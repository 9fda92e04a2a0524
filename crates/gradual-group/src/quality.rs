//! How good groups are, against known labels and by what they do to a loss.

pub(crate) mod explained;
pub(crate) mod information;
pub(crate) mod mass_slope;
pub(crate) mod purity;
pub(crate) mod recovery;
