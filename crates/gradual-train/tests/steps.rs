//! The step against a plain Burn loop, as a whole and in parts.

mod common;

use burn::nn::LinearConfig;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};
use gradual_grad::Metric;
use gradual_grad::host::reads;
use gradual_group::{Centroids, EachExample, KMeans, Labels, Landmarks, OneGroup, SingularVectors};
use gradual_loss::{GroupDro, Mean, PcGrad, PowerMean, Scale, SumOfSquares};
use gradual_train::{Objective, TrainError, stand, step, step_in_parts};

use common::Model;

fn setting(n: usize) -> (Model, Tensor<2>) {
    let device = Device::flex().autodiff();
    let model = Model {
        layer: LinearConfig::new(3, 1).init(&device),
    };
    (
        model,
        Tensor::random([n, 3], Distribution::Default, &device.inner()),
    )
}

fn weight(update: &GradientsParams, model: &Model) -> Vec<f32> {
    let gradient = update.get::<2>(model.layer.weight.id).expect("a gradient");
    gradient.into_data().try_to_vec().expect("f32")
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs()))
}

/// The mean over one group is what Burn does by itself.
#[test]
fn erm_equals_a_plain_burn_step() {
    let (model, inputs) = setting(7);
    let mut erm = Objective::new(OneGroup, Mean);
    let stepped = step(&model, &mut erm, None, |m| m.plain_losses(&inputs)).unwrap();
    let loss = model.plain_losses(&inputs).mean();
    let expected = GradientsParams::from_grads(loss.backward(), &model);
    assert!(close(
        &weight(&stepped.update, &model),
        &weight(&expected, &model)
    ));
    assert!(close(&stepped.coefficients, &[1.0 / 7.0; 7]));
}

/// The traced path (which a matched norm needs) points where the ordinary path points.
#[test]
fn traced_and_ordinary_steps_agree() {
    let (model, inputs) = setting(8);
    let labels: Vec<_> = [0, 0, 0, 1, 1, 2, 2, 2].map(Some).to_vec();
    let with = |scale| {
        let mut objective = Objective::new(Labels::new(3), SumOfSquares).with_scale(scale);
        step(&model, &mut objective, Some(&labels), |m| m.losses(&inputs)).unwrap()
    };
    let ordinary = with(Scale::Raw);
    let matched = with(Scale::MatchNorm);
    let factor = matched.coefficients[0] / ordinary.coefficients[0];
    let scaled: Vec<f32> = weight(&ordinary.update, &model)
        .iter()
        .map(|g| g * factor)
        .collect();
    assert!(close(&weight(&matched.update, &model), &scaled));
}

/// The update is the gradient of Σ_g ℓ̄_g² over Σc, by Burn's own backward pass.
#[test]
fn the_grouped_step_descends_on_the_grouped_loss() {
    let (model, inputs) = setting(4);
    let labels = [Some(0), Some(1), Some(1), None];
    let mut objective = Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::Raw);
    let stepped = step(&model, &mut objective, Some(&labels), |m| {
        m.plain_losses(&inputs)
    })
    .unwrap();
    let losses = model.plain_losses(&inputs);
    let first = losses.clone().narrow(0, 0, 1).sum();
    let second = losses.narrow(0, 1, 2).mean();
    let value = first.clone() * first + second.clone() * second;
    let expected = GradientsParams::from_grads(value.backward(), &model);
    assert!(close(
        &weight(&stepped.update, &model),
        &weight(&expected, &model)
    ));
    assert_eq!(
        stepped.coefficients[3], 0.0,
        "an example without a label has no part"
    );
}

#[test]
fn non_finite_losses_name_the_example() {
    let (model, inputs) = setting(3);
    let poison = Tensor::<1>::from_floats([0.0, f32::NAN, 0.0], &Device::flex());
    for mut objective in [
        Objective::new(OneGroup, Mean),
        Objective::new(SingularVectors::default(), SumOfSquares),
        Objective::new(SingularVectors::squared(), SumOfSquares),
    ] {
        let result = step(&model, &mut objective, None, |m| {
            m.losses(&inputs) + poison.clone()
        });
        let message = result.expect_err("NaN").to_string();
        assert!(
            message.starts_with("step: the loss of example 1 is NaN"),
            "{message}"
        );
    }
}

