//! Examples that depend on each other have no gradients of their own, and a check says so.

use std::cell::Cell;

use crate::common::{device, double, filled, values};
use burn::module::Module;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{FloatDType, Tensor, s};
use gradual_grad::{GradError, Tap, Tracer, Views, Warning, verify};

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    norm: BatchNorm,
    readout: Linear,
}

fn net() -> Net {
    let device = device();
    double(filled(Net {
        hidden: LinearConfig::new(3, 4).init(&device),
        norm: BatchNormConfig::new(4).init(&device),
        readout: LinearConfig::new(4, 2).init(&device),
    }))
}

impl Net {
    fn hidden(&self, x: &Tensor<2>) -> Tensor<2> {
        relu(self.hidden.tap(x.clone()) + 0.5)
    }
}

fn squares(x: Tensor<2>) -> Tensor<1> {
    let n = x.dims()[0];
    x.powi_scalar(2).sum_dim(1).reshape([n])
}

fn inputs(n: usize) -> Tensor<2> {
    values([n, 3], 5, FloatDType::F64)
}

/// All but the batch norm, which is in its training form.
fn tracer() -> Tracer {
    Tracer::default().without("norm.*")
}

fn coupled(found: Result<gradual_grad::Verified, GradError>) -> (String, Option<String>) {
    let error = found.expect_err("examples are coupled");
    match &error {
        GradError::Coupled {
            path, batch_norm, ..
        } => (path.clone(), batch_norm.clone()),
        _ => panic!("{error}"),
    }
}

#[test]
fn in_batch_negatives() {
    let model = net();
    for n in [2, 3, 8] {
        let x = inputs(n);
        let losses = |m: &Net| {
            let h = m.readout.tap(m.hidden(&x));
            let scores = h.clone().matmul(h.transpose());
            let eye = Tensor::<2>::eye(n, &device()).cast(FloatDType::F64);
            (log_softmax(scores, 1) * eye).sum_dim(1).neg().reshape([n])
        };
        assert_eq!(coupled(tracer().verify(&model, losses)).0, "readout.weight");
    }
}

#[test]
fn batch_norm_by_forward() {
    let model = net();
    let x = inputs(8);
    let losses = |m: &Net| squares(m.readout.tap(m.norm.forward(m.hidden(&x))));
    let (path, named) = coupled(tracer().verify(&model, losses));
    assert_eq!(
        (path.as_str(), named.as_deref()),
        ("hidden.weight", Some("norm"))
    );
    // Not trained is not the evaluation form.
    let mut frozen = model.clone();
    frozen.norm = frozen.norm.no_grad();
    assert_eq!(coupled(verify(&frozen, losses)).0, "hidden.weight");
    // This is.
    frozen.norm = frozen.norm.freeze();
    let verified = verify(&frozen, losses).expect("a fixed map");
    assert_eq!(verified.differences.len(), 4, "{verified:?}");
}

#[test]
fn negatives_shuffled_after_the_tap() {
    let model = net();
    let x = inputs(8);
    let calls = Cell::new(0);
    // Another shuffle each time, as host randomness gives.
    let losses = |m: &Net| {
        calls.set(calls.get() + 1);
        let h = m.readout.tap(m.hidden(&x));
        let by = 1 + calls.get() % 3;
        let shuffled = Tensor::cat(
            vec![h.clone().slice(s![by..]), h.clone().slice(s![..by])],
            0,
        );
        squares(h - shuffled)
    };
    assert_eq!(coupled(tracer().verify(&model, losses)).0, "readout.weight");
}

#[test]
fn time_first_inputs_with_as_many_steps_as_examples() {
    let model = double(filled(LinearConfig::new(3, 2).init(&device())));
    let x = values([4, 4, 3], 5, FloatDType::F64);
    let losses = |m: &Linear| {
        let h = m.tap(x.clone()).powi_scalar(2);
        // [time, example, …] summed over time.
        h.sum_dim(2).sum_dim(0).reshape([4])
    };
    assert_eq!(coupled(verify(&model, losses)).0, "weight");
}

#[test]
fn losses_that_are_others_each_time() {
    let model = net();
    let x = inputs(8);
    let calls = Cell::new(0.0);
    let moving = |m: &Net| {
        calls.set(calls.get() + 1.0);
        squares(m.readout.tap(m.hidden(&x)) + calls.get())
    };
    let verified = tracer().verify(&model, moving).expect("uncoupled");
    assert_eq!(verified.warnings, [Warning::Random]);
}

#[test]
fn what_is_not_trained_is_named() {
    let model = net();
    let x = inputs(8);
    let dead = |m: &Net| squares(m.readout.tap(relu(m.hidden.tap(x.clone()) - 100.0)));
    let verified = tracer().verify(&model, dead).expect("right");
    let zero = Warning::Zero {
        paths: ["hidden.weight", "hidden.bias", "readout.weight"]
            .map(str::to_owned)
            .to_vec(),
    };
    assert_eq!(verified.warnings, [zero]);
    let nothing = |m: &Net| relu(squares(m.readout.tap(m.hidden(&x))) - 1e9);
    let error = tracer()
        .verify(&model, nothing)
        .expect_err("no gradient at all");
    assert!(matches!(error, GradError::Untrained { .. }), "{error}");
}

#[test]
fn losses_that_are_no_numbers_are_left_to_the_step() {
    let model = net();
    let x = inputs(8);
    let broken = |m: &Net| {
        let losses = squares(m.readout.tap(m.hidden(&x)));
        let hole =
            Tensor::<1>::from_floats([0.0, 0.0, f32::NAN, 0.0, 0.0, 0.0, 0.0, 0.0], &device());
        losses + hole.cast(FloatDType::F64)
    };
    let verified = tracer().verify(&model, broken).expect("nothing to compare");
    assert_eq!(verified.warnings, [Warning::NotFinite { example: 2 }]);
}

