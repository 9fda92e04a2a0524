//! Losses in half, single and double precision, with memberships in another.

use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual_group::{Average, Groups};
use gradual_loss::registry::{RULES, RuleContext};
use gradual_loss::{
    Composition, Focal, GroupDro, LossError, Mean, PowerMean, RunningMeans, Scale, Scaler, Shifted,
    SumOfSquares, Tilted,
};

use crate::common::all;

fn vector(values: &[f64], dtype: DType) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]).convert_dtype(dtype);
    Tensor::from_data(data, (&Device::flex(), dtype))
}

fn numbers(tensor: Tensor<1>) -> Vec<f64> {
    let data = tensor.into_data().convert::<f64>();
    data.try_to_vec().expect("numbers")
}

const HALF: [DType; 2] = [DType::F16, DType::BF16];

/// Losses that all precisions hold exactly, in groups of 2, 1 and none: sizes whose inverse they hold, too.
#[test]
fn every_precision_gives_the_same_coefficients() {
    let labels = vec![Some(0), Some(0), Some(1), None];
    let groups = Groups::hard(labels, 3, Average::Mean, &Device::flex()).unwrap();
    let losses = [0.5, 1.5, 3.0, 2.0];
    let gram = Tensor::<2>::eye(4, &Device::flex());
    let scales = [
        Scale::Raw,
        Scale::UnitSum,
        Scale::UnitAbsolute,
        Scale::RunningSum(0.9),
        Scale::Cap(0.5),
        Scale::MatchNorm,
    ];
    for scale in scales {
        for ((name, mut double), ((_, mut single), (_, mut half))) in
            all(3).into_iter().zip(all(3).into_iter().zip(all(3)))
        {
            let draw = |composition: &mut dyn Composition, dtype| {
                let losses = vector(&losses, dtype);
                let forward = composition.forward(losses.clone(), &groups).map(numbers);
                let composed = composition.compose(&losses, &groups).unwrap();
                let scaled = Scaler::new(scale).apply_ahead(composed, &groups, Some(&gram));
                let scaled = scaled.unwrap();
                assert!(
                    numbers(scaled.value).iter().all(|l| l.is_finite()),
                    "{name}"
                );
                assert!(forward.unwrap()[0].is_finite(), "{name}");
                (scaled.coefficients.dtype(), numbers(scaled.coefficients))
            };
            let (dtype, expected) = draw(double.as_mut(), DType::F64);
            assert_eq!(dtype, DType::F64, "{name}");
            let near = |composition: &mut dyn Composition, dtype| {
                let state = composition.state();
                let (precision, found) = draw(composition, dtype);
                composition.restore(&state).unwrap();
                assert_eq!(precision, DType::F32, "{name}");
                let error = found.iter().zip(&expected);
                let error = error.map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
                assert!(
                    error.fold(0.0, f64::max) < 1e-5,
                    "{name} in {dtype:?}: {found:?}, not {expected:?}"
                );
            };
            near(single.as_mut(), DType::F32);
            for dtype in HALF {
                near(half.as_mut(), dtype);
            }
        }
    }
}

/// 1/3 in double precision, though the groups were made in single.
#[test]
fn memberships_follow_double_precision() {
    let labels = vec![Some(0), Some(0), Some(0), Some(1)];
    let groups = Groups::hard(labels, 2, Average::Mean, &Device::flex()).unwrap();
    let losses = vector(&[1.0, 2.0, 4.0, 0.5], DType::F64);
    let composed = SumOfSquares.compose(&losses, &groups).unwrap();
    let (third, mean) = (1.0 / 3.0, 7.0 / 3.0);
    let value = numbers(composed.value)[0];
    assert!((value - mean * mean - 0.25).abs() < 1e-14, "{value}");
    let first = numbers(composed.coefficients)[0];
    assert!((first - 2.0 * mean * third).abs() < 1e-14, "{first}");
    let mut dro = GroupDro::new(1.0).unwrap();
    dro.compose(&losses, &groups).unwrap();
    let ratio = dro.weights(2)[0] / dro.weights(2)[1];
    assert!((ratio / (mean - 0.5).exp() - 1.0).abs() < 1e-14, "{ratio}");
}

