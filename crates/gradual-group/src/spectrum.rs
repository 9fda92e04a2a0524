//! Singular values and left singular vectors of the gradient matrix, from its Gram matrix.

use burn::tensor::Tensor;
use faer::{Mat, Side};

use crate::GroupError;

/// G = U Σ Vᵀ, as far as the Gram matrix K = G Gᵀ = U Σ² Uᵀ tells: U and Σ.
///
/// # Steps and cost
///
/// The symmetric eigenproblem of K `[n, n]` in single precision, about 9n³ operations whatever the
/// number of parameters. Eigenvalues that rounding made negative count as zero, so singular values
/// below about √(n ε) σ_1 (1 % of the largest at n = 512) are noise. Where singular values are
/// equal, U within their subspace is one basis of many.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Singular values, largest first.
    sigma: Vec<f64>,
    /// Eigenvectors in columns, in the order that the solver gave them (smallest first).
    vectors: Mat<f32>,
}

impl Spectrum {
    /// Of a Gram matrix `[n, n]`.
    ///
    /// # Errors
    ///
    /// [`GroupError::NotFinite`] naming the first example whose row holds NaN or infinity;
    /// [`GroupError::Eigen`] when the solver does not converge.
    pub fn of(gram: &Tensor<2>) -> Result<Self, GroupError> {
        let [n, _] = gram.dims();
        Self::of_host(&host("spectrum", gram)?, n)
    }

    /// Of a row-major Gram matrix on the host.
    pub(crate) fn of_host(gram: &[f32], n: usize) -> Result<Self, GroupError> {
        if let Some(entry) = gram.iter().position(|value| !value.is_finite()) {
            return Err(GroupError::NotFinite {
                operation: "spectrum",
                example: entry / n,
            });
        }
        let gram = Mat::from_fn(n, n, |i, j| gram[i * n + j]);
        let eigen = gram.self_adjoint_eigen(Side::Lower);
        let eigen = eigen.map_err(|_| GroupError::Eigen { examples: n })?;
        let values = eigen.S().column_vector();
        Ok(Self {
            sigma: (0..n)
                .rev()
                .map(|i| f64::from(values[i].max(0.0)).sqrt())
                .collect(),
            vectors: eigen.U().to_owned(),
        })
    }

    /// Singular values σ, largest first, `[n]`.
    pub fn singular_values(&self) -> &[f64] {
        &self.sigma
    }

    /// σ_i U_ji: the component of example j's gradient on direction i. Its square, summed over i,
    /// is ‖g_j‖².
    pub fn component(&self, direction: usize, example: usize) -> f64 {
        let n = self.sigma.len();
        self.sigma[direction] * f64::from(self.vectors[(example, n - 1 - direction)])
    }
}

/// The entries of a tensor, row-major, on the host.
pub(crate) fn host<const D: usize>(
    operation: &'static str,
    tensor: &Tensor<D>,
) -> Result<Vec<f32>, GroupError> {
    let data = tensor.clone().inner().into_data().convert::<f32>();
    data.try_to_vec().map_err(|problem| GroupError::Read {
        operation,
        problem: format!("{problem:?}"),
    })
}
