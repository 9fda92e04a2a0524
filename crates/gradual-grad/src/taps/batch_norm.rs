//! Batch normalisation has no per-example gradient.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use crate::Tap;
use crate::tap::traced;
use crate::tape;

/// Refused by a trace: see the error that it gives.
impl<const D: usize> Tap<Tensor<D>> for BatchNorm {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        if traced(self) {
            let problem = "is a batch norm, which mixes the examples of a draw: one example's loss \
                           depends on the others, so no example has a gradient of its own; use a \
                           layer norm, RMS norm or group norm instead";
            tape::refuse(self.gamma.id, problem.to_owned());
        }
        self.forward(input)
    }
}
