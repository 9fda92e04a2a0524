//! The size of a step: sums that can be divided by, norms that cancel, and groups that a draw lacks.

use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual_grad::host::reads;
use gradual_group::{Average, Groups};
use gradual_loss::{
    Composed, Composition, GramComposition, LossError, Mean, PowerMean, Scale, Scaler,
    SumOfSquares, UpGrad,
};
use proptest::prelude::*;

fn vector(values: &[f64]) -> Tensor<1> {
    let data = TensorData::new(values.to_vec(), [values.len()]).convert_dtype(DType::F32);
    Tensor::from_data(data, (&Device::flex(), DType::F32))
}

fn numbers(tensor: Tensor<1>) -> Vec<f64> {
    let data = tensor.into_data().convert::<f64>();
    data.try_to_vec().expect("numbers")
}

fn message(result: Result<Tensor<1>, LossError>) -> String {
    result.map(drop).unwrap_err().to_string()
}

#[test]
fn coefficients_of_either_sign() {
    let c = vector(&[3.0, -1.0, 0.0]);
    assert_eq!(
        numbers(Scale::UnitAbsolute.apply(c.clone()).unwrap()),
        [0.75, -0.25, 0.0]
    );
    assert_eq!(
        numbers(Scale::UnitSum.apply(c.clone()).unwrap()),
        [1.5, -0.5, 0.0]
    );
    assert_eq!(
        numbers(Scale::Cap(8.0).apply(c.clone()).unwrap()),
        [0.375, -0.125, 0.0]
    );
    assert_eq!(
        numbers(Scale::Cap(2.0).apply(c.clone()).unwrap()),
        [0.75, -0.25, 0.0]
    );
    assert_eq!(
        message(Scale::UnitSum.apply(c.clone() * -1.0)),
        "scale unit-sum: can't divide by the sum of the coefficients, which is -2 (4 in absolute value); take \
         unit-absolute, match-norm or raw"
    );
    // Equal to zero, and positive by rounding alone.
    for cancelled in [[1.0, -1.0], [1.0, -1.0 + 1e-7]] {
        for scale in [Scale::UnitSum, Scale::RunningSum(0.9)] {
            let error = scale.apply(vector(&cancelled)).map(drop).unwrap_err();
            assert!(matches!(error, LossError::Sum { .. }), "{error}");
        }
        let scaled = numbers(Scale::UnitAbsolute.apply(vector(&cancelled)).unwrap());
        assert!((scaled[0] - 0.5).abs() < 1e-6);
    }
    // Nothing to scale is nothing to refuse.
    for scale in [
        Scale::Raw,
        Scale::UnitSum,
        Scale::UnitAbsolute,
        Scale::RunningSum(0.9),
        Scale::Cap(1.0),
    ] {
        assert_eq!(
            numbers(scale.apply(c.clone() * 0.0).unwrap()),
            [0.0; 3],
            "{scale:?}"
        );
    }
    let tiny = numbers(Scale::UnitAbsolute.apply(vector(&[2e-38, -6e-38])).unwrap());
    assert!(
        (tiny[0] - 0.25).abs() < 1e-6 && (tiny[1] + 0.75).abs() < 1e-6,
        "{tiny:?}"
    );
}

#[test]
fn settings_are_checked() {
    let c = vector(&[1.0, 3.0]);
    for (cap, said) in [
        (f64::INFINITY, "inf"),
        (f64::NAN, "NaN"),
        (0.0, "0"),
        (-1.0, "-1"),
    ] {
        assert_eq!(
            message(Scale::Cap(cap).apply(c.clone())),
            format!("scale: cap must be positive and finite, got {said}")
        );
        assert!(Scale::Cap(cap).apply_with_gram(c.clone(), None).is_err());
    }
    for memory in [1.0, -0.1, f64::NAN] {
        assert!(Scale::RunningSum(memory).apply(c.clone()).is_err());
    }
    assert!(matches!(
        Scale::MatchNorm.apply(c.clone()),
        Err(LossError::NoGram)
    ));
    let other = Tensor::<2>::eye(3, &Device::flex());
    let error = Scale::MatchNorm
        .apply_with_gram(c, Some(&other))
        .map(drop)
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "scale: expected a Gram matrix of 2 by 2, got 3 by 3"
    );
}

