//! Weighted sums of the gradients: updates, and what stands for many.

use burn::module::ParamId;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::ExampleGradients;
use super::factor::Factor;
use crate::error::GradError;
use crate::parameters::Parameter;

impl ExampleGradients {
    /// The weighted sum Gᵀc = Σ_j c_j ∇ℓ_j, ready for an optimizer's `step`.
    ///
    /// With the coefficients c = ∂L/∂ℓ of a composition this is the gradient of its value L. Every parameter has its
    /// sum in its own precision, as an optimizer needs it; sums in half precision are accumulated in single. A
    /// parameter that no gradient has reached has none here either, so that an optimizer leaves it as it is.
    ///
    /// # Errors
    ///
    /// [`GradError::Coefficients`] unless `coefficients` is `[n]`.
    pub fn combine(&self, coefficients: &Tensor<1>) -> Result<GradientsParams, GradError> {
        let [n] = coefficients.dims();
        let one = self.combine_many(&coefficients.clone().reshape([1, n]))?;
        Ok(one.into_iter().next().unwrap_or_default())
    }

    /// One weighted sum for each row of `coefficients` `[m, n]`: the gradients of m groups at once.
    ///
    /// # Errors
    ///
    /// [`GradError::Coefficients`] unless every row has n entries.
    pub fn combine_many(
        &self,
        coefficients: &Tensor<2>,
    ) -> Result<Vec<GradientsParams>, GradError> {
        let [m, got] = coefficients.dims();
        if got != self.num_examples() {
            return Err(GradError::Coefficients {
                expected: self.num_examples(),
                got,
            });
        }
        let coefficients = coefficients.clone().inner();
        let mut combined: Vec<_> = (0..m).map(|_| GradientsParams::new()).collect();
        for each in &self.parameters {
            let Parameter {
                id, shape, dtype, ..
            } = &each.parameter;
            let size = each.size();
            // As Burn's own backward pass has no gradient for what the losses do not depend on.
            let Some(factor) = each.wide() else { continue };
            let sums = factor.combine(&coefficients.clone().cast(factor.dtype()));
            let sums = sums.cast(*dtype);
            for (row, sums_of_row) in combined.iter_mut().enumerate() {
                let sum = match m {
                    1 => sums.clone(),
                    _ => sums.clone().narrow(0, row, 1),
                };
                register(sums_of_row, *id, sum.reshape([size]), shape);
            }
        }
        Ok(combined)
    }

    /// Weighted sums of the gradients, one for each row of `coefficients` `[m, n]`, as the gradients
    /// of m prototypes, to compare other examples with.
    ///
    /// The sum of a weight `[d, e]` is kept as its `rank` leading singular pairs, so that inner
    /// products with n gradients take 2 n t m `rank` (d + e) operations and no array of parameter
    /// size. About 2 n t m d e operations to sum and 50 m `rank` d e for the pairs. The sum of an embedding
    /// that is only looked up is kept as it is. Sketches of the sums are not those of other draws.
    ///
    /// # Errors
    ///
    /// [`GradError::Coefficients`] unless every row has n entries; [`GradError::Setting`] for a rank of 0.
    pub fn condense(&self, coefficients: &Tensor<2>, rank: usize) -> Result<Self, GradError> {
        let [m, got] = coefficients.dims();
        if got != self.num_examples() {
            return Err(GradError::Coefficients {
                expected: self.num_examples(),
                got,
            });
        }
        if rank == 0 {
            return Err(GradError::Setting {
                operation: "condense",
                name: "rank",
                expected: "at least 1",
                got: 0.0,
            });
        }
        let mut condensed = self.clone();
        let coefficients = coefficients.clone().inner();
        condensed.zeros = Tensor::zeros([m], (&self.device(), self.zeros.dtype()));
        for each in &mut condensed.parameters {
            let sums = |factor: Factor| {
                let coefficients = coefficients.clone().cast(factor.dtype());
                factor.condense(&coefficients, rank)
            };
            each.factor = each.wide().map(sums);
            // Its products with other draws are no longer those of a single position.
            each.weight = None;
        }
        Ok(condensed)
    }
}

/// Registers a flat gradient under the parameter's own shape.
fn register(gradients: &mut GradientsParams, id: ParamId, flat: Tensor<1>, shape: &[usize]) {
    fn shaped<const D: usize>(flat: Tensor<1>, shape: &[usize]) -> Tensor<D> {
        let mut dims = [1; D];
        dims.copy_from_slice(shape);
        flat.reshape(dims)
    }
    match shape.len() {
        1 => gradients.register(id, shaped::<1>(flat, shape)),
        2 => gradients.register(id, shaped::<2>(flat, shape)),
        3 => gradients.register(id, shaped::<3>(flat, shape)),
        4 => gradients.register(id, shaped::<4>(flat, shape)),
        5 => gradients.register(id, shaped::<5>(flat, shape)),
        _ => gradients.register(id, shaped::<6>(flat, shape)),
    }
}
