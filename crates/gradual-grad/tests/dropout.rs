//! Dropout draws one mask for the pass, and the same in all passes of a check. Alone in their program and one after
//! the other, because the backend's random stream is shared by all threads.

mod common;

use std::sync::Mutex;

use burn::module::Module;
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::activation::relu;
use burn::tensor::{Device, FloatDType, Tensor};
use common::{On, close, device, filled, flatten, squares, values};
use gradual_grad::{AttentionInput, Tap, trace, verify};

static ALONE: Mutex<()> = Mutex::new(());

fn model() -> MultiHeadAttention {
    MultiHeadAttentionConfig::new(4, 2)
        .with_dropout(0.5)
        .init(&device())
}

fn losses(m: &MultiHeadAttention) -> Tensor<1> {
    let x = values([4, 3, 4], 1, FloatDType::F32);
    squares(m.tap(AttentionInput::self_attn(x)).context)
}

/// Losses and gradients of a trace belong to the same mask.
#[test]
fn dropout_draws_one_mask() {
    let _alone = ALONE.lock();
    let model = model();
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

#[test]
fn a_check_draws_the_same_masks_in_all_passes() {
    let _alone = ALONE.lock();
    let model = model();
    let verified = verify(&model, losses).expect("right");
    assert_eq!(
        (verified.differences.len(), verified.warnings.len()),
        (8, 0)
    );
    // Runs that were seeded apart stay apart.
    let after = |seed| {
        device().seed(seed);
        verify(&model, losses).expect("right");
        common::numbers(losses(&model))
    };
    let (one, again, other) = (after(1), after(1), after(2));
    assert_eq!(one, again);
    assert_ne!(one, other);
}

#[test]
fn dropout_under_checkpointing() {
    let _alone = ALONE.lock();
    #[derive(Module, Debug)]
    struct Dropped {
        one: Linear,
        dropout: Dropout,
        other: Linear,
    }
    for device in [device(), Device::flex().autodiff().gradient_checkpointing()] {
        let model = filled(Dropped {
            one: LinearConfig::new(3, 16).init(&common::device()),
            dropout: DropoutConfig::new(0.3).init(),
            other: LinearConfig::new(16, 4).init(&common::device()),
        })
        .map(&mut On(device.clone()));
        let data = values([8, 3], 11, FloatDType::F32).inner().into_data();
        let x = Tensor::<2>::from_data(data, &device);
        let losses = |m: &Dropped| {
            let h = m.dropout.forward(relu(m.one.tap(x.clone())));
            m.other.tap(h).powi_scalar(2).sum_dim(1).reshape([8])
        };
        let verified = verify(&model, losses).expect("right");
        assert!(verified.warnings.is_empty(), "{verified:?}");
        assert_eq!(verified.differences.len(), 4);
    }
}
