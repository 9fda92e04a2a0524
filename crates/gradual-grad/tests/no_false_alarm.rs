//! A check finds nothing where nothing is wrong.

use crate::common::{agree, cast, device, double, filled, squares, values};
use burn::module::Module;
use burn::nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::{LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::log_softmax;
use burn::tensor::{FloatDType, Tensor};
use gradual_grad::{AttentionInput, GradError, Tap, verify};

fn inputs(n: usize) -> Tensor<2> {
    values([n, 3], 11, FloatDType::F64)
}

#[test]
fn contrastive_with_detached_negatives() {
    let model: Linear = double(filled(LinearConfig::new(3, 4).init(&device())));
    let x = inputs(6);
    let losses = |m: &Linear| {
        let h = m.tap(x.clone());
        let scores = h.clone().matmul(h.clone().detach().transpose());
        let eye = Tensor::<2>::eye(6, &device()).cast(FloatDType::F64);
        (log_softmax(scores, 1) * eye).sum_dim(1).neg().reshape([6])
    };
    agree(&model, losses, 1e-9);
    verify(&model, losses).expect("right");
}

/// No false alarms.
#[test]
fn checks_in_mixed_precision() {
    let model: Linear = filled(LinearConfig::new(3, 4).init(&device()));
    let x = inputs(12).cast(FloatDType::F32);
    let f64_losses = |m: &Linear| squares(m.tap(x.clone()).tanh().cast(FloatDType::F64));
    let verified = verify(&model, f64_losses).expect("right");
    assert!(verified.warnings.is_empty(), "{verified:?}");
    // Activations in half precision between layers in single.
    let head: Linear = filled(LinearConfig::new(4, 5).init(&device()));
    #[derive(Module, Debug)]
    struct Two {
        a: Linear,
        b: Linear,
    }
    let model = Two { a: model, b: head };
    for to in [FloatDType::F16, FloatDType::BF16] {
        for seed in 0..4 {
            let x = values([16, 3], seed, FloatDType::F32);
            let losses = |m: &Two| {
                let h = m.a.tap(x.clone()).cast(to).tanh().cast(FloatDType::F32);
                squares(m.b.tap(h).cast(to).tanh().cast(FloatDType::F32))
            };
            let verified = verify(&model, losses);
            assert!(verified.is_ok(), "{to:?}: {verified:?}");
            assert!(verified.unwrap().warnings.is_empty());
        }
        let half = cast(model.clone(), to);
        let x = x.clone().cast(to);
        let losses = |m: &Two| squares(m.b.tap(m.a.tap(x.clone()).tanh()).cast(FloatDType::F32));
        let verified = verify(&half, losses).expect("right");
        assert!(verified.warnings.is_empty(), "{verified:?}");
    }
}

/// Examples that are learned to rounding give no false alarm.
#[test]
fn examples_that_are_learned() {
    #[derive(Module, Debug)]
    struct Block {
        norm: LayerNorm,
        attention: MultiHeadAttention,
        head: Linear,
    }
    let model = filled(Block {
        norm: LayerNormConfig::new(8).init(&device()),
        attention: MultiHeadAttentionConfig::new(8, 2)
            .with_dropout(0.0)
            .init(&device()),
        head: LinearConfig::new(8, 4).init(&device()),
    });
    let x = values([6, 5, 8], 3, FloatDType::F32);
    let run = |m: &Block| {
        let h = m.norm.tap(x.clone());
        let h = m.attention.tap(AttentionInput::self_attn(h)).context;
        m.head.tap(m.norm.tap(h)).mean_dim(1).reshape([6, 4])
    };
    let target = run(&model).inner().autodiff();
    for (few, off) in [(true, 0.5), (false, 1e-6)] {
        let off = Tensor::<2>::from_floats(
            [0.0, 1.0, 0.0, 1.0, 1.0, 0.0].map(|is| [if few { is * off } else { off }; 4]),
            &device(),
        ) + 1e-7;
        let losses = |m: &Block| {
            (run(m) - target.clone() - off.clone())
                .powi_scalar(2)
                .sum_dim(1)
                .reshape([6])
        };
        let verified = verify(&model, losses).expect("right");
        assert!(verified.warnings.is_empty(), "{verified:?}");
        assert!(!verified.differences.is_empty());
    }
}

#[test]
fn checks_of_small_gradients() {
    #[derive(Module, Debug)]
    struct Two {
        a: Linear,
        b: Linear,
    }
    let model = filled(Two {
        a: LinearConfig::new(3, 4).init(&device()),
        b: LinearConfig::new(4, 5).init(&device()),
    });
    for to in [FloatDType::F16, FloatDType::BF16, FloatDType::F32] {
        let model = cast(model.clone(), to);
        for scale in [1.0, 1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-12, 1e-30] {
            for n in [5, 12] {
                let x = values([n, 3], 11, to);
                let losses = |m: &Two| {
                    let y = m.b.tap(m.a.tap(x.clone()).tanh());
                    squares(y.cast(FloatDType::F32)) * scale
                };
                match verify(&model, losses) {
                    Ok(_) => {}
                    // Half precision has no such small numbers.
                    Err(GradError::Untrained { .. }) => {
                        assert!(to == FloatDType::F16 && scale < 1e-7)
                    }
                    Err(error) => panic!("{to:?}, {scale:e} times {n}: {error}"),
                }
            }
        }
    }
}
