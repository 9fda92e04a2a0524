//! Compositions against finite differences, hand-worked values and each other.

use burn::tensor::{Device, Tensor, TensorData};
use gradual_group::{Average, Groups};
use gradual_loss::{Composition, LossError, Mean, Scale, SumOfSquares};
use proptest::prelude::*;

fn device() -> Device {
    Device::flex()
}

fn vector(values: &[f32]) -> Tensor<1> {
    Tensor::from_floats(values, &device())
}

fn numbers(tensor: Tensor<1>) -> Vec<f32> {
    tensor.into_data().try_to_vec().expect("f32")
}

fn all() -> Vec<(&'static str, Box<dyn Composition>)> {
    vec![
        ("mean", Box::new(Mean)),
        ("sum of squares", Box::new(SumOfSquares)),
    ]
}

/// Losses of n examples and a hard or soft grouping of them.
fn problem() -> impl Strategy<Value = (Vec<f32>, Groups)> {
    (1usize..20, 1usize..6, any::<bool>()).prop_flat_map(|(n, k, soft)| {
        let losses = prop::collection::vec(0.05f32..3.0, n);
        let labels = prop::collection::vec(prop::option::weighted(0.9, 0..k), n);
        let shares = prop::collection::vec(0.0f32..1.0, n * k);
        let weights = prop::collection::vec(0.0f32..4.0, k);
        (losses, labels, shares, weights).prop_map(move |(losses, labels, shares, weights)| {
            let groups = if soft {
                Groups::soft(shares, weights, vec![1.0; k], &device())
            } else {
                Groups::hard(labels, k, Average::Mean, &device())
            };
            (losses, groups.expect("well formed"))
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn coefficients_equal_finite_differences((losses, groups) in problem()) {
        for (name, mut composition) in all() {
            let composed = composition.compose(&vector(&losses), &groups).unwrap();
            let found = numbers(composed.coefficients);
            let value = |losses: &[f32]| {
                f64::from(numbers(composition.forward(vector(losses), &groups).unwrap())[0])
            };
            let size = found.iter().fold(0.1f32, |size, c| size.max(c.abs()));
            for j in 0..losses.len() {
                let step = 0.02f32;
                let (mut up, mut down) = (losses.clone(), losses.clone());
                up[j] += step;
                down[j] -= step;
                let slope = (value(&up) - value(&down)) / f64::from(up[j] - down[j]);
                let error = (slope as f32 - found[j]).abs();
                prop_assert!(error < 5e-3 * size, "{}: {} against {}", name, slope, found[j]);
            }
        }
    }

    #[test]
    fn coefficients_are_not_negative_and_zero_losses_are_optimal((losses, groups) in problem()) {
        for (name, mut composition) in all() {
            let composed = composition.compose(&vector(&losses), &groups).unwrap();
            let value = numbers(composed.value)[0];
            prop_assert!(numbers(composed.coefficients).iter().all(|&c| c >= 0.0), "{}", name);
            let zero = composition.forward(vector(&vec![0.0; losses.len()]), &groups).unwrap();
            prop_assert!(numbers(zero)[0] <= value, "{}", name);
        }
    }

    #[test]
    fn unit_sum_sums_to_one((losses, groups) in problem()) {
        let raw = SumOfSquares.compose(&vector(&losses), &groups).unwrap().coefficients;
        let total: f32 = numbers(raw.clone()).iter().sum();
        let scaled: f32 = numbers(Scale::UnitSum.apply(raw)).iter().sum();
        if total > 1e-6 {
            prop_assert!((scaled - 1.0).abs() < 1e-5);
        } else {
            prop_assert_eq!(scaled, 0.0);
        }
    }

    /// c_j = 2 ℓ̄_g M_gj, and homogeneity of degree two.
    #[test]
    fn the_closed_form_of_the_grouped_loss((losses, groups) in problem()) {
        let composed = SumOfSquares.compose(&vector(&losses), &groups).unwrap();
        let group_losses = groups.losses(vector(&losses)) * groups.weights().clone();
        let n = losses.len();
        let k = groups.count();
        let closed = group_losses.reshape([1, k]).matmul(groups.membership().clone()).reshape([n]);
        let (found, closed) = (numbers(composed.coefficients), numbers(closed * 2.0));
        prop_assert!(found.iter().zip(&closed).all(|(a, b)| (a - b).abs() <= 1e-5 * (1.0 + b.abs())));
        let double = SumOfSquares.forward(vector(&losses) * 2.0, &groups).unwrap();
        let value = numbers(composed.value)[0];
        prop_assert!((numbers(double)[0] - 4.0 * value).abs() <= 1e-4 * (1.0 + value));
    }
}

#[test]
fn one_group_with_the_mean_is_erm() {
    let groups = Groups::one(4, &device());
    let composed = Mean
        .compose(&vector(&[1.0, 2.0, 3.0, 4.0]), &groups)
        .unwrap();
    assert_eq!(numbers(composed.value), [2.5]);
    assert_eq!(numbers(composed.coefficients), [0.25; 4]);
}

#[test]
fn forward_backward_gives_the_coefficients() {
    let groups =
        Groups::hard(vec![Some(0), Some(1), Some(1)], 2, Average::Mean, &device()).unwrap();
    let losses = vector(&[1.0, 2.0, 4.0]);
    let leaf = losses.clone().autodiff().require_grad();
    let gradients = SumOfSquares
        .forward(leaf.clone() * 1.0, &groups)
        .unwrap()
        .backward();
    assert_eq!(numbers(leaf.grad(&gradients).unwrap()), [2.0, 3.0, 3.0]);
}

#[test]
fn scales() {
    let c = vector(&[1.0, 3.0]);
    assert_eq!(numbers(Scale::Raw.apply(c.clone())), [1.0, 3.0]);
    assert_eq!(numbers(Scale::UnitSum.apply(c.clone())), [0.25, 0.75]);
    assert_eq!(numbers(Scale::UnitSum.apply(c.clone() * 0.0)), [0.0, 0.0]);
    // Two groups at loss 2 under squares: s = 2·2·2 = 8.
    assert_eq!(Scale::cap(2.0, 2, 2.0), Scale::Cap(8.0));
    assert_eq!(numbers(Scale::Cap(8.0).apply(c.clone())), [0.125, 0.375]);
    assert_eq!(numbers(Scale::Cap(2.0).apply(c.clone())), [0.25, 0.75]);

    // K = diag(1, 4): ‖Gᵀc‖² = 1 + 36 = 37, ‖ERM‖² = 5/4.
    let gram = Tensor::<2>::from_data(TensorData::from([[1.0, 0.0], [0.0, 4.0]]), &device());
    let matched = numbers(
        Scale::MatchNorm
            .apply_with_gram(c.clone(), Some(&gram))
            .unwrap(),
    );
    let factor = (1.25f32 / 37.0).sqrt();
    assert!((matched[0] - factor).abs() < 1e-6 && (matched[1] - 3.0 * factor).abs() < 1e-6);
    assert!(matches!(
        Scale::MatchNorm.apply_with_gram(c, None),
        Err(LossError::NoGram)
    ));
}

#[test]
fn another_draw_is_an_error() {
    let groups = Groups::one(3, &device());
    let error = Mean.compose(&vector(&[1.0, 2.0]), &groups).unwrap_err();
    assert_eq!(
        error.to_string(),
        "compose: there are 2 losses, but the groups are of a draw of 3 examples"
    );
}
