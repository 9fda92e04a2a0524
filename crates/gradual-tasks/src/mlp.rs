//! A multilayer perceptron.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use gradual::grad::Tap;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Linear layers with ReLU between them.
#[derive(Module, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// `widths` from input to output. Weights and biases are uniform in ±1/√fan-in (PyTorch's
    /// default for linear layers) and depend on `random` alone, not on the backend.
    pub fn new(widths: &[usize], random: &mut ChaCha8Rng, device: &Device) -> Self {
        let layers = widths.windows(2).map(|pair| {
            let (d, e) = (pair[0], pair[1]);
            let bound = 1.0 / (d.max(1) as f32).sqrt();
            let mut uniform = |shape: Vec<usize>| {
                let values =
                    (0..shape.iter().product()).map(|_| random.random_range(-bound..bound));
                TensorData::new(values.collect::<Vec<f32>>(), shape)
            };
            let mut layer = LinearConfig::new(d, e).init(device);
            layer.weight = Param::from_data(uniform(vec![d, e]), device);
            layer.bias = Some(Param::from_data(uniform(vec![e]), device));
            layer
        });
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
