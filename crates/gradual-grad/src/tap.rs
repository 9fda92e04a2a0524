//! Taps: `forward`, seen by a trace.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::tape;

/// Layers that a trace can see.
///
/// `layer.tap(x)` is `layer.forward(x)` unless a [`trace`](crate::trace()) is running on this
/// thread; then what the per-example gradients need is kept. The first axis of every tapped input
/// counts the examples.
pub trait Tap<Input> {
    /// What the layer's `forward` returns.
    type Output;

    /// The layer's forward pass, seen by a trace.
    ///
    /// # Panics
    ///
    /// Where the layer's `forward` does, on an input of the wrong shape.
    fn tap(&self, input: Input) -> Self::Output;
}

/// A copy of the layer's parameter without gradients, for passes whose parameters a trace handles
/// itself.
pub(crate) fn constant<const D: usize>(param: &Param<Tensor<D>>) -> Tensor<D> {
    param.val().inner()
}

/// A zero leaf `[rows, columns]`, or the given value spread over it. Its gradient is what the trace
/// is after.
pub(crate) fn leaf(value: Option<Tensor<1>>, rows: usize, like: &Tensor<1>) -> Tensor<2> {
    let [columns] = like.dims();
    let value = value.unwrap_or_else(|| like.clone().inner().zeros_like());
    value
        .reshape([1, columns])
        .expand([rows, columns])
        .autodiff()
        .require_grad()
}

/// Whether a running trace wants the gradients of any parameter of this layer.
pub(crate) fn traced<M: Module>(_layer: &M) -> bool {
    recording()
}

/// The same values as a leaf of the graph that the traced model builds.
pub(crate) fn differentiable<const D: usize>(value: Tensor<D>) -> Tensor<D> {
    value.inner().autodiff().require_grad()
}

/// Whether a trace is running, so that `tap` differs from `forward`.
pub(crate) fn recording() -> bool {
    tape::recording()
}
