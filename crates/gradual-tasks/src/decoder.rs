//! A small character-level decoder.

use burn::module::{Module, Param};
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear};
use burn::tensor::activation::relu;
use burn::tensor::{Bool, Device, Int, Tensor};
use gradual::grad::{AttentionInput, Tap, TiedReadout, per_example};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::setting::{SettingError, count, evaluation, parameters};
use crate::weights::{linear, uniform};

/// Sizes of a [`Decoder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoderConfig {
    /// Number of tokens v.
    pub vocabulary: usize,
    /// Longest sequence.
    pub context: usize,
    /// Width d of the residual stream.
    pub width: usize,
    /// Attention heads; they divide the width.
    pub heads: usize,
    /// Blocks.
    pub layers: usize,
    /// Width of the hidden layer in each block.
    pub hidden: usize,
}

impl DecoderConfig {
    /// Number of parameters.
    #[must_use]
    pub fn num_parameters(&self) -> u128 {
        let [tokens, context, width, layers, hidden] = [
            self.vocabulary,
            self.context,
            self.width,
            self.layers,
            self.hidden,
        ]
        .map(|size| size as u128);
        let attention = 4 * width * (width + 1) + 4 * width;
        let block = attention + hidden * (2 * width + 1) + width;
        (tokens + context + 2) * width + layers * block
    }

    /// Whether the sizes that a user chooses are in their ranges and go together.
    pub(crate) fn check_sizes(&self) -> Result<(), SettingError> {
        count("width", 1..=4_096, self.width)?;
        count("heads", 1..=64, self.heads)?;
        count("layers", 1..=64, self.layers)?;
        count("hidden", 1..=65_536, self.hidden)?;
        match self.width.is_multiple_of(self.heads) {
            true => Ok(()),
            false => Err(SettingError::Together {
                name: "heads",
                got: self.heads,
                problem: format!("it has to divide width = {}", self.width),
            }),
        }
    }

    /// The same, and whether it has a number of parameters that fits, and its evaluation on `held_out` examples at a time.
    pub(crate) fn check(&self, held_out: usize) -> Result<(), SettingError> {
        self.check_sizes()?;
        let others = format!("layers = {} and hidden = {}", self.layers, self.hidden);
        parameters("width", self.width, &others, self.num_parameters())?;
        let others = format!(
            "width = {}, heads = {} and hidden = {}",
            self.width, self.heads, self.hidden
        );
        let numbers = held_out as u128 * self.numbers();
        evaluation("held_out", held_out, &others, numbers)
    }

    /// Numbers of the largest layer for one example.
    pub(crate) fn numbers(&self) -> u128 {
        let [tokens, context, width, heads, hidden] = [
            self.vocabulary,
            self.context,
            self.width,
            self.heads,
            self.hidden,
        ]
        .map(|size| size as u128);
        let widest = (4 * width).max(hidden).max(tokens).max(heads * context);
        context * widest
    }
}

/// Pre-norm blocks of causal attention and ReLU layers, learned positions, and one weight for
/// embedding and read-out. Written with Burn's layers; every one is tapped.
#[derive(Module, Debug)]
pub struct Decoder {
    embedding: Embedding,
    positions: Param<Tensor<2>>,
    blocks: Vec<Block>,
    norm: LayerNorm,
}

/// One block.
#[derive(Module, Debug)]
struct Block {
    norm1: LayerNorm,
    attention: MultiHeadAttention,
    norm2: LayerNorm,
    up: Linear,
    down: Linear,
}

