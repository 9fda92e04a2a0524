//! Uses of a parameter that no tap sees are errors, whatever else sees it.

use crate::common::{agree, device, double, filled, values};
use burn::module::{Module, Param};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{FloatDType, Int, Tensor};
use gradual_grad::{GradError, Tap, TiedReadout, Traced, per_example, trace, verify};

fn unseen(traced: Result<Traced, GradError>, path: &str) {
    let error = traced.expect_err("a use that no tap saw");
    match &error {
        GradError::Unseen { paths } => assert_eq!(paths, &[path.to_owned()]),
        _ => panic!("{error}"),
    }
}

#[test]
fn a_read_out_by_hand_beside_a_tapped_embedding() {
    let embedding: Embedding = double(filled(EmbeddingConfig::new(7, 4).init(&device())));
    let words = Tensor::<2, Int>::from_ints([[1, 2, 6], [0, 0, 3], [5, 4, 4]], &device());
    let by_hand = |m: &Embedding| {
        let h = m.tap(words.clone()).sum_dim(1).reshape([3, 4]);
        h.matmul(m.weight.val().transpose())
            .powi_scalar(2)
            .sum_dim(1)
            .reshape([3])
    };
    unseen(trace(&embedding, by_hand), "weight");
    let tapped = |m: &Embedding| {
        let h = m.tap(words.clone()).sum_dim(1).reshape([3, 4]);
        m.readout(h).powi_scalar(2).sum_dim(1).reshape([3])
    };
    agree(&embedding, tapped, 1e-9);
    verify(&embedding, tapped).expect("right");
}

#[derive(Module, Debug)]
struct Branched {
    layer: Linear,
    scale: Param<Tensor<1>>,
}

fn branched() -> Branched {
    double(filled(Branched {
        layer: LinearConfig::new(3, 3).init(&device()),
        scale: Param::from_tensor(Tensor::ones([1], &device())),
    }))
}

fn squares(x: Tensor<2>) -> Tensor<1> {
    let n = x.dims()[0];
    x.powi_scalar(2).sum_dim(1).reshape([n])
}

#[test]
fn tap_in_one_branch_and_forward_in_another() {
    let model = branched();
    let x = values([5, 3], 2, FloatDType::F64);
    let scaled = |m: &Branched, y: Tensor<2>| y * per_example::<1, 2>(&m.scale, 5);
    let mixed = |m: &Branched| {
        let y = relu(m.layer.tap(x.clone())) + m.layer.forward(x.clone() * 2.0);
        squares(scaled(m, y))
    };
    let error = trace(&model, mixed).expect_err("two uses, one seen");
    let GradError::Unseen { paths } = &error else {
        panic!("{error}")
    };
    assert_eq!(paths, &["layer.bias", "layer.weight"]);
    let both = |m: &Branched| {
        let y = relu(m.layer.tap(x.clone())) + m.layer.tap(x.clone() * 2.0);
        squares(scaled(m, y))
    };
    agree(&model, both, 1e-9);
}

#[test]
fn a_scalar_by_copies_and_by_value() {
    let model = branched();
    let x = values([5, 3], 2, FloatDType::F64);
    let half = |m: &Branched| {
        let y = m.layer.tap(x.clone()) * per_example::<1, 2>(&m.scale, 5);
        squares(y * m.scale.val().reshape([1, 1]))
    };
    unseen(trace(&model, half), "scale");
}

#[test]
fn a_penalty_on_weights_inside_the_losses() {
    let model = branched();
    let x = values([5, 3], 2, FloatDType::F64);
    let plain = |m: &Branched| squares(m.layer.tap(x.clone()) * per_example::<1, 2>(&m.scale, 5));
    unseen(
        trace(&model, |m| {
            plain(m) + m.layer.weight.val().powi_scalar(2).sum() * 0.1
        }),
        "layer.weight",
    );
    // The supported way: every example with a copy of its own.
    let penalised = |m: &Branched| {
        let weight: Tensor<3> = per_example(&m.layer.weight, 5);
        plain(m)
            + weight
                .powi_scalar(2)
                .reshape([5, 9])
                .sum_dim(1)
                .reshape([5])
                * 0.1
    };
    agree(&model, penalised, 1e-9);
}

#[test]
fn a_tap_on_another_thread() {
    let model = branched();
    let x = values([5, 3], 2, FloatDType::F64);
    let elsewhere = |m: &Branched| {
        let here = m.layer.tap(x.clone());
        let there = std::thread::scope(|scope| scope.spawn(|| m.layer.tap(x.clone())).join());
        let y = here + there.expect("no panic");
        squares(y * per_example::<1, 2>(&m.scale, 5))
    };
    assert!(matches!(
        trace(&model, elsewhere),
        Err(GradError::Unseen { .. })
    ));
}

/// What is detached has no gradient under Burn's own pass either.
#[test]
fn detached_values_are_no_use() {
    let model = branched();
    let x = values([5, 3], 2, FloatDType::F64);
    let losses = |m: &Branched| {
        let y = m.layer.tap(x.clone()) * per_example::<1, 2>(&m.scale, 5);
        squares(y - m.layer.forward(x.clone()).detach())
    };
    agree(&model, losses, 1e-9);
    verify(&model, losses).expect("right");
}
