//! Singular directions as published have signs: what may be done with them, and what a step does.

use crate::common::Model;
use burn::module::Param;
use burn::nn::LinearConfig;
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::{Tap, Traced, trace};
use gradual_group::{Draw, Grouping, Groups, Labels, SingularVectors};
use gradual_loss::registry::{COMPOSITIONS, RULES, RuleContext};
use gradual_loss::{Composition, LossError, Scale, SumOfSquares};
use gradual_train::{Objective, TrainError, step};

/// A model and inputs whose gradients point both ways.
fn setting() -> (Model, Tensor<2>) {
    let device = Device::flex().autodiff();
    let mut layer = LinearConfig::new(3, 1).with_bias(false).init(&device);
    layer.weight = Param::from_tensor(Tensor::zeros([3, 1], &device)).set_require_grad(true);
    let inputs = Tensor::from_floats(
        [
            [2.0, 0.5, 0.1],
            [-1.0, 0.3, -0.2],
            [0.4, 1.0, 0.0],
            [0.0, 0.0, 0.0],
            [-0.3, -0.9, 0.6],
        ],
        &device,
    );
    (Model { layer }, inputs)
}

fn traced() -> Traced {
    let (model, inputs) = setting();
    trace(&model, |m| m.losses(&inputs)).unwrap()
}

fn published(traced: &Traced) -> Groups {
    SingularVectors::default()
        .group(&Draw::from(traced))
        .unwrap()
}

fn numbers(tensor: &Tensor<1>) -> Vec<f32> {
    tensor.clone().into_data().try_to_vec().unwrap()
}

/// c = 2 D⁻¹ K² D⁻¹ ℓ, from the rows.
fn coefficients(traced: &Traced) -> Vec<f64> {
    let rows = traced.gradients.rows();
    let rows: Vec<f32> = rows.into_data().try_to_vec().unwrap();
    let losses = numbers(&traced.losses);
    let n = losses.len();
    let p = rows.len() / n;
    let row = |j: usize| &rows[j * p..(j + 1) * p];
    let inner = |a: usize, b: usize| -> f64 {
        let pairs = row(a).iter().zip(row(b));
        pairs.map(|(x, y)| f64::from(*x) * f64::from(*y)).sum()
    };
    let norm = |j: usize| inner(j, j).sqrt();
    let present = |j: &usize| norm(*j) > 0.0;
    let scaled = |i: usize| -> f64 {
        let terms = (0..n).filter(present);
        terms
            .map(|j| inner(i, j) * f64::from(losses[j]) / norm(j))
            .sum()
    };
    let of = |j: usize| match present(&j) {
        true => 2.0 * (0..n).map(|i| inner(j, i) * scaled(i)).sum::<f64>() / norm(j),
        false => 0.0,
    };
    (0..n).map(of).collect()
}

#[test]
fn the_sum_of_squares_is_the_published_loss() {
    let traced = traced();
    let composed = SumOfSquares
        .compose(&traced.losses, &published(&traced))
        .unwrap();
    let expected = coefficients(&traced);
    assert!(expected.iter().any(|&c| c < 0.0), "{expected:?}");
    assert_eq!(expected[3], 0.0);
    for (found, expected) in numbers(&composed.coefficients).iter().zip(&expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 1e-4,
            "{found} against {expected}"
        );
    }
}

/// Whatever looks at a single group's loss or gradient would depend on the arbitrary sign of its direction.
#[test]
fn everything_else_refuses_signed_groups() {
    let traced = traced();
    let groups = published(&traced);
    let mut taken = Vec::new();
    for name in COMPOSITIONS.names().chain(["power(p = 3)"]) {
        let reference = format!("{name}(reference = {:?})", vec![0.0; groups.num_groups()]);
        let text = if name == "excess" { &reference } else { name };
        let mut composition = COMPOSITIONS.build(&text.parse().unwrap(), ()).unwrap();
        if composition.takes_signed() {
            taken.push(name);
            continue;
        }
        let error = composition.compose(&traced.losses, &groups).unwrap_err();
        assert!(matches!(error, LossError::Signed { .. }), "{error}");
        assert!(
            error
                .to_string()
                .contains("singular-vectors(membership = squared)")
        );
        let squared = SingularVectors::squared()
            .group(&Draw::from(&traced))
            .unwrap();
        assert!(composition.compose(&traced.losses, &squared).is_ok());
    }
    let gram = traced.gradients.gram();
    // The power is 2 where none is said.
    assert_eq!(taken, ["squares", "power"]);
    for name in RULES.names() {
        let mut rule = RULES
            .build(&name.parse().unwrap(), RuleContext::default())
            .unwrap();
        let error = rule.compose(&traced.losses, &groups, &gram).unwrap_err();
        assert!(matches!(error, LossError::Signed { .. }), "{error}");
    }
}

