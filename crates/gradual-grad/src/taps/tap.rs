//! Taps: `forward`, seen by a trace.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};

use crate::trace::tape;

/// Layers that a trace can see.
///
/// `layer.tap(x)` is `layer.forward(x)` unless a [`trace`](crate::trace()) of the model that the layer
/// belongs to is running on this thread; then what the per-example gradients need is kept. The first axis
/// of every tapped input counts the examples.
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

/// Whether a running trace wants the gradients of any parameter of this layer, LoRA adapters included. If not, `tap` is
/// `forward`.
///
/// A trace wants those of the trainable parameters of the model that it was given. A teacher, a frozen copy or another
/// module has none of them, whatever its parameters' identities.
pub(crate) fn traced<M: Module>(layer: &M) -> bool {
    struct Any(bool);
    impl ModuleVisitor for Any {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            self.0 = self.0 || tape::wants(param.id, || param.is_require_grad());
        }
    }
    if !tape::running() {
        return false;
    }
    let mut any = Any(false);
    layer.visit(&mut any);
    any.0
}

/// The same of a layer that is about to add a leaf to what it makes of an input on `device`.
pub(crate) fn traced_on<M: Module>(layer: &M, device: &Device) -> bool {
    let traced = traced(layer);
    if traced {
        tape::meet(device);
    }
    traced
}

/// The value of a parameter without gradients, for passes whose parameters a trace handles itself.
pub(crate) fn constant<const D: usize>(param: &Param<Tensor<D>>) -> Tensor<D> {
    param.val().inner()
}

/// A zero leaf `[rows, columns]`, or the given value spread over it. Its gradient is what the trace
/// is after.
pub(crate) fn leaf(value: Option<Tensor<1>>, rows: usize, like: &Tensor<1>) -> Tensor<2> {
    let [columns] = like.dims();
    let value = value.unwrap_or_else(|| like.clone().inner().zeros_like());
    differentiable(value.reshape([1, columns]).expand([rows, columns]))
}

/// The same values as a leaf of the graph that the traced model builds.
pub(crate) fn differentiable<const D: usize>(value: Tensor<D>) -> Tensor<D> {
    let value = value.inner();
    match tape::context() {
        None => value.autodiff().require_grad(),
        // Only an operation takes on a context that is not the default.
        Some(device) => {
            let zero = Tensor::<D>::zeros([1; D], (&device, value.dtype()));
            (value + zero).require_grad()
        }
    }
}
