//! Activations with parameters.

use burn::nn::activation::{Activation, PRelu, SwiGlu};
use burn::tensor::Tensor;

use gradual_ops::{gelu, gelu_approximate, silu};

use crate::taps::expand::copies;
use crate::taps::tap::Tap;
use crate::taps::tap::traced_on;

/// `[n, …]` or `[n, channels, …]`, as many channels as slopes → the same shape.
impl<const D: usize> Tap<Tensor<D>> for PRelu {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        let dims = input.dims();
        if !traced_on(self, &input.device()) || dims.contains(&0) {
            return self.forward(input);
        }
        let [slopes] = self.alpha.val().dims();
        let mut shape = [1; D];
        shape[0] = dims[0];
        // More slopes than one belong to the second axis, which Burn's own `forward` asks to be there.
        match (slopes, shape.get_mut(1)) {
            (1, _) => {}
            (_, Some(channels)) if dims[1] == slopes => *channels = slopes,
            _ => return self.forward(input),
        }
        let slopes: Tensor<2> = copies("PRelu", &self.alpha, dims[0]);
        let scaled = input.clone() * slopes.reshape(shape);
        input.clone().mask_where(input.lower_elem(0.0), scaled)
    }
}

/// `[n, …, d]` → `[n, …, e]`.
impl<const D: usize> Tap<Tensor<D>> for SwiGlu {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        silu(self.linear_inner.tap(input.clone())) * self.linear_outer.tap(input)
    }
}

/// What the activation that it holds takes.
impl<const D: usize> Tap<Tensor<D>> for Activation {
    type Output = Tensor<D>;

    fn tap(&self, input: Tensor<D>) -> Tensor<D> {
        match self {
            Self::PRelu(layer) => layer.tap(input),
            Self::SwiGlu(layer) => layer.tap(input),
            without_parameters => activated(without_parameters, input),
        }
    }
}

/// An activation whose parameters, if it has any, are not those of the model.
pub(super) fn activated<const D: usize>(activation: &Activation, input: Tensor<D>) -> Tensor<D> {
    match activation {
        Activation::Gelu(layer) if layer.approximate => gelu_approximate(input),
        Activation::Gelu(_) => gelu(input),
        other => other.forward(input),
    }
}
