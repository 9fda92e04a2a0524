//! Layer norm.

use burn::tensor::{Tensor, module};

/// Rows of the last axis moved to mean 0 and scaled to variance 1, then scaled by `gamma` `[d]` and moved by `beta` `[d]`:
/// (x − μ)/√(σ² + ε) γ + β, of the biased variance σ². `[…, d]` → `[…, d]`.
///
/// # Panics
///
/// Where shapes do not fit.
pub fn layer_norm<const D: usize>(
    x: Tensor<D>,
    gamma: Tensor<1>,
    beta: Option<Tensor<1>>,
    epsilon: f64,
) -> Tensor<D> {
    let (width, [scales]) = (x.dims()[D - 1], gamma.dims());
    assert!(
        width == scales && beta.as_ref().is_none_or(|beta| beta.dims() == [width]),
        "layer norm: {scales} scales, and as many shifts, do not fit rows of {width}"
    );
    #[cfg(feature = "flex")]
    if let Some(normalised) = crate::flex::norm::layer_norm(&x, &gamma, beta.as_ref(), epsilon) {
        return normalised;
    }
    module::layer_norm(x, gamma, beta, epsilon)
}