#[test]
fn a_scale_by_the_sum_refuses_signed_groups() {
    let (model, inputs) = setting();
    let of = |scale| Objective::new(SingularVectors::default(), SumOfSquares).with_scale(scale);
    let error = step(&model, &mut of(Scale::UnitSum), None, |m| m.losses(&inputs)).unwrap_err();
    let TrainError::Loss(LossError::SignedSum { .. }) = &error else {
        panic!("{error}");
    };
    let message = error.to_string();
    for part in ["scale unit-sum", "unit-absolute", "match-norm", "raw"] {
        assert!(message.contains(part), "{message}");
    }
    for scale in [
        Scale::UnitAbsolute,
        Scale::MatchNorm,
        Scale::Raw,
        Scale::Cap(1.0),
    ] {
        let stepped = step(&model, &mut of(scale), None, |m| m.losses(&inputs)).unwrap();
        assert!(stepped.coefficients.iter().any(|&c| c < 0.0), "{scale:?}");
    }
    let labels = [Some(0); 5];
    let mut grouped = Objective::new(Labels::new(1), SumOfSquares).with_scale(Scale::UnitSum);
    assert!(step(&model, &mut grouped, Some(&labels), |m| m.losses(&inputs)).is_ok());
}

/// Without a word of the user Σ|c| = 1; with no sign among the coefficients that is Σc = 1.
#[test]
fn the_usual_scale_is_by_absolute_values() {
    let (model, inputs) = setting();
    let stepped = |objective: Objective| {
        step(&model, &mut { objective }, None, |m| m.losses(&inputs)).unwrap()
    };
    let svd = || Objective::new(SingularVectors::default(), SumOfSquares);
    let (usual, raw) = (stepped(svd()), stepped(svd().with_scale(Scale::Raw)));
    let absolute: f64 = coefficients(&traced()).iter().map(|c| c.abs()).sum();
    for ((found, raw), expected) in usual
        .coefficients
        .iter()
        .zip(&raw.coefficients)
        .zip(coefficients(&traced()))
    {
        assert!((f64::from(*found) - expected / absolute).abs() < 1e-6);
        assert!((f64::from(*raw) - expected).abs() < 1e-4);
    }
    let squared = || Objective::new(SingularVectors::squared(), SumOfSquares);
    let sums = stepped(squared()).coefficients;
    let absolute = stepped(squared().with_scale(Scale::UnitAbsolute)).coefficients;
    assert!((sums.iter().sum::<f32>() - 1.0).abs() < 1e-6);
    for (a, b) in sums.iter().zip(absolute) {
        assert!((a - b).abs() < 1e-6);
    }
}

/// Nothing to divide by, and the ends of single precision.
#[test]
fn absolute_values_of_any_size_sum_to_one() {
    let scaled = |values: &[f32]| {
        let coefficients = Tensor::<1>::from_floats(values, &Device::flex());
        numbers(&Scale::UnitAbsolute.apply(coefficients).unwrap())
    };
    assert_eq!(scaled(&[0.0, 0.0]), [0.0, 0.0]);
    for size in [1e-30f32, 1e-12, 1.0, 1e12, 1e38] {
        let found = scaled(&[3.0 * size, -size, 0.0]);
        for (found, expected) in found.iter().zip([0.75, -0.25, 0.0]) {
            assert!((found - expected).abs() < 1e-6, "{size}: {found}");
        }
    }
}

