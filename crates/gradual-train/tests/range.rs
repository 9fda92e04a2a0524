//! Gradients whose squares single precision does not hold.

mod common;

use burn::nn::LinearConfig;
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::Metric;
use gradual_grad::host::reads;
use gradual_group::{KMeans, Labels, Landmarks, SingularVectors};
use gradual_loss::{Mean, Mgda, PcGrad, Scale, SumOfSquares, UpGrad};
use gradual_train::{Objective, TrainError, stand, step};

use common::Model;

const N: usize = 8;

fn model() -> Model {
    let device = Device::flex().autodiff();
    device.seed(3);
    Model {
        layer: LinearConfig::new(3, 1).init(&device),
    }
}

fn inputs() -> Tensor<2> {
    let values: Vec<f32> = (0..N * 3).map(|i| ((i * i + 1) as f32).sin()).collect();
    Tensor::from_data(TensorData::new(values, [N, 3]), &Device::flex().autodiff())
}

fn labels() -> Vec<Option<usize>> {
    (0..N).map(|j| Some(j % 2)).collect()
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() < 1e-4 * (1e-3 + b.abs()))
}

/// Losses multiplied by a constant have the same coefficients under a scale that divides by their size, where nothing
/// of the draw is remembered.
#[test]
fn coefficients_do_not_depend_on_the_unit_of_the_losses() {
    let objectives: [fn() -> Objective; 8] = [
        || Objective::new(SingularVectors::default(), SumOfSquares),
        || Objective::new(SingularVectors::squared(), SumOfSquares),
        || Objective::new(SingularVectors::default(), SumOfSquares).with_scale(Scale::MatchNorm),
        || Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::MatchNorm),
        || Objective::new(Labels::new(2), Mean).through_trace(),
        || Objective::on_gradients(Labels::new(2), Mgda),
        || Objective::on_gradients(Labels::new(2), UpGrad),
        || Objective::on_gradients(Labels::new(2), PcGrad::new(1)),
    ];
    let (model, x) = (model(), inputs());
    for (at, objective) in objectives.into_iter().enumerate() {
        let of = |unit: f64| {
            let labels = labels();
            step(&model, &mut objective(), Some(&labels), |m| {
                m.losses(&x) * unit
            })
            .unwrap_or_else(|error| panic!("objective {at} at {unit:e}: {error}"))
            .coefficients
        };
        let expected = of(1.0);
        for unit in [1e20, 1e-20] {
            let found = of(unit);
            assert!(
                close(&found, &expected),
                "objective {at} at {unit:e}: {found:?} {expected:?}"
            );
        }
    }
}

/// A grouping that remembers the draw, and a scale that keeps its size: said by name.
#[test]
fn what_can_not_be_tried_again_is_said() {
    let (model, x) = (model(), inputs());
    let raw = || Objective::new(SingularVectors::default(), SumOfSquares).with_scale(Scale::Raw);
    let kmeans = || Objective::new(KMeans::new(2, 1), SumOfSquares);
    for (objective, unit, overflows) in [
        (raw as fn() -> Objective, 1e20, true),
        (raw, 1e-20, false),
        (kmeans, 1e-20, false),
    ] {
        let stepped = step(&model, &mut objective(), None, |m| m.losses(&x) * unit);
        let error = stepped.map(drop).unwrap_err();
        let TrainError::Range {
            norm,
            overflows: found,
            ..
        } = error
        else {
            panic!("{error}")
        };
        assert_eq!(found, overflows);
        assert!((0.1..100.0).contains(&(norm / unit)), "{norm:e}");
        let message = error.to_string();
        let said = if overflows {
            "overflows the range"
        } else {
            "is below the range"
        };
        assert!(
            message.contains(said) && message.contains("multiply the losses"),
            "{message}"
        );
    }
    // A grouping that refuses a draw has not learned of it.
    let grouped = step(&model, &mut kmeans(), None, |m| m.losses(&x) * 1e20).unwrap();
    let expected = step(&model, &mut kmeans(), None, |m| m.losses(&x)).unwrap();
    assert_eq!(grouped.groups.sizes(), expected.groups.sizes());

    let landmarks = Landmarks::new(2, Metric::euclidean(), 7)
        .with_examples(N)
        .unwrap();
    let mut objective = Objective::new(landmarks, SumOfSquares);
    let error = stand(&model, &mut objective, |m| m.losses(&x) * 1e20).unwrap_err();
    assert!(
        matches!(
            error,
            TrainError::Range {
                overflows: true,
                ..
            }
        ),
        "{error}"
    );
    // Infinite gradients are not too large, but infinite.
    let error = step(&model, &mut raw(), None, |m| {
        m.losses(&x)
            .sqrt()
            .sub_scalar(0.0)
            .mul_scalar(f64::INFINITY)
    });
    assert!(!matches!(
        error.map(drop).unwrap_err(),
        TrainError::Range { .. }
    ));
}

/// Looking for it takes no wait of its own, but where gradients are about zero.
#[test]
fn ordinary_steps_wait_as_before() {
    let (model, x) = (model(), inputs());
    let mut objective = Objective::new(SingularVectors::default(), SumOfSquares);
    for (unit, waits) in [(1.0, 1), (1e-10, 1), (1e10, 1)] {
        let before = reads();
        step(&model, &mut objective, None, |m| m.losses(&x) * unit).unwrap();
        assert_eq!(reads() - before, waits, "{unit:e}");
    }
    // All gradients zero: nothing to compare, and no error.
    let zero = Tensor::<2>::zeros([N, 3], &Device::flex().autodiff());
    let stepped = step(&model, &mut objective, None, |m| m.losses(&zero) * 0.0);
    if let Err(error) = stepped {
        assert!(!matches!(error, TrainError::Range { .. }), "{error}");
    }
}