/// Burn's own backward pass of such a convolution is wrong, and a check does not blame the trace for it.
#[test]
fn what_burn_gets_wrong_is_a_warning() {
    let model = Conv1dConfig::new(4, 6, 3).with_stride(2).with_groups(2);
    let model = double(filled(model.init(&device())));
    let x = values([3, 4, 6], 5, FloatDType::F64);
    let losses = |m: &Conv1d| squares(m.tap(x.clone()).reshape([3, 12]));
    let verified = verify(&model, losses).expect("the trace is right");
    let [Warning::BurnFault { path, .. }] = verified.warnings.as_slice() else {
        panic!("{:?}", verified.warnings)
    };
    assert_eq!(path, "weight");
    // What is compared is the bias.
    assert_eq!(verified.differences.len(), 1);
}

#[test]
fn both_sides_of_a_siamese_net_in_one_pass() {
    let model = double(filled(LinearConfig::new(3, 4).init(&device())));
    let (one, other) = (inputs(5), values([5, 3], 9, FloatDType::F64));
    let apart = |m: &Linear| squares(relu(m.tap(one.clone())) - relu(m.tap(other.clone())));
    let reference = crate::common::agree(&model, apart, 1e-9).rows();

    let stacked = |m: &Linear| {
        let both = relu(m.tap(Tensor::cat(vec![one.clone(), other.clone()], 0)));
        squares(both.clone().slice(s![..5]) - both.slice(s![5..]))
    };
    let error = gradual_grad::trace(&model, stacked).expect_err("ten rows, five losses");
    assert!(error.to_string().contains("Tracer::with_views"), "{error}");
    let tracer = Tracer::default().with_views(Views::stacked(2).expect("two"));
    let traced = tracer.trace(&model, stacked).expect("two rows each");
    crate::common::close("stacked", traced.gradients.rows(), reference.clone(), 1e-9);
    tracer.verify(&model, stacked).expect("right");

    let adjacent = |m: &Linear| {
        let both = Tensor::<2>::stack::<3>(vec![one.clone(), other.clone()], 1).reshape([10, 3]);
        let h = relu(m.tap(both)).reshape([5, 2, 4]);
        squares((h.clone().narrow(1, 0, 1) - h.narrow(1, 1, 1)).reshape([5, 4]))
    };
    let tracer = Tracer::default().with_views(Views::adjacent(2).expect("two"));
    let traced = tracer.trace(&model, adjacent).expect("two rows each");
    crate::common::close("adjacent", traced.gradients.rows(), reference, 1e-9);
    tracer.verify(&model, adjacent).expect("right");
    // Taken for the other order, examples are coupled.
    let wrong = Tracer::default().with_views(Views::stacked(2).expect("two"));
    assert!(matches!(
        wrong.verify(&model, adjacent),
        Err(GradError::Coupled { .. })
    ));
    assert!(matches!(Views::stacked(0), Err(GradError::Views)));
}

/// Couplings of pairs and of neighbours, at every size.
#[test]
fn pairs_and_neighbours() {
    let model: Linear = double(filled(LinearConfig::new(3, 2).init(&device())));
    let mut missed = Vec::new();
    for n in 2..60 {
        let x = inputs(n);
        let found = |losses: &dyn Fn(Tensor<2>) -> Tensor<2>| {
            let losses = |m: &Linear| {
                losses(m.tap(x.clone()))
                    .powi_scalar(2)
                    .sum_dim(1)
                    .reshape([n])
            };
            matches!(verify(&model, losses), Err(GradError::Coupled { .. }))
        };
        if n % 2 == 0 {
            let swap = |h: Tensor<2>| {
                let other = h.clone().reshape([n / 2, 2, 2]).flip([1]).reshape([n, 2]);
                h - other * 0.5
            };
            if !found(&swap) {
                missed.push(n);
            }
        }
        let next = |h: Tensor<2>| {
            let other = Tensor::cat(
                vec![h.clone().narrow(0, 1, n - 1), h.clone().narrow(0, 0, 1)],
                0,
            );
            h - other
        };
        if !found(&next) {
            missed.push(n);
        }
        assert!(!found(&|h| h));
    }
    assert!(missed.is_empty(), "{missed:?}");
}

/// One example of a draw depends on one other: whichever two they are, the check says so in seven draws of eight.
#[test]
fn a_single_pair() {
    let model: Linear = double(filled(LinearConfig::new(3, 2).init(&device())));
    for (n, most) in [(2, 0), (3, 0), (7, 0), (16, 30), (29, 102)] {
        let x = inputs(n);
        let mut missed = 0;
        for (of, on) in (0..n).flat_map(|of| (0..n).map(move |on| (of, on))) {
            let losses = |m: &Linear| {
                let h = m.tap(x.clone());
                let other = h.clone().slice(s![on..on + 1]) * 0.05;
                let own = h.clone().slice(s![of..of + 1]) + other;
                squares(h.slice_assign(s![of..of + 1], own))
            };
            let found = verify(&model, losses);
            match of == on {
                true => drop(found.expect("an example of its own")),
                false if found.is_ok() => missed += 1,
                false => drop(coupled(found)),
            }
        }
        // An eighth of all pairs: 240 and 812.
        assert!(missed <= most, "{missed} of {n} examples");
    }
}
