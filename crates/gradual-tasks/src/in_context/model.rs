//! The model: layers of attention with one head, and a perceptron that reads the last token.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{relu, softmax};
use burn::tensor::{Bool, Device, Tensor};
use gradual::grad::Tap;
use rand_chacha::ChaCha8Rng;

use super::config::InContextConfig;
use crate::weights::linear;

/// Causal attention with one head and nothing else: no norm, no output projection, no biases, as in Reddy (2023).
#[derive(Module, Debug)]
pub struct InContextNet {
    layers: Vec<Attention>,
    first: Linear,
    second: Linear,
    out: Linear,
}

/// x + softmax(Q Kᵀ / √d) V.
#[derive(Module, Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
}

impl Attention {
    fn new(width: usize, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let mut without_bias = || Linear {
            bias: None,
            ..linear(width, width, random, device)
        };
        Self {
            query: without_bias(),
            key: without_bias(),
            value: without_bias(),
        }
    }

    /// `[n, t, d]` → `[n, s, d]`: the last `s` tokens, with what they attend to added.
    fn forward(&self, x: Tensor<3>, last: usize) -> Tensor<3> {
        let [n, t, d] = x.dims();
        let reading = x.clone().narrow(1, t - last, last);
        let query = self.query.tap(reading.clone());
        let key = self.key.tap(x.clone());
        let scores = query.matmul(key.swap_dims(1, 2)) / (d as f64).sqrt();
        let future = Tensor::<2, Bool>::tril_mask([t, t], 0, &x.device());
        let future = future.narrow(0, t - last, last).reshape([1, last, t]);
        let scores = scores.mask_fill(future.expand([n, last, t]), f32::NEG_INFINITY);
        reading + softmax(scores, 2).matmul(self.value.tap(x))
    }
}

impl InContextNet {
    pub(super) fn new(config: &InContextConfig, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let width = config.width();
        let layers = (0..config.layers).map(|_| Attention::new(width, random, device));
        Self {
            layers: layers.collect(),
            first: linear(width, config.hidden, random, device),
            second: linear(config.hidden, config.hidden, random, device),
            out: linear(config.hidden, config.labels, random, device),
        }
    }

    /// Sequences `[n, t, d]` → logits of the label of the last token `[n, labels]`, every layer tapped.
    pub fn forward(&self, sequences: Tensor<3>) -> Tensor<2> {
        let [n, t, d] = sequences.dims();
        let mut x = sequences;
        for (at, layer) in self.layers.iter().enumerate() {
            // Of the last layer, nothing else is read.
            let last = if at + 1 == self.layers.len() { 1 } else { t };
            x = layer.forward(x, last);
        }
        let hidden = relu(self.first.tap(x.reshape([n, d])));
        self.out.tap(relu(self.second.tap(hidden)))
    }
}

/// The weights as plain numbers, row-major, inputs by outputs.
#[cfg(test)]
pub(super) struct Plain {
    pub(super) attention: Vec<[Vec<f32>; 3]>,
    /// Weight and bias of each layer.
    pub(super) perceptron: Vec<(Vec<f32>, Vec<f32>)>,
}

#[cfg(test)]
impl InContextNet {
    pub(super) fn plain(&self) -> Plain {
        fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
            tensor.into_data().try_to_vec().expect("numbers")
        }
        let attention = self.layers.iter().map(|layer| {
            [&layer.query, &layer.key, &layer.value].map(|one| numbers(one.weight.val()))
        });
        let perceptron = [&self.first, &self.second, &self.out].into_iter();
        let perceptron = perceptron.map(|layer| {
            let bias = layer.bias.as_ref().map(|bias| numbers(bias.val()));
            (numbers(layer.weight.val()), bias.unwrap_or_default())
        });
        Plain {
            attention: attention.collect(),
            perceptron: perceptron.collect(),
        }
    }
}
