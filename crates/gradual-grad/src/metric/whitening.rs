//! How gradients are scaled.

use serde::{Deserialize, Serialize};

/// How gradients are scaled before they are compared.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Whitening {
    /// As they are: the Euclidean metric.
    #[default]
    None,
    /// Every coordinate of a layer's inputs is centred and scaled by its standard deviation, every
    /// coordinate of its output-gradients scaled by its root mean square: the metric of a diagonal
    /// approximation of the Fisher matrix, factor by factor.
    Coordinates,
    /// Inputs and output-gradients are multiplied by the inverse Cholesky factors of their covariance
    /// and second moment: the metric of K-FAC (Martens & Grosse 2015, arXiv 1503.05671). `damping`
    /// is added to the diagonal, as a share of its mean. About (d³ + e³)/3 operations on the host
    /// for each weight `[d, e]` and each draw that is observed, and one more wait for the device, which
    /// reads the covariances of all weights together. The rows of a table that is looked up are scaled one
    /// by one, as are plain parameters.
    Kronecker {
        /// Share of the mean diagonal entry that is added to the diagonal.
        damping: f64,
    },
}
