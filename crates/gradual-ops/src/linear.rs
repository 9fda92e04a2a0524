//! Linear layers.

use burn::tensor::{Tensor, module};

/// x W + b over the last axis: x `[…, d]`, weight `[d, e]` and bias `[e]`, as Burn's linear layers have them; `[…, e]`.
///
/// # Panics
///
/// Where shapes do not fit.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    bias: Option<Tensor<1>>,
) -> Tensor<D> {
    let (width, [d, e]) = (x.dims()[D - 1], weight.dims());
    assert!(
        width == d && bias.as_ref().is_none_or(|bias| bias.dims() == [e]),
        "linear: a weight [{d}, {e}], and as long a bias, do not fit rows of {width}"
    );
    #[cfg(feature = "flex")]
    if let Some(output) = crate::flex::linear::linear(&x, &weight, bias.as_ref()) {
        return output;
    }
    module::linear(x, weight, bias)
}
