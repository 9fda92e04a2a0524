//! Batch normalisation: a fixed map in its evaluation form, no map of one example in its training form.

use burn::module::{Param, ParamId};
use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use crate::taps::norm::channels;
use crate::taps::tap::Tap;
use crate::taps::tap::{constant, traced, traced_on};
use crate::trace::tape;

/// `[n, channels, …]` → `[n, channels, …]`, in its evaluation form: there the running mean and variance are
/// constants, and each example is mapped by itself. A trace refuses the training form.
impl<const D: usize> Tap<Tensor<D>> for BatchNorm {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        // Burn's own condition.
        if input.device().is_autodiff() && self.training.is_enabled() {
            // Frozen or another model's, it still mixes what goes through it.
            if traced(self) || tape::running() && input.is_tracked() {
                let problem = "is a batch norm, which mixes the examples of a draw: one example's loss depends on the \
                               others, so no example has a gradient of its own; put it into its evaluation form with \
                               `freeze()`, or use a layer norm, RMS norm or group norm instead";
                tape::refuse(self.gamma.id, problem.to_owned());
                // Nothing comes of this pass, so the running mean and variance stay as they were.
                return input;
            }
            return self.forward(input);
        }
        if !traced_on(self, &input.device()) || D < 2 || dims.contains(&0) {
            return self.forward(input);
        }
        let mut plain = self.clone();
        let (ones, zeros) = (
            constant(&self.gamma).ones_like(),
            constant(&self.beta).zeros_like(),
        );
        plain.gamma = Param::initialized(ParamId::new(), ones);
        plain.beta = Param::initialized(ParamId::new(), zeros);
        channels("batch norm", plain.forward(input), &self.gamma, &self.beta)
    }
}
