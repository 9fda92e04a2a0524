//! Activations: GELU and SiLU.

use burn::tensor::{Tensor, activation};

/// x Φ(x), Φ the distribution function of the normal distribution. Any shape → the same.
#[must_use]
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if let Some(found) =
        crate::flex::activation::activated(&x, crate::kernels::activation::Kind::Gelu)
    {
        return found;
    }
    activation::gelu(x)
}

/// x (1 + tanh(√(2/π) (x + 0.044715 x³)))/2, which is near [`gelu`]. Any shape → the same.
#[must_use]
pub fn gelu_approximate<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if let Some(found) =
        crate::flex::activation::activated(&x, crate::kernels::activation::Kind::GeluApproximate)
    {
        return found;
    }
    activation::gelu_approximate(x)
}

/// x/(1 + e⁻ˣ). Any shape → the same.
#[must_use]
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if let Some(found) =
        crate::flex::activation::activated(&x, crate::kernels::activation::Kind::Silu)
    {
        return found;
    }
    activation::silu(x)
}
