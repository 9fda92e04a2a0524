//! Whole models: exact and verified.

use crate::common::{agree, cast, device, double, filled};
use burn::module::Module;
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::transformer::{TransformerEncoder, TransformerEncoderConfig};
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Bool, Device, FloatDType, Int, Tensor};
use gradual_grad::{AttentionInput, EncoderInput, Tap, TiedReadout, verify};

fn words() -> Tensor<2, Int> {
    Tensor::from_ints(
        [[1, 2, 6, 3], [0, 0, 3, 1], [5, 4, 4, 0], [2, 1, 6, 6]],
        &device(),
    )
}

/// −log p of the next word, the mean over positions.
fn next_word(logits: Tensor<3>, words: &Tensor<2, Int>) -> Tensor<1> {
    let [n, t, _] = logits.dims();
    let scores = log_softmax(logits, 2).narrow(1, 0, t - 1);
    let next = words.clone().narrow(1, 1, t - 1).reshape([n, t - 1, 1]);
    scores
        .gather(2, next)
        .reshape([n, t - 1])
        .mean_dim(1)
        .neg()
        .reshape([n])
}

#[derive(Module, Debug)]
struct Classifier {
    embedding: Embedding,
    encoder: TransformerEncoder,
    readout: Linear,
}

impl Classifier {
    fn new(device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(7, 8).init(device),
            encoder: TransformerEncoderConfig::new(8, 12, 2, 2).init(device),
            readout: LinearConfig::new(8, 3).init(device),
        }
    }

    /// Word 0 is padding.
    fn losses(&self, words: &Tensor<2, Int>) -> Tensor<1> {
        let [n, t] = words.dims();
        let padding: Tensor<2, Bool> = words.clone().equal_elem(0);
        let kept = padding
            .clone()
            .bool_not()
            .float()
            .cast(FloatDType::F64)
            .reshape([n, t, 1]);
        let input = EncoderInput::new(self.embedding.tap(words.clone())).mask_pad(padding);
        let h = self.encoder.tap(input) * kept.clone();
        let mean = h.sum_dim(1).reshape([n, 8]) / (kept.sum_dim(1).reshape([n, 1]) + 1.0);
        log_softmax(self.readout.tap(mean), 1)
            .narrow(1, 1, 1)
            .neg()
            .reshape([n])
    }
}

#[test]
fn an_encoder_with_padding() {
    let model = double(filled(Classifier::new(&device())));
    // Dropout is 0.1 by default: masks are drawn alike in all passes of the check.
    verify(&model, |m| m.losses(&words())).expect("right");
    let still = Classifier {
        encoder: TransformerEncoderConfig::new(8, 12, 2, 2)
            .with_dropout(0.0)
            .init(&device()),
        ..model
    };
    agree(&double(filled(still)), |m| m.losses(&words()), 1e-8);
}

/// A decoder that applies one block three times, and one weight for embedding and read-out.
#[derive(Module, Debug)]
struct Looped {
    embedding: Embedding,
    norm: LayerNorm,
    attention: MultiHeadAttention,
    up: Linear,
    down: Linear,
}

impl Looped {
    fn new(device: &Device) -> Self {
        Self {
            embedding: EmbeddingConfig::new(7, 8).init(device),
            norm: LayerNormConfig::new(8).init(device),
            attention: MultiHeadAttentionConfig::new(8, 2)
                .with_dropout(0.0)
                .init(device),
            up: LinearConfig::new(8, 16).init(device),
            down: LinearConfig::new(16, 8).init(device),
        }
    }

    fn losses(&self, words: &Tensor<2, Int>) -> Tensor<1> {
        let [n, t] = words.dims();
        let future = Tensor::<2, Bool>::tril_mask([t, t], 0, &words.device());
        let future = future.reshape([1, t, t]).expand([n, t, t]);
        let mut x = self.embedding.tap(words.clone());
        for _ in 0..3 {
            let input = AttentionInput::self_attn(self.norm.tap(x.clone()));
            x = x + self.attention.tap(input.mask_attn(future.clone())).context;
            x = x.clone() + self.down.tap(relu(self.up.tap(self.norm.tap(x))));
        }
        next_word(self.embedding.readout(x), words)
    }
}

#[test]
fn a_tied_decoder_with_one_block_applied_three_times() {
    let model = double(filled(Looped::new(&device())));
    let gradients = agree(&model, |m| m.losses(&words()), 1e-8);
    let coverage = gradients.coverage();
    let up = coverage
        .covered()
        .iter()
        .find(|each| each.path == "up.weight");
    assert_eq!(up.map(|each| each.uses.len()), Some(3));
    verify(&model, |m| m.losses(&words())).expect("right");
}

/// In single precision, too, where a key's bias has a gradient that is nothing but rounding.
#[test]
fn single_precision_is_no_difference() {
    let model = cast(filled(Looped::new(&device())), FloatDType::F32);
    let verified = verify(&model, |m| m.losses(&words())).expect("right");
    assert_eq!(verified.differences.len(), 15);
}
