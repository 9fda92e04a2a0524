//! Taps: `forward`, seen by a trace.

use burn::nn::Linear;
use burn::tensor::Tensor;

use crate::tape::{self, Use};

/// Layers that a trace can see.
///
/// `layer.tap(x)` is `layer.forward(x)` unless a [`trace`](crate::trace()) is running on this
/// thread; then the layer's input and output-gradient are kept for the per-example gradients. The
/// first axis of every tapped input counts the examples.
pub trait Tap<Input> {
    /// What the layer's `forward` returns.
    type Output;

    /// The layer's forward pass, seen by a trace.
    ///
    /// # Panics
    ///
    /// Where the layer's `forward` does, on an input of the wrong width.
    fn tap(&self, input: Input) -> Self::Output;
}

/// `[n, …, d]` → `[n, …, e]`.
impl<const D: usize> Tap<Tensor<D>> for Linear {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        if !tape::recording() {
            return self.forward(input);
        }
        let dims = input.dims();
        if D < 2 {
            let problem = format!("needs an input of [examples, …, width], got {dims:?}");
            tape::refuse(self.weight.id, problem);
            return self.forward(input);
        }
        let weight = self.weight.val().inner();
        let [d, e] = weight.dims();
        if dims[D - 1] != d || dims[0] == 0 {
            return self.forward(input);
        }
        let n = dims[0];
        let t = dims[1..D - 1].iter().product::<usize>();

        // The expanded bias is itself the leaf: one addition, as in the layer's own forward.
        let inputs = input.reshape([n * t, d]);
        let leaf = match &self.bias {
            Some(bias) => bias.val().inner().reshape([1, e]).expand([n * t, e]),
            None => {
                Tensor::<2>::zeros([1, 1], (&weight.device(), weight.dtype())).expand([n * t, e])
            }
        };
        let leaf = leaf.autodiff().require_grad();
        tape::record(Use {
            weight: self.weight.id,
            bias: self.bias.as_ref().map(|bias| bias.id),
            inputs: inputs.clone().inner().reshape([n, t, d]),
            leaf: leaf.clone(),
        });

        let mut output = dims;
        output[D - 1] = e;
        (inputs.matmul(weight) + leaf).reshape(output)
    }
}