/// Coefficients of 2e-56 and losses of 1e-50 were clamped as if they were in single precision.
#[test]
fn small_numbers_in_double_precision() {
    let labels = vec![Some(0), Some(1), Some(1)];
    let groups = Groups::hard(labels, 2, Average::Mean, &Device::flex()).unwrap();
    let (twenty, half) = (PowerMean::new(20.0).unwrap(), PowerMean::new(0.5).unwrap());
    let rooted = PowerMean::new(3.0).unwrap().rooted();
    let close = |found: &[f64], expected: &[f64]| {
        let mut both = found.iter().zip(expected);
        both.all(|(a, b)| (a / b - 1.0).abs() < 1e-9)
    };
    for (size, mut composition, expected) in [
        (
            1e-3,
            Box::new(twenty) as Box<dyn Composition>,
            [0.5, 0.25, 0.25],
        ),
        (1e-50, Box::new(SumOfSquares), [0.5, 0.25, 0.25]),
        (1e-50, Box::new(half), [0.5, 0.25, 0.25]),
        (1e-50, Box::new(rooted), [0.5, 0.25, 0.25]),
    ] {
        let losses = vector(&[size; 3], DType::F64);
        let composed = composition.compose(&losses, &groups).unwrap();
        for scale in [Scale::UnitSum, Scale::UnitAbsolute, Scale::RunningSum(0.9)] {
            let scaled = numbers(scale.apply(composed.coefficients.clone()).unwrap());
            assert!(
                close(&scaled, &expected),
                "{size} {}: {scaled:?}",
                composition.name()
            );
        }
        // Below zero, they are as little to be divided by as large ones are.
        let below = Scale::UnitSum.apply(composed.coefficients.neg());
        assert!(matches!(below, Err(LossError::Sum { .. })), "{size}");
    }
    // A mean of equal losses is one of them.
    let losses = vector(&[1e-50; 3], DType::F64);
    let value = numbers(
        PowerMean::new(3.0)
            .unwrap()
            .rooted()
            .compose(&losses, &groups)
            .unwrap()
            .value,
    );
    assert!(close(&value, &[1e-50]), "{value:?}");
    // Sums above single precision are divided by, too.
    let large = vector(&[1e60, 3e60], DType::F64);
    assert!(close(
        &numbers(Scale::UnitSum.apply(large).unwrap()),
        &[0.25, 0.75]
    ));
}

/// The fifteenth power of a loss of 0.001 is no number of single precision, and an arm stood still without a word: under a scale
/// that knows no unit, coefficients are those of the power mean proper.
#[test]
fn powers_of_small_losses_keep_their_coefficients() {
    let labels = vec![Some(0), Some(0), Some(1), Some(1), Some(2)];
    let groups = Groups::hard(labels, 3, Average::Mean, &Device::flex()).unwrap();
    // The third group has no weight, and a loss whose power is no number either.
    let groups = groups.with_priors(&[1.0, 1.0, 0.0]).unwrap();
    for dtype in [DType::F32, DType::F64] {
        for (p, size) in [
            (16.0, 1e-3),
            (16.0, 1e-6),
            (100.0, 1e-5),
            (1e6, 1.0),
            (3.0, 1e10),
        ] {
            let losses = vector(&[2.0 * size, size, 0.5 * size, size, 1e4 * size], dtype);
            for scale in [Scale::UnitSum, Scale::UnitAbsolute] {
                let [found, expected] = [
                    PowerMean::new(p).unwrap(),
                    PowerMean::new(p).unwrap().rooted(),
                ]
                .map(|mut composition| {
                    let composed = composition.compose_ahead(&losses, &groups).unwrap();
                    let scaled = Scaler::new(scale)
                        .apply_ahead(composed, &groups, None)
                        .unwrap();
                    numbers(scaled.settled_now().unwrap().coefficients)
                });
                let sum: f64 = found.iter().sum();
                assert!((sum - 1.0).abs() < 1e-5, "{p} {size} {dtype:?}: {found:?}");
                let near = found.iter().zip(&expected);
                let near = near.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(near < 1e-4, "{p} {size}: {found:?}, not {expected:?}");
            }
        }
        // As they are, they are those of the sum: 3 (1.5)² / 2 and 3 (0.75)² / 2.
        let losses = vector(&[2.0, 1.0, 0.5, 1.0, 9.0], dtype);
        let mut cubes = PowerMean::new(3.0).unwrap();
        let composed = cubes.compose(&losses, &groups).unwrap();
        let value = numbers(composed.value.clone())[0];
        assert!((value - 3.375 - 0.421875).abs() < 1e-5, "{value}");
        let ahead = cubes.compose_ahead(&losses, &groups).unwrap();
        let raw = Scaler::new(Scale::Raw)
            .apply_ahead(ahead, &groups, None)
            .unwrap();
        for coefficients in [composed.coefficients, raw.coefficients] {
            let found = numbers(coefficients);
            let expected = [3.375, 3.375, 0.84375, 0.84375, 0.0];
            let near = found
                .iter()
                .zip(expected)
                .all(|(a, b)| (a - b).abs() < 1e-5);
            assert!(near, "{found:?}");
        }
    }
}

