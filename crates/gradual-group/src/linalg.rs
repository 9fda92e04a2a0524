//! Symmetric eigenproblems of Gram matrices, and what their eigenvalues say.

pub(crate) mod components;
pub(crate) mod eigen;
pub(crate) mod eigenvalues;
pub(crate) mod lazy_spectrum;
pub(crate) mod spectrum;