/// Signed groups: squares alone, and no scale by the sum.
#[test]
fn signed_groups() {
    let device = Device::flex();
    let groups = Groups::soft(
        vec![0.6, -0.8, 0.8, 0.6],
        vec![1.0; 2],
        vec![1.0; 2],
        &device,
    );
    let groups = groups.unwrap().signed();
    let losses = vector(&[1.0, 2.0]);
    // ℓ̄ = (−1, 2): L = 5, c = 2 Mᵀℓ̄ = 2 (−0.6 + 1.6, 0.8 + 1.2).
    let close =
        |a: Tensor<1>, b: &[f64]| numbers(a).iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
    let composed = SumOfSquares.compose(&losses, &groups).unwrap();
    assert!(
        close(composed.value.clone(), &[5.0]) && close(composed.coefficients.clone(), &[2.0, 4.0])
    );
    let power = PowerMean::new(2.0)
        .unwrap()
        .compose(&losses, &groups)
        .unwrap();
    assert_eq!(
        numbers(power.coefficients),
        numbers(composed.coefficients.clone())
    );
    assert!(
        PowerMean::new(3.0)
            .unwrap()
            .compose(&losses, &groups)
            .is_err()
    );
    let error = Mean.compose(&losses, &groups).map(drop).unwrap_err();
    assert!(
        error.to_string().starts_with("mean: the groups are signed"),
        "{error}"
    );
    let gram = Tensor::<2>::eye(2, &device);
    let error = UpGrad
        .compose(&losses, &groups, &gram)
        .map(drop)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("UPGrad: the groups are signed"),
        "{error}"
    );

    let scaled = |scaler: Scaler| scaler.apply_ahead(composed.clone(), &groups, Some(&gram));
    for scale in [Scale::UnitSum, Scale::RunningSum(0.9)] {
        let error = scaled(Scaler::new(scale)).map(drop).unwrap_err();
        assert!(matches!(error, LossError::SignedSum { .. }), "{error}");
    }
    let third = [1.0 / 3.0, 2.0 / 3.0];
    assert!(close(
        scaled(Scaler::default()).unwrap().coefficients,
        &third
    ));
    assert!(scaled(Scaler::new(Scale::MatchNorm)).is_ok());
}

fn matched(c: &[f64], rows: &[Vec<f64>]) -> Vec<f64> {
    let gram: Vec<f64> = rows
        .iter()
        .flat_map(|a| {
            rows.iter()
                .map(move |b| a.iter().zip(b).map(|(a, b)| a * b).sum())
        })
        .collect();
    let data = TensorData::new(gram, [rows.len(); 2]).convert_dtype(DType::F32);
    let gram = Tensor::<2>::from_data(data, (&Device::flex(), DType::F32));
    numbers(
        Scale::MatchNorm
            .apply_with_gram(vector(c), Some(&gram))
            .unwrap(),
    )
}

fn norm(c: &[f64], rows: &[Vec<f64>]) -> f64 {
    let sum = |at: usize| c.iter().zip(rows).map(|(c, row)| c * row[at]).sum::<f64>();
    (0..rows[0].len())
        .map(|at| sum(at).powi(2))
        .sum::<f64>()
        .sqrt()
}

