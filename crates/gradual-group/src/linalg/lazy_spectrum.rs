//! A spectrum that is computed when somebody asks for it.

use std::sync::OnceLock;

use burn::tensor::Tensor;
use faer::{Mat, Side};

use crate::linalg::eigenvalues::{Eigenvalues, estimates};
use crate::read::wide_gram;

/// What is said of the spectrum of a Gram matrix `[n, n]` that nobody needs for the step itself: it is computed, in
/// double precision, when somebody asks for it. Of a matrix that can't be read or solved nothing is said.
#[derive(Debug, Clone)]
pub(crate) struct LazySpectrum {
    gram: Tensor<2>,
    at_most: usize,
    said: OnceLock<Said>,
}

/// Singular values, largest first, and the number of groups by each estimator.
pub(crate) type Said = (Vec<f64>, Vec<(&'static str, usize)>);

impl LazySpectrum {
    /// Of a Gram matrix, with estimates of up to `at_most` groups.
    pub(crate) fn new(gram: Tensor<2>, at_most: usize) -> Self {
        Self {
            gram,
            at_most,
            said: OnceLock::new(),
        }
    }

    pub(crate) fn get(&self) -> &Said {
        self.said.get_or_init(|| {
            let [n, _] = self.gram.dims();
            let Ok(entries) = wide_gram("spectrum", &self.gram) else {
                return Said::default();
            };
            let gram = Mat::from_fn(n, n, |i, j| entries[i * n + j]);
            let Ok(values) = gram.self_adjoint_eigenvalues(Side::Lower) else {
                return Said::default();
            };
            let values = Eigenvalues::all(values);
            let sigma = values.values().iter().map(|value| value.sqrt());
            (sigma.collect(), estimates(&values, self.at_most.min(n)))
        })
    }
}
