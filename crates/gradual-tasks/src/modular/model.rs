//! The model of modular arithmetic.

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor};
use gradual::grad::Tap;
use rand_chacha::ChaCha8Rng;

use super::config::ModularConfig;
use crate::weights::{linear, uniform};

/// Both numbers, embedded apart for each operation, side by side through a hidden layer to the answers.
#[derive(Module, Debug)]
pub struct ModularNet {
    embedding: Embedding,
    hidden: Linear,
    out: Linear,
}

impl ModularNet {
    pub(super) fn new(config: &ModularConfig, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let (p, d) = (config.modulus, config.embedding);
        let tokens = p * config.operations.len();
        let mut embedding = EmbeddingConfig::new(tokens, d).init(device);
        let bound = (3_f64.sqrt() * config.scale) as f32;
        embedding.weight = uniform([tokens, d], bound, random, device);
        Self {
            embedding,
            hidden: linear(2 * d, config.hidden, random, device),
            out: linear(config.hidden, p, random, device),
        }
    }

    /// Tokens `[n, 2]` → logits `[n, p]`, every layer tapped.
    pub fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<2> {
        let [n, _] = tokens.dims();
        let vectors = self.embedding.tap(tokens);
        let d = vectors.dims()[2];
        let hidden = self.hidden.tap(vectors.reshape([n, 2 * d]));
        self.out.tap(relu(hidden))
    }
}
