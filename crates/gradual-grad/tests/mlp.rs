//! Random multilayer perceptrons: everything from factors equals the example-by-example reference.

mod common;

use std::panic::AssertUnwindSafe;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Distribution, FloatDType, Tensor, activation::relu};
use common::{agree, cast, device, filled, numbers, values};
use gradual_grad::{GradError, Tap, naive_rows, trace};
use proptest::prelude::*;

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    fn new(widths: &[usize], bias: bool, device: &Device) -> Self {
        let layer = |pair: &[usize]| {
            LinearConfig::new(pair[0], pair[1])
                .with_bias(bias)
                .init(device)
        };
        Self {
            layers: widths.windows(2).map(layer).collect(),
        }
    }

    fn losses<const D: usize>(&self, inputs: &Tensor<D>) -> Tensor<1> {
        let mut hidden = inputs.clone();
        for (index, layer) in self.layers.iter().enumerate() {
            hidden = if index == 0 {
                layer.tap(hidden)
            } else {
                layer.tap(relu(hidden))
            };
        }
        let n = hidden.dims()[0];
        let width = hidden.shape().num_elements() / n;
        (hidden - 0.3)
            .powi_scalar(2)
            .reshape([n, width])
            .sum_dim(1)
            .reshape([n])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn factors_equal_the_reference(
        widths in prop::collection::vec(1usize..12, 2..5),
        n in 1usize..=64,
        bias: bool,
    ) {
        let device = device();
        let model = Mlp::new(&widths, bias, &device);
        let inputs = Tensor::<2>::random([n, widths[0]], Distribution::Default, &device);
        agree(&model, |m| m.losses(&inputs), 1e-4);
    }

    #[test]
    fn positions_are_summed(
        widths in prop::collection::vec(1usize..10, 2..4),
        n in 1usize..=12,
        t in 1usize..=7,
        bias: bool,
    ) {
        let device = device();
        let model = Mlp::new(&widths, bias, &device);
        let inputs = Tensor::<3>::random([n, t, widths[0]], Distribution::Default, &device);
        agree(&model, |m| m.losses(&inputs), 1e-4);
    }
}

#[test]
fn large_draws_are_mirrored_from_one_triangle() {
    let device = device();
    let model = Mlp::new(&[5, 7, 2], true, &device);
    let inputs = Tensor::<2>::random([300, 5], Distribution::Default, &device);
    agree(&model, |m| m.losses(&inputs), 1e-4);
}

/// Entries of a Gram matrix against those of the same model in double precision, relative to the
/// norms.
fn gram_distance(model: &Mlp, inputs: &Tensor<2>) -> f64 {
    let gram = |model: &Mlp, inputs: Tensor<2>| {
        let traced = trace(model, |m| m.losses(&inputs)).expect("the model is covered");
        numbers(traced.gradients.gram())
    };
    let found = gram(model, inputs.clone());
    let reference = gram(
        &cast(model.clone(), FloatDType::F64),
        inputs.clone().cast(FloatDType::F64),
    );
    let n = inputs.dims()[0];
    let norm = |j: usize| reference[j * n + j].sqrt();
    let entries = found.iter().zip(&reference).enumerate();
    entries.fold(0.0, |far: f64, (entry, (a, b))| {
        far.max((a - b).abs() / (norm(entry / n) * norm(entry % n)))
    })
}

#[test]
fn a_draw_of_4096_keeps_four_digits() {
    let model = filled(Mlp::new(&[16, 24, 8, 3], true, &device()));
    let inputs = values([4096, 16], 1, FloatDType::F32);
    let far = gram_distance(&model, &inputs);
    assert!(far < 1e-4, "{far:e}");
}

#[test]
fn half_precision_is_accumulated_in_single() {
    let model = filled(Mlp::new(&[16, 24, 8, 3], true, &device()));
    // Large enough that squared norms overflow half precision.
    let inputs = values([40, 16], 1, FloatDType::F32) * 60.0;
    for (precision, tolerance) in [(FloatDType::F16, 2e-2), (FloatDType::BF16, 8e-2)] {
        let model = cast(model.clone(), precision);
        let inputs = inputs.clone().cast(precision);
        let far = gram_distance(&model, &inputs);
        assert!(far < tolerance, "{precision:?}: {far:e}");
        let traced = trace(&model, |m| m.losses(&inputs)).expect("the model is covered");
        let norms = numbers(traced.gradients.norms());
        assert!(norms.iter().any(|norm| norm * norm > 65_504.0), "{norms:?}");
        let even = Tensor::<1>::full([40], 1.0 / 40.0, &device().inner());
        let update = traced.gradients.combine(&even).expect("40 coefficients");
        assert_eq!(common::flatten(&model, &update).dtype(), precision.into());
    }
}