/// A sum over 4 000 groups of one loss each: half precision stops counting at 256 or 2 048.
#[test]
fn many_groups_in_half_precision() {
    let k = 4_000;
    let labels = (0..k).map(Some).collect();
    let groups = Groups::hard(labels, k, Average::Mean, &Device::flex()).unwrap();
    for dtype in HALF {
        let losses = vector(&vec![1.0; k], dtype);
        for (value, composition) in [
            (4_000.0, &mut SumOfSquares as &mut dyn Composition),
            (1.0, &mut Mean),
            (1.0, &mut Tilted::new(1.0).unwrap()),
        ] {
            let composed = composition.compose(&losses, &groups).unwrap();
            let found = numbers(composed.value)[0];
            assert!(
                (found / value - 1.0).abs() < 1e-5,
                "{found}, not {value} in {dtype:?}"
            );
            let scaled = numbers(Scale::UnitSum.apply(composed.coefficients).unwrap());
            assert!(scaled.iter().all(|c| (c * k as f64 - 1.0).abs() < 1e-5));
        }
    }
}

/// A graph behind half-precision losses gets its gradient in half precision.
#[test]
fn a_backward_pass_from_half_precision() {
    let groups = Groups::one(2, &Device::flex());
    for dtype in HALF {
        let leaf = vector(&[1.0, 3.0], dtype).autodiff().require_grad();
        let value = SumOfSquares.forward(leaf.clone(), &groups).unwrap();
        let gradient = leaf.grad(&value.backward()).unwrap();
        assert_eq!(
            (gradient.dtype(), numbers(gradient)),
            (dtype, vec![2.0, 2.0])
        );
    }
}

/// Rules on gradients: losses, groups and Gram matrix each in its own precision.
#[test]
fn rules_on_gradients_in_any_precision() {
    let labels = vec![Some(0), Some(1)];
    let groups = Groups::hard(labels, 2, Average::Mean, &Device::flex()).unwrap();
    let gram = Tensor::<2>::from_floats([[4.0, -1.0], [-1.0, 1.0]], &Device::flex());
    for losses in [DType::F64, DType::F32, DType::F16, DType::BF16] {
        for products in [DType::F64, DType::F32] {
            let losses = vector(&[1.0, 2.0], losses);
            let gram = gram.clone().cast(products);
            for entry in RULES.iter() {
                let spec = entry.name.parse().unwrap();
                let mut rule = RULES.build(&spec, RuleContext::default()).unwrap();
                let composed = rule.compose(&losses, &groups, &gram).unwrap();
                let scaled = Scaler::new(Scale::MatchNorm)
                    .apply_ahead(composed, &groups, Some(&gram))
                    .unwrap();
                assert!(numbers(scaled.coefficients).iter().all(|c| *c > 0.0));
            }
        }
    }
}

/// Wrappers keep the unit of the power inside, and the focal loss has one, too: against the same in double precision, whose
/// range these powers do not leave.
#[test]
fn wrapped_powers_and_focal_losses_keep_their_coefficients() {
    let labels = vec![Some(0), Some(0), Some(1), Some(1), Some(2)];
    let groups = Groups::hard(labels, 3, Average::Mean, &Device::flex()).unwrap();
    let power = || PowerMean::new(16.0).unwrap();
    let compositions: [(&str, f64, Box<dyn Composition>); 6] = [
        ("power", 0.0, Box::new(power())),
        (
            "shifted",
            0.25,
            Box::new(Shifted::new(power(), 0.25).unwrap()),
        ),
        (
            "shifted twice",
            0.25,
            Box::new(Shifted::new(Shifted::new(power(), 0.5).unwrap(), -0.25).unwrap()),
        ),
        (
            "running means",
            0.0,
            Box::new(RunningMeans::new(power(), 0.5).unwrap()),
        ),
        (
            "running means, shifted",
            0.25,
            Box::new(RunningMeans::new(Shifted::new(power(), 0.25).unwrap(), 0.5).unwrap()),
        ),
        ("focal", 0.0, Box::new(Focal::new(15.0).unwrap())),
    ];
    for (name, floor, mut composition) in compositions {
        let size = 2f64.powi(-10);
        let losses = [2.0, 1.0, 1.25, 1.0, 0.5].map(|times| floor + times * size);
        for _ in 0..2 {
            let [single, double] = [DType::F32, DType::F64].map(|dtype| {
                let losses = vector(&losses, dtype);
                let composed = composition.compose_ahead(&losses, &groups).unwrap();
                let scaled = Scaler::new(Scale::UnitSum)
                    .apply_ahead(composed.clone(), &groups, None)
                    .unwrap();
                let in_full = composed.settled_now().unwrap().in_full().coefficients;
                (
                    numbers(in_full),
                    numbers(scaled.settled_now().unwrap().coefficients),
                )
            });
            let sum: f64 = double.0.iter().sum();
            assert!(sum > 0.0 && sum < 1e-38, "{name}: {sum}");
            for (own, (full, scaled)) in single.1.iter().zip(double.0.iter().zip(&double.1)) {
                assert!((scaled - full / sum).abs() < 1e-9, "{name}: {double:?}");
                assert!((own - scaled).abs() < 1e-4, "{name}: {own}, not {scaled}");
            }
        }
    }
}