impl Decoder {
    /// Fresh weights that depend on `random` alone: linear layers uniform in ±1/√fan-in, embedding
    /// and positions uniform with standard deviation 0.02·√3.
    pub fn new(config: &DecoderConfig, random: &mut ChaCha8Rng, device: &Device) -> Self {
        let DecoderConfig {
            vocabulary,
            context,
            width,
            heads,
            layers,
            hidden,
        } = *config;
        let norm = || LayerNormConfig::new(width).init(device);
        let mut embedding = EmbeddingConfig::new(vocabulary, width).init(device);
        embedding.weight = uniform([vocabulary, width], 0.06, random, device);
        let positions = uniform([context, width], 0.06, random, device);
        let blocks = (0..layers).map(|_| {
            let attention = MultiHeadAttentionConfig::new(width, heads).with_dropout(0.0);
            let mut attention = attention.init(device);
            attention.query = linear(width, width, random, device);
            attention.key = linear(width, width, random, device);
            attention.value = linear(width, width, random, device);
            attention.output = linear(width, width, random, device);
            Block {
                norm1: norm(),
                attention,
                norm2: norm(),
                up: linear(width, hidden, random, device),
                down: linear(hidden, width, random, device),
            }
        });
        Self {
            embedding,
            positions,
            blocks: blocks.collect(),
            norm: norm(),
        }
    }

    /// Tokens `[n, t]` → logits of the next token `[n, t, v]`.
    pub fn forward(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [n, t] = tokens.dims();
        let device = tokens.device();
        let positions: Tensor<3> = per_example(&self.positions, n);
        let mut x = self.embedding.tap(tokens) + positions.narrow(1, 0, t);
        let future = Tensor::<2, Bool>::tril_mask([t, t], 0, &device);
        let future = future.reshape([1, t, t]).expand([n, t, t]);
        for block in &self.blocks {
            let input = AttentionInput::self_attn(block.norm1.tap(x.clone()));
            x = x + block.attention.tap(input.mask_attn(future.clone())).context;
            let hidden = relu(block.up.tap(block.norm2.tap(x.clone())));
            x = x + block.down.tap(hidden);
        }
        self.embedding.readout(self.norm.tap(x))
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::TensorData;
    use gradual::grad::{naive_rows, trace};
    use rand::SeedableRng;

    use super::*;

    fn tiny() -> Decoder {
        let config = DecoderConfig {
            vocabulary: 7,
            context: 6,
            width: 4,
            heads: 2,
            layers: 2,
            hidden: 5,
        };
        let mut random = ChaCha8Rng::seed_from_u64(1);
        Decoder::new(&config, &mut random, &Device::flex().autodiff())
    }

    fn tokens(rows: [[i32; 5]; 3]) -> Tensor<2, Int> {
        Tensor::from_data(TensorData::from(rows), &Device::flex())
    }

    #[test]
    fn the_count_of_parameters_is_that_of_the_model() {
        let config = DecoderConfig {
            vocabulary: 7,
            context: 6,
            width: 4,
            heads: 2,
            layers: 2,
            hidden: 5,
        };
        assert_eq!(tiny().num_params() as u128, config.num_parameters());
    }

    #[test]
    fn every_parameter_is_covered_exactly() {
        let model = tiny();
        let tokens = tokens([[0, 1, 2, 3, 4], [6, 6, 5, 1, 0], [2, 3, 2, 3, 2]]);
        let losses = |m: &Decoder| {
            m.forward(tokens.clone())
                .powi_scalar(2)
                .reshape([3, 35])
                .sum_dim(1)
                .reshape([3])
        };
        let traced = trace(&model, losses).unwrap();
        let (found, expected) = (traced.gradients.rows(), naive_rows(&model, losses));
        let size: f32 = expected.clone().abs().max().into_scalar();
        let off: f32 = (found - expected).abs().max().into_scalar();
        assert!(off < 1e-4 * size, "{off} of {size}");
    }

    #[test]
    fn no_position_sees_the_future() {
        let model = tiny();
        let [a, b] = [[0, 1, 2, 3, 4], [0, 1, 2, 6, 6]].map(|row| {
            let logits = model
                .forward(tokens([row, row, row]))
                .inner()
                .narrow(1, 0, 3);
            logits.into_data().try_to_vec::<f32>().unwrap()
        });
        assert_eq!(a, b);
    }
}
