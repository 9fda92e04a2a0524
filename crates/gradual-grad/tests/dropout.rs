//! Dropout draws one mask for the pass. Alone in its program, because the backend's random stream is
//! shared by all threads.

mod common;

use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::optim::GradientsParams;
use burn::tensor::{FloatDType, Tensor};
use common::{close, device, flatten, squares, values};
use gradual_grad::{AttentionInput, Tap, trace};

/// Losses and gradients of a trace belong to the same mask.
#[test]
fn dropout_draws_one_mask() {
    let model = MultiHeadAttentionConfig::new(4, 2)
        .with_dropout(0.5)
        .init(&device());
    let losses = |m: &MultiHeadAttention| {
        let x = values([4, 3, 4], 1, FloatDType::F32);
        squares(m.tap(AttentionInput::self_attn(x)).context)
    };
    // Weights are drawn at first use, from the same stream as masks.
    let first = losses(&model);
    let device = device();
    device.seed(11);
    let traced = trace(&model, losses).expect("covered");
    device.seed(11);
    let plain = losses(&model);
    assert!(
        common::distance(first.inner(), plain.clone().inner()) > 1e-3,
        "masks differ"
    );
    close("losses", traced.losses, plain.clone().inner(), 1e-5);
    let gradients = GradientsParams::from_grads(plain.sum().backward(), &model);
    let combined = traced
        .gradients
        .combine(&Tensor::ones([4], &device))
        .expect("four");
    close(
        "sum",
        flatten(&model, &combined),
        flatten(&model, &gradients),
        1e-4,
    );
}
