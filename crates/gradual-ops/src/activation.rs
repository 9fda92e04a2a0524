//! Activations: GELU and SiLU.

pub(crate) mod kind;

use burn::tensor::{Tensor, activation};

use kind::Kind;

/// x Φ(x), Φ the distribution function of the normal distribution. Any shape → the same.
#[must_use]
pub fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Kind::Gelu)
}

/// x (1 + tanh(√(2/π) (x + 0.044715 x³)))/2, which is near [`gelu`]. Any shape → the same.
#[must_use]
pub fn gelu_approximate<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Kind::GeluApproximate)
}

/// x/(1 + e⁻ˣ). Any shape → the same.
#[must_use]
pub fn silu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    activated(x, Kind::Silu)
}

fn activated<const D: usize>(x: Tensor<D>, kind: Kind) -> Tensor<D> {
    #[cfg(feature = "flex")]
    if let Some(found) = crate::flex::activation::activated(&x, kind) {
        return found;
    }
    match kind {
        Kind::Gelu => activation::gelu(x),
        Kind::GeluApproximate => activation::gelu_approximate(x),
        Kind::Silu => activation::silu(x),
    }
}