/// Gᵀc = 0 but for rounding: the step was 9e11 times a gradient.
#[test]
fn a_norm_that_cancels_is_no_long_step() {
    let rows = [vec![1.0, 0.1], vec![-0.3, -0.03], vec![0.7, 0.07]];
    // 1 − 0.3 · 8 + 0.7 · 2 = 0.
    let scaled = matched(&[1.0, 8.0, 2.0], &rows);
    assert!(scaled.iter().all(|c| c.abs() < 1e4), "{scaled:?}");
    let erm = norm(&[1.0 / 3.0; 3], &rows);
    assert!(norm(&scaled, &rows) <= erm, "{scaled:?}");
    // And of nothing, nothing.
    let zeros = vec![vec![0.0; 2]; 3];
    assert!(
        matched(&[1.0, 8.0, 2.0], &zeros)
            .iter()
            .all(|c| c.is_finite())
    );
    assert_eq!(matched(&[0.0; 3], &rows), [0.0; 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Right where the norm is known, and never longer than the ERM step by more than a tenth where it is not.
    #[test]
    fn a_matched_norm_is_matched_or_shorter(
        rows in prop::collection::vec(prop::collection::vec(-1.0f64..1.0, 3), 4..12),
        c in prop::collection::vec(0.0f64..1.0, 12),
        cancel in prop::option::of(-10i32..0),
    ) {
        let (mut rows, mut c) = (rows, c);
        c.truncate(rows.len());
        if let Some(exponent) = cancel {
            // The last example undoes the others, but for a small rest.
            let rest = 10f64.powi(exponent);
            let sums: Vec<f64> = (0..3)
                .map(|at| c.iter().zip(&rows).take(rows.len() - 1).map(|(c, row)| c * row[at]).sum())
                .collect();
            *rows.last_mut().unwrap() = sums.iter().map(|sum| rest - sum).collect();
            *c.last_mut().unwrap() = 1.0;
        }
        let scaled = matched(&c, &rows);
        let erm = norm(&vec![1.0 / rows.len() as f64; rows.len()], &rows);
        let (found, gross) = (norm(&scaled, &rows), norm(&c, &rows));
        prop_assert!(found <= 1.1 * erm, "{} of {}", found, erm);
        let sizes: f64 = c.iter().zip(&rows).map(|(c, row)| c * norm(&[1.0], std::slice::from_ref(row))).sum();
        if gross > 0.05 * sizes && erm > 0.05 {
            prop_assert!((found / erm - 1.0).abs() < 1e-3, "{} of {}", found, erm);
        }
    }
}

/// One of two groups in nine draws of ten, both in the tenth, under priors (0.1, 0.9) and equal losses.
fn weights_over(draws: usize, scale: Scale) -> [f64; 2] {
    let device = Device::flex();
    let mut scaler = Scaler::new(scale);
    let mut total = [0.0; 2];
    for draw in 1..=draws {
        let labels = match draw % 10 {
            0 => vec![Some(0), Some(1)],
            _ => vec![Some(0)],
        };
        let losses = vector(&vec![1.0; labels.len()]);
        let groups = Groups::hard(labels, 2, Average::Mean, &device).unwrap();
        let groups = groups.with_priors(&[0.1, 0.9]).unwrap();
        let composed = PowerMean::new(1.0)
            .unwrap()
            .compose(&losses, &groups)
            .unwrap();
        let ahead = scaler.apply_ahead(composed, &groups, None).unwrap();
        let unread = ahead
            .unread()
            .map(|unread| unread.into_data().try_to_vec::<f32>().unwrap());
        let settled = ahead.settled(&unread.unwrap_or_default()).unwrap();
        scaler.observe(&settled);
        for (sum, c) in total.iter_mut().zip(numbers(settled.coefficients)) {
            *sum += c;
        }
    }
    total
}

/// (9 + 0.1) : 0.9 = 10.1 : 1 under UnitSum, where the priors ask for (10 · 0.1) : 0.9 = 1.1 : 1.
#[test]
fn groups_that_a_draw_lacks() {
    let ratio = |[a, b]: [f64; 2]| a / b;
    let plain = ratio(weights_over(10, Scale::UnitSum));
    assert!((plain - 9.1 / 0.9).abs() < 1e-4, "{plain}");
    let asked = ratio(weights_over(10, Scale::Raw));
    assert!((asked - 1.0 / 0.9).abs() < 1e-5, "{asked}");
    for (memory, within) in [(0.99, 0.05), (0.999, 0.01)] {
        let scale = Scale::RunningSum(memory);
        let before = weights_over(5_000, scale);
        let after = weights_over(10_000, scale);
        let late = [after[0] - before[0], after[1] - before[1]];
        assert!(
            (ratio(late) / asked - 1.0).abs() < within,
            "{memory}: {}",
            ratio(late)
        );
        // A draw's coefficients still add up to one in the mean.
        let mean = (late[0] + late[1]) / 5_000.0;
        assert!((mean - 1.0).abs() < within, "{mean}");
    }
    // Without memory it is UnitSum.
    assert!((ratio(weights_over(20, Scale::RunningSum(0.0))) - plain).abs() < 1e-4);
}

/// Sums 4, 2, 0 and 1 at memory ½: means 4, (2 + 2)/1½, and after a draw that does not count (1 + ½·4)/1¾.
#[test]
fn a_running_sum_by_hand() {
    let groups = Groups::one(2, &Device::flex());
    let mut scaler = Scaler::new(Scale::RunningSum(0.5));
    let draw = |scaler: &mut Scaler, c: [f64; 2]| {
        let before = reads();
        let raw = Composed::new(vector(&[0.0]), vector(&c));
        let ahead = scaler.apply_ahead(raw, &groups, None).unwrap();
        assert_eq!(reads(), before, "nothing waits");
        let unread = ahead
            .unread()
            .unwrap()
            .into_data()
            .try_to_vec::<f32>()
            .unwrap();
        let settled = ahead.settled(&unread).unwrap();
        scaler.observe(&settled);
        numbers(settled.coefficients)
    };
    let close = |a: Vec<f64>, b: [f64; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-6);
    assert_eq!(scaler.state(), [0.0, 0.0]);
    assert!(close(draw(&mut scaler, [1.0, 3.0]), [0.25, 0.75]));
    assert!(close(draw(&mut scaler, [1.0, 1.0]), [0.375, 0.375]));
    assert_eq!(scaler.state(), [4.0, 1.5]);
    assert!(close(draw(&mut scaler, [0.0, 0.0]), [0.0, 0.0]));
    assert_eq!(scaler.state(), [4.0, 1.5]);
    let mut restored = Scaler::new(Scale::RunningSum(0.5));
    restored.restore(&scaler.state()).unwrap();
    let expected = draw(&mut scaler, [1.0, 0.0]);
    assert!(close(expected.clone(), [1.75 / 3.0, 0.0]));
    assert_eq!(draw(&mut restored, [1.0, 0.0]), expected);
    assert_eq!(restored.state(), scaler.state());
    for wrong in [&[][..], &[1.0], &[f64::NAN, 1.0], &[1.0, -1.0], &[1.0; 3]] {
        assert!(restored.restore(wrong).is_err(), "{wrong:?}");
    }
    assert!(Scaler::default().restore(&[1.0]).is_err());
    assert!(Scaler::default().state().is_empty());
}
