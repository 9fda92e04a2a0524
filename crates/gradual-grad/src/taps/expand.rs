//! Any other parameter that is used by broadcasting over the examples.

use burn::module::Param;
use burn::tensor::Tensor;

use crate::taps::adapter::{AdaptedWeight, parameters};
use crate::taps::tap::{constant, differentiable, traced};
use crate::trace::tape::{self, Use};

/// One copy of a parameter `[…]` per example, `[n, …]`: for learned positions, scalars, class
/// tokens and whatever else is added to or multiplied with every example.
///
/// `E` must be `D + 1`. Under a trace the copies are the leaf, and their gradient is the
/// per-example gradient, `n` times the parameter's size in memory. A matrix may carry a LoRA adapter.
///
/// ```
/// use burn::module::Param;
/// use burn::tensor::{Device, Tensor};
/// use gradual_grad::per_example;
///
/// let positions = Param::from_tensor(Tensor::<2>::zeros([7, 4], &Device::flex()));
/// let copies: Tensor<3> = per_example(&positions, 5);
/// assert_eq!(copies.dims(), [5, 7, 4]);
/// ```
///
/// # Panics
///
/// Unless `E` is `D + 1`.
pub fn per_example<const D: usize, const E: usize>(
    param: &Param<Tensor<D>>,
    n: usize,
) -> Tensor<E> {
    assert_eq!(
        E,
        D + 1,
        "per_example: the copies of a tensor of rank {D} have rank {}",
        D + 1
    );
    copies("expanded", param, n)
}

/// [`per_example`] under the name of a layer.
pub(super) fn copies<const D: usize, const E: usize>(
    layer: &'static str,
    param: &Param<Tensor<D>>,
    n: usize,
) -> Tensor<E> {
    let value = param.val();
    let mut shape = [n; E];
    shape[1..].copy_from_slice(&value.dims());
    if !traced(param) || n == 0 {
        return value.unsqueeze::<E>().expand(shape);
    }
    let behind = AdaptedWeight::of(param);
    let p = value.shape().num_elements();
    let leaf = differentiable(constant(param).reshape([1, p]).expand([n, p]));
    tape::record(Use {
        layer,
        examples: n,
        parameters: parameters(param),
        pair: None,
        leaf: leaf.clone(),
        resolve: Box::new(move |deltas| behind.copied(deltas)),
    });
    leaf.reshape(shape)
}
