//! A character-level decoder in a training loop of one's own, under the grouped loss of groups found in gradients.
//!
//! `cargo run --release -p gradual --example decoder`
//!
//! Nine prompts in ten ask for a word to be copied, one in ten for it to be reversed. Only the answer counts.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use burn::module::{Module, Param};
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::{
    Embedding, EmbeddingConfig, Initializer, LayerNorm, LayerNormConfig, Linear, LinearConfig,
};
use burn::optim::AdamConfig;
use burn::tensor::activation::{gelu, log_softmax};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};
use gradual::grad::{AttentionInput, TiedReadout, per_example};
use gradual::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Letters a to h, and the signs for "copy" and "reverse".
const VOCABULARY: usize = 10;
/// Letters of a word; an example is a sign, a word and its answer.
const WORD: usize = 3;
const LENGTH: usize = 2 * WORD + 1;
const WIDTH: usize = 32;

#[derive(Module, Debug)]
struct Decoder {
    embedding: Embedding,
    positions: Param<Tensor<2>>,
    norm1: LayerNorm,
    attention: MultiHeadAttention,
    norm2: LayerNorm,
    up: Linear,
    down: Linear,
    norm3: LayerNorm,
}

impl Decoder {
    fn new(device: &Device) -> Self {
        let small = Initializer::Normal {
            mean: 0.0,
            std: 0.1,
        };
        let norm = || LayerNormConfig::new(WIDTH).init(device);
        Self {
            embedding: EmbeddingConfig::new(VOCABULARY, WIDTH)
                .with_initializer(small)
                .init(device),
            positions: Param::from_tensor(Tensor::zeros([LENGTH, WIDTH], device)),
            norm1: norm(),
            attention: MultiHeadAttentionConfig::new(WIDTH, 4)
                .with_dropout(0.0)
                .init(device),
            norm2: norm(),
            up: LinearConfig::new(WIDTH, 4 * WIDTH).init(device),
            down: LinearConfig::new(4 * WIDTH, WIDTH).init(device),
            norm3: norm(),
        }
    }

    /// Tokens `[n, t]` to logits of the next one `[n, t, v]`.
    fn logits(&self, tokens: Tensor<2, Int>) -> Tensor<3> {
        let [n, t] = tokens.dims();
        let future = Tensor::<2, Bool>::tril_mask([t, t], 0, &tokens.device());
        let future = future.reshape([1, t, t]).expand([n, t, t]);
        // A parameter that is no layer: `per_example` is its tap.
        let positions: Tensor<3> = per_example(&self.positions, n);
        let mut x = self.embedding.tap(tokens) + positions.narrow(1, 0, t);
        let input = AttentionInput::self_attn(self.norm1.tap(x.clone())).mask_attn(future);
        x = x + self.attention.tap(input).context;
        x = x.clone() + self.down.tap(gelu(self.up.tap(self.norm2.tap(x))));
        // The read-out shares the weight of the embedding: the gradients of both uses add up.
        self.embedding.readout(self.norm3.tap(x))
    }

    /// Mean loss of the letters of the answer, `[n]`.
    fn losses(&self, tokens: &Tensor<2, Int>) -> Tensor<1> {
        let [n, t] = tokens.dims();
        let logits = self.logits(tokens.clone().narrow(1, 0, t - 1));
        let answers = tokens.clone().narrow(1, t - WORD, WORD).unsqueeze_dim(2);
        let answered = log_softmax(logits.narrow(1, t - 1 - WORD, WORD), 2).gather(2, answers);
        -answered.reshape([n, WORD]).mean_dim(1).squeeze_dim(1)
    }
}

/// `n` examples, of which a share asks for the reverse.
fn draw(n: usize, reversed: f64, random: &mut ChaCha8Rng, device: &Device) -> Tensor<2, Int> {
    let mut tokens = Vec::new();
    for _ in 0..n {
        let mut word: Vec<i32> = (0..WORD).map(|_| random.random_range(0..8)).collect();
        let reverse = random.random_bool(reversed);
        tokens.push(8 + i32::from(reverse));
        tokens.extend(&word);
        if reverse {
            word.reverse();
        }
        tokens.extend(&word);
    }
    Tensor::from_data(TensorData::new(tokens, [n, LENGTH]), device)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    device.seed(0);
    let mut model = Decoder::new(&device);
    verify(&model, |m| {
        m.losses(&draw(8, 0.5, &mut ChaCha8Rng::seed_from_u64(1), &device))
    })?;
    let held_out = [0.0, 1.0].map(|reversed| draw(200, reversed, &mut random, &device));
    let scores = |model: &Decoder| {
        let mean = |tokens: &Tensor<2, Int>| {
            let losses = model.valid().losses(tokens);
            losses.mean().into_scalar::<f32>()
        };
        held_out.each_ref().map(mean)
    };
    let mut optimizer = AdamConfig::new().init();
    let mut objective = Objective::new(KMeans::new(2, 0), SumOfSquares);
    for number in 0..=400 {
        if number % 100 == 0 {
            let [copy, reverse] = scores(&model);
            println!("step {number:3}: loss of copying {copy:.3}, of reversing {reverse:.3}");
        }
        let tokens = draw(64, 0.1, &mut random, &device);
        let stepped = step(&model, &mut objective, None, |m| m.losses(&tokens))?;
        model = optimizer.step(3e-3, model, stepped.update);
    }
    let [copy, _] = scores(&model);
    assert!(copy < 0.7, "copying is learned: {copy}");
    Ok(())
}
