//! A multilayer perceptron.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use gradual::grad::Tap;
use rand_chacha::ChaCha8Rng;

use crate::weights::linear;

/// Linear layers with ReLU between them.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// `widths` from input to output. Weights and biases are uniform in ±1/√fan-in and depend on
    /// `random` alone, not on the backend.
    pub fn new(widths: &[usize], random: &mut ChaCha8Rng, device: &Device) -> Self {
        let layers = widths
            .windows(2)
            .map(|pair| linear(pair[0], pair[1], random, device));
        Self {
            layers: layers.collect(),
        }
    }

    /// `[n, d]` → `[n, e]`, every layer tapped.
    pub fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        let mut hidden = inputs;
        for (index, layer) in self.layers.iter().enumerate() {
            hidden = layer.tap(if index == 0 { hidden } else { relu(hidden) });
        }
        hidden
    }
}