#[test]
fn a_layer_used_twice_sums_its_uses() {
    let device = device();
    let layer = LinearConfig::new(4, 4).init(&device);
    let model = Mlp {
        layers: vec![layer.clone(), layer.clone(), layer],
    };
    let inputs = Tensor::<2>::random([9, 4], Distribution::Default, &device);
    let gradients = agree(&model, |m| m.losses(&inputs), 1e-4);
    assert_eq!(gradients.num_parameters(), 4 * 4 + 4);
}

#[test]
fn frozen_parameters_are_left_out() {
    let device = device();
    let mut model = Mlp::new(&[3, 4, 2], true, &device);
    let frozen = model.layers.remove(0).no_grad();
    model.layers.insert(0, frozen);
    let inputs = Tensor::<2>::random([6, 3], Distribution::Default, &device);
    let gradients = agree(&model, |m| m.losses(&inputs), 1e-4);
    assert_eq!(gradients.num_parameters(), 4 * 2 + 2);
}

#[test]
fn a_model_without_autodiff_can_be_traced() {
    let plain = Device::flex();
    let model = Mlp::new(&[3, 4, 2], true, &plain);
    let inputs = Tensor::<2>::random([6, 3], Distribution::Default, &plain);
    let traced = trace(&model, |m| m.losses(&inputs)).expect("covered");
    let rows = naive_rows(&model.train(), |m| m.losses(&inputs));
    common::close("rows", traced.gradients.rows(), rows, 1e-4);
}

#[test]
fn tap_is_forward_without_a_trace() {
    let device = device();
    let layer = LinearConfig::new(3, 2).init(&device);
    let inputs = Tensor::<2>::random([4, 3], Distribution::Default, &device);
    let (tapped, forward) = (layer.tap(inputs.clone()), layer.forward(inputs));
    assert_eq!(numbers(tapped), numbers(forward));
}

#[test]
fn errors_name_what_was_wrong() {
    let device = device();
    let model = Mlp::new(&[3, 4, 2], true, &device);
    let inputs = Tensor::<2>::random([6, 3], Distribution::Default, &device);
    let message = |result: Result<gradual_grad::Traced, GradError>| match result {
        Ok(_) => panic!("an error was expected"),
        Err(error) => error.to_string(),
    };

    let uncovered = trace(&model, |m| {
        let hidden = m.layers[0].forward(inputs.clone());
        m.layers[1].tap(hidden).sum_dim(1).reshape([6])
    });
    assert_eq!(
        message(uncovered),
        "trace: no tap saw these parameters of the model: layers.0.weight, layers.0.bias; call \
         `tap` instead of `forward` on the layers that hold them (`per_example` for a parameter \
         without a layer), freeze them, or leave them out with `Tracer::without`; layers that some draws do \
         not use (experts, dropped layers) need `Tracer::allow_unused`"
    );

    let fewer = trace(&model, |m| m.losses(&inputs).narrow(0, 0, 5));
    assert!(message(fewer).contains("5 losses, but the layer of parameter layers.0.weight saw"));

    let none = trace(&model, |m| m.losses(&inputs).slice(burn::tensor::s![0..0]));
    assert!(matches!(none, Err(GradError::EmptyDraw)));

    let nested = trace(&model, |m| {
        assert!(matches!(
            trace(m, |m| m.losses(&inputs)),
            Err(GradError::Nested)
        ));
        m.losses(&inputs)
    });
    assert!(
        nested.is_ok(),
        "a refused inner trace leaves the outer one intact"
    );

    let detached = trace(&model, |m| m.losses(&inputs).detach());
    assert!(matches!(detached, Err(GradError::Untracked)));

    let stranger = LinearConfig::new(3, 2).init(&device);
    let beside = trace(&model, |m| {
        stranger.tap(inputs.clone()).sum_dim(1).reshape([6]) + m.losses(&inputs)
    });
    let alone = trace(&model, |m| m.losses(&inputs)).expect("covered");
    let beside = beside.expect("another module is a plain forward pass");
    common::close(
        "rows",
        beside.gradients.rows(),
        alone.gradients.rows(),
        1e-6,
    );

    let one = trace(&LinearConfig::new(3, 2).init(&device), |m| {
        m.tap(Tensor::<1>::zeros([3], &device))
    });
    assert!(message(one).contains("needs an input of [examples, …, width], got [3]"));

    let gradients = trace(&model, |m| m.losses(&inputs))
        .expect("covered")
        .gradients;
    let short = gradients.combine(&Tensor::zeros([5], &device));
    assert_eq!(
        short.err().map(|error| error.to_string()).as_deref(),
        Some("combine: expected 6 coefficients, one per example, got 5")
    );
}

#[test]
fn a_panic_ends_the_trace() {
    let device = device();
    let model = Mlp::new(&[3, 2], true, &device);
    let inputs = Tensor::<2>::random([4, 3], Distribution::Default, &device);
    let panicked = std::panic::catch_unwind(AssertUnwindSafe(|| {
        trace(&model, |_| -> Tensor<1> { panic!("user code") }).is_ok()
    }));
    assert!(panicked.is_err());
    assert!(trace(&model, |m| m.losses(&inputs)).is_ok());
}
