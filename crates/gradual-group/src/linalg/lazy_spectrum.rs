//! A spectrum that is computed on demand.

use std::sync::OnceLock;

use burn::tensor::Tensor;
use faer::{Mat, Side};

use crate::linalg::eigenvalues::{Eigenvalues, estimates};
use crate::read::wide_gram;

/// The spectrum of a Gram matrix `[n, n]`, which the step itself does not need: it is computed on demand, in double
/// precision. It is empty for a matrix that can't be read from its device or whose eigenproblem can't be solved.
#[derive(Debug, Clone)]
pub(crate) struct LazySpectrum {
    gram: Tensor<2>,
    at_most: usize,
    said: OnceLock<SpectrumSummary>,
}

/// Singular values, largest first, and the number of groups by each estimator.
pub(crate) type SpectrumSummary = (Vec<f64>, Vec<(&'static str, usize)>);

impl LazySpectrum {
    /// Of a Gram matrix, with estimates of up to `at_most` groups.
    pub(crate) fn new(gram: Tensor<2>, at_most: usize) -> Self {
        Self {
            gram,
            at_most,
            said: OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> &SpectrumSummary {
        self.said.get_or_init(|| {
            let [n, _] = self.gram.dims();
            let Ok(entries) = wide_gram("spectrum", &self.gram) else {
                return SpectrumSummary::default();
            };
            let gram = Mat::from_fn(n, n, |i, j| entries[i * n + j]);
            let Ok(values) = gram.self_adjoint_eigenvalues(Side::Lower) else {
                return SpectrumSummary::default();
            };
            let values = Eigenvalues::from_all(values);
            let sigma = values.values().iter().map(|value| value.sqrt());
            (sigma.collect(), estimates(&values, self.at_most.min(n)))
        })
    }
}