/// Gradients a trillion times as long or as short: K² would be out of range in single precision, the coefficients are
/// not, and under a scale they are the same.
#[test]
fn long_and_short_gradients_have_the_same_direction() {
    let (model, inputs) = setting();
    let coefficients = |size: f64, scale: Scale| {
        let mut objective = Objective::new(SingularVectors::default(), SumOfSquares);
        objective = objective.with_scale(scale);
        let inputs = inputs.clone() * size;
        let stepped = step(&model, &mut objective, None, |m| m.losses(&inputs)).unwrap();
        stepped.coefficients
    };
    let (unit, raw) = (
        coefficients(1.0, Scale::UnitAbsolute),
        coefficients(1.0, Scale::Raw),
    );
    for size in [1e-12, 1e12] {
        let scaled = coefficients(size, Scale::UnitAbsolute);
        for (found, expected) in scaled.iter().zip(&unit) {
            assert!(
                (found - expected).abs() < 1e-6,
                "{size}: {found} against {expected}"
            );
        }
        for (found, expected) in coefficients(size, Scale::Raw).iter().zip(&raw) {
            let expected = f64::from(*expected) * size * size;
            let error = (f64::from(*found) - expected).abs();
            assert!(
                error <= 1e-5 * expected.abs(),
                "{size}: {found} against {expected}"
            );
        }
    }
}

/// 2 D⁻¹ K² D⁻¹ ℓ from the inner products of rows that are not scaled, with Σ|c| = 1.
fn by_hand(rows: &[Vec<f32>], losses: &[f32]) -> Vec<f64> {
    let n = rows.len();
    let dot = |a: &[f32], b: &[f32]| {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum::<f64>()
    };
    let k = |i: usize, j: usize| dot(&rows[i], &rows[j]);
    let unit: Vec<f64> = (0..n)
        .map(|j| {
            if k(j, j) > 0.0 {
                f64::from(losses[j]) / k(j, j).sqrt()
            } else {
                0.0
            }
        })
        .collect();
    let once: Vec<f64> = (0..n)
        .map(|i| (0..n).map(|j| k(i, j) * unit[j]).sum())
        .collect();
    let c: Vec<f64> = (0..n)
        .map(|i| {
            let twice: f64 = (0..n).map(|j| k(i, j) * once[j]).sum();
            if k(i, i) > 0.0 {
                2.0 * twice / k(i, i).sqrt()
            } else {
                0.0
            }
        })
        .collect();
    let size: f64 = c.iter().map(|c| c.abs()).sum();
    c.iter()
        .map(|c| if size > 0.0 { c / size } else { 0.0 })
        .collect()
}

/// Gradients x_j times a size, one of them zero and two opposite; squares that single precision can't hold are refused
/// or count as zero.
#[test]
fn gradients_of_any_size() {
    let rows: Vec<Vec<f32>> = vec![
        vec![3.0, -1.0, -1.0],
        vec![0.0, 0.0, 0.0],
        vec![0.0, -2.0, -3.0],
        vec![-3.0, 1.0, 1.0],
        vec![3.0, 2.0, -1.0],
    ];
    let (mut model, _) = setting();
    model.layer.weight = model
        .layer
        .weight
        .map(|weight| (weight * 0.0).detach().require_grad());
    let objectives: [fn() -> Objective; 2] = [
        || Objective::new(SingularVectors::default(), SumOfSquares),
        || {
            Objective::new(
                SingularVectors::default().with_leading(usize::MAX).unwrap(),
                SumOfSquares,
            )
        },
    ];
    let stepped = |objective: fn() -> Objective, losses: [f32; 5], size: f32| {
        let device = Device::flex();
        let inputs = Tensor::<2>::from_data(TensorData::new(rows.concat(), [5, 3]), &device) * size;
        let own = Tensor::<1>::from_floats(losses, &device);
        step(&model, &mut objective(), None, |m| {
            m.layer.tap(inputs).reshape([5]) + own
        })
        .map(|stepped| stepped.coefficients)
    };
    for losses in [[1.0, 2.0, 0.5, 0.25, 0.0], [-1.0, 2.0, -0.5, 0.25, 0.0]] {
        let right = by_hand(&rows, &losses);
        for objective in objectives {
            for size in [
                1.0, 1e-6, 1e-15, 1e-18, 1e-20, 1e-30, 1e6, 1e15, 1e18, 1e20, 1e30,
            ] {
                let found = stepped(objective, losses, size).unwrap();
                assert_eq!(found[1], 0.0);
                for (found, right) in found.iter().zip(&right) {
                    let far = (f64::from(*found) - right).abs();
                    assert!(far < 1e-6, "{size:e}: {found} against {right}");
                }
            }
        }
    }
}