/// A step waits for the device once, and once more where its groups are formed from gradients on the host; state that
/// is kept on the host, or a rule on group gradients, takes one more. Groups that last are joined on the device.
#[test]
fn a_step_waits_for_the_device_once_or_twice() {
    let (model, inputs) = setting(12);
    let labels: Vec<_> = (0..12).map(|j| Some(j % 3)).collect();
    for (name, expected, mut objective) in [
        ("erm", 1, Objective::new(OneGroup, Mean)),
        ("grouped", 1, Objective::new(Labels::new(3), SumOfSquares)),
        (
            "matched",
            1,
            Objective::new(Labels::new(3), SumOfSquares).with_scale(Scale::MatchNorm),
        ),
        (
            "dro",
            2,
            Objective::new(Labels::new(3), GroupDro::new(0.1).unwrap()),
        ),
        (
            "pcgrad",
            2,
            Objective::on_gradients(Labels::new(3), PcGrad::new(1)),
        ),
        (
            "landmarks",
            1,
            Objective::new(
                Landmarks::new(3, Metric::whitened(), 7)
                    .with_examples(12)
                    .unwrap(),
                SumOfSquares,
            ),
        ),
        (
            "centroids",
            1,
            Objective::new(
                Centroids::new(3, Metric::euclidean(), 7)
                    .with_examples(12)
                    .unwrap(),
                SumOfSquares,
            ),
        ),
        (
            "k-means",
            2,
            Objective::new(KMeans::new(3, 7), SumOfSquares),
        ),
        (
            "svd",
            1,
            Objective::new(SingularVectors::default(), SumOfSquares),
        ),
        (
            "svd, squared",
            2,
            Objective::new(SingularVectors::squared(), SumOfSquares),
        ),
    ] {
        if objective.wants().is_some() {
            stand(&model, &mut objective, |m| m.losses(&inputs)).unwrap();
        }
        let before = reads();
        step(&model, &mut objective, Some(&labels), |m| m.losses(&inputs)).unwrap();
        assert_eq!(reads() - before, expected, "{name}");
        let parts = [
            inputs.clone().narrow(0, 0, 5),
            inputs.clone().narrow(0, 5, 7),
        ];
        let before = reads();
        let losses = |m: &Model, part: &Tensor<2>| m.losses(part);
        step_in_parts(&model, &mut objective, Some(&labels), &parts, losses).unwrap();
        assert_eq!(reads() - before, expected, "{name} in parts");
    }
}

/// Gradient accumulation: whatever looks across the draw (labels, Gram matrix, clusters, singular
/// vectors, rules on group gradients) sees all of it.
#[test]
fn a_step_in_parts_equals_the_whole() {
    let (model, inputs) = setting(12);
    let labels: Vec<_> = (0..12).map(|j| Some(j % 3)).collect();
    let objectives: [fn() -> Objective; 8] = [
        || Objective::new(OneGroup, Mean),
        || Objective::new(Labels::new(3), SumOfSquares),
        || Objective::new(Labels::new(3), SumOfSquares).with_scale(Scale::MatchNorm),
        || Objective::new(EachExample, PowerMean::new(3.0).unwrap()),
        || Objective::new(KMeans::new(3, 7), SumOfSquares),
        || Objective::new(SingularVectors::default(), SumOfSquares),
        || Objective::new(SingularVectors::squared(), SumOfSquares),
        || Objective::on_gradients(Labels::new(3), PcGrad::new(1)),
    ];
    let parts = |sizes: &[usize]| -> Vec<Tensor<2>> {
        let mut from = 0;
        let cut = sizes.iter().map(|&size| {
            from += size;
            inputs.clone().narrow(0, from - size, size)
        });
        cut.collect()
    };
    for (at, objective) in objectives.iter().enumerate() {
        let whole = step(&model, &mut objective(), Some(&labels), |m| {
            m.losses(&inputs)
        })
        .unwrap();
        for sizes in [&[12][..], &[4, 8], &[1, 5, 6], &[3, 3, 3, 3]] {
            let stepped = step_in_parts(
                &model,
                &mut objective(),
                Some(&labels),
                &parts(sizes),
                |m, part| m.losses(part),
            )
            .unwrap();
            assert!(
                close(&stepped.coefficients, &whole.coefficients),
                "objective {at} in parts of {sizes:?}"
            );
            assert!(close(
                &weight(&stepped.update, &model),
                &weight(&whole.update, &model)
            ));
        }
    }
}

#[test]
fn parts_and_graphs_are_checked() {
    let (model, inputs) = setting(4);
    let message = |result: Result<_, TrainError>| result.map(drop).unwrap_err().to_string();
    let none: [Tensor<2>; 0] = [];
    for objective in [
        Objective::new(OneGroup, Mean),
        Objective::new(SingularVectors::default(), SumOfSquares),
    ] {
        let mut objective = objective;
        let stepped = step_in_parts(&model, &mut objective, None, &none, |m, part| {
            m.losses(part)
        });
        assert_eq!(
            message(stepped),
            "trace: the draw is empty; at least one example is needed"
        );
    }
    let mut erm = Objective::new(OneGroup, Mean);
    let stepped = step(&model, &mut erm, None, |_| {
        Tensor::ones([4], &Device::flex())
    });
    assert_eq!(
        message(stepped),
        "step: the losses do not depend on any trainable parameter; build the model on an autodiff device"
    );
    let plain = LinearConfig::new(3, 1).init(&Device::flex());
    let stepped = step(&Model { layer: plain }, &mut erm, None, |m| {
        m.plain_losses(&inputs)
    });
    assert!(message(stepped).contains("autodiff device"));
}

/// Losses are finite, but their gradients are not: √x at 0.
#[test]
fn non_finite_gradients_name_the_parameter_and_the_example() {
    let (model, inputs) = setting(3);
    let wall = Tensor::<1>::from_floats([1.0, 0.0, 1.0], &Device::flex());
    let roots = |m: &Model| (m.losses(&inputs) * wall.clone()).sqrt();
    let mut erm = Objective::new(OneGroup, Mean);
    let message = step(&model, &mut erm, None, roots)
        .map(drop)
        .unwrap_err()
        .to_string();
    assert_eq!(
        message,
        "step: the gradient of parameter layer.weight is not finite"
    );
    let mut traced = Objective::new(OneGroup, Mean).with_scale(Scale::MatchNorm);
    let error = step(&model, &mut traced, None, roots)
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "step: the gradient of example 1 is NaN; its loss is finite, but has no finite derivative"
    );
}
