//! Rules on group gradients: hand-worked pairs, and what each promises of any gradients.

use burn::tensor::{Device, Tensor, TensorData};
use gradual_group::{Average, Groups};
use gradual_loss::{GramComposition, GroupGram, LossError, Mgda, PcGrad, UpGrad};
use proptest::prelude::*;

/// Γ of the rows of G.
fn gram_of(rows: &[Vec<f64>]) -> GroupGram {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let products = rows
        .iter()
        .flat_map(|a| rows.iter().map(move |b| dot(a, b)));
    GroupGram::new(products.collect(), rows.len()).unwrap()
}

/// d · γ_g for every g.
fn slopes(gram: &GroupGram, weights: &[f64]) -> Vec<f64> {
    let slope = |g| {
        (0..gram.num_groups())
            .map(|h| weights[h] * gram.product(g, h))
            .sum()
    };
    (0..gram.num_groups()).map(slope).collect()
}

fn square(gram: &GroupGram, weights: &[f64]) -> f64 {
    slopes(gram, weights)
        .iter()
        .zip(weights)
        .map(|(s, w)| s * w)
        .sum()
}

fn near(found: &[f64], expected: &[f64]) {
    let close = found
        .iter()
        .zip(expected)
        .all(|(a, b)| (a - b).abs() < 1e-5);
    assert!(
        close && found.len() == expected.len(),
        "{found:?}, not {expected:?}"
    );
}

fn weights(rule: &mut dyn GramComposition, rows: &[&[f64]]) -> Vec<f64> {
    let rows: Vec<Vec<f64>> = rows.iter().map(|row| row.to_vec()).collect();
    rule.weights(&gram_of(&rows)).unwrap()
}

/// γ_1 = (1, 0), γ_2 = (−1, 1), γ_1·γ_2 = −1.
const CONFLICT: [&[f64]; 2] = [&[1.0, 0.0], &[-1.0, 1.0]];

/// γ_1 + ½ γ_2 = (½, ½) and γ_2 + γ_1 = (0, 1): weights 1 + 1 and ½ + 1. Their sum (½, 1½) has a
/// positive product with both.
#[test]
fn pcgrad_by_hand() {
    near(&weights(&mut PcGrad::new(0), &CONFLICT), &[2.0, 1.5]);
    near(
        &weights(&mut PcGrad::new(0), &[&[1.0, 0.0], &[1.0, 1.0]]),
        &[1.0, 1.0],
    );
}

/// Of two gradients the projections are those of PCGrad; UPGrad takes their mean.
#[test]
fn upgrad_by_hand() {
    near(&weights(&mut UpGrad, &CONFLICT), &[1.0, 0.75]);
    near(
        &weights(&mut UpGrad, &[&[1.0, 0.0], &[1.0, 1.0]]),
        &[0.5, 0.5],
    );
}

/// (1, 0), (0, 1), (−1, −1): nothing but 0 has no negative product with any, so the direction is 0.
#[test]
fn upgrad_stands_still_where_nothing_helps_all() {
    let rows = [vec![1.0, 0.0], vec![0.0, 1.0], vec![-1.0, -1.0]];
    let gram = gram_of(&rows);
    let found = UpGrad.weights(&gram).unwrap();
    assert!(square(&gram, &found) < 1e-9, "{found:?}");
}

/// Sener & Koltun 2018, equation 5: w_1 = clip((γ_2 − γ_1)·γ_2 / ‖γ_1 − γ_2‖²) = 3/5, and d = (0.2, 0.4)
/// has the same product with both. Of (1, 0) and (3, 0) the shorter; of opposites the middle.
#[test]
fn mgda_by_hand() {
    near(&weights(&mut Mgda, &CONFLICT), &[0.6, 0.4]);
    near(
        &weights(&mut Mgda, &[&[1.0, 0.0], &[3.0, 0.0]]),
        &[1.0, 0.0],
    );
    near(
        &weights(&mut Mgda, &[&[1.0, 2.0], &[-1.0, -2.0]]),
        &[0.5, 0.5],
    );
}

/// Zero gradients, one group, and equal gradients.
#[test]
fn degenerate_gradients() {
    let zero = [0.0, 0.0];
    near(
        &weights(&mut Mgda, &[&[1.0, 0.0], &zero, &zero]),
        &[0.0, 0.5, 0.5],
    );
    near(&weights(&mut UpGrad, &[&[1.0, 0.0], &zero]), &[0.5, 0.5]);
    near(
        &weights(&mut PcGrad::new(1), &[&[1.0, 0.0], &zero]),
        &[1.0, 1.0],
    );
    let one: [(&mut dyn GramComposition, f64); 3] = [
        (&mut Mgda, 1.0),
        (&mut UpGrad, 1.0),
        (&mut PcGrad::new(1), 1.0),
    ];
    for (rule, expected) in one {
        near(&weights(rule, &[&[2.0, 0.0]]), &[expected]);
        let same: &[f64] = &[1.0, 1.0];
        assert!(
            weights(rule, &[same; 4])
                .iter()
                .all(|w| w.is_finite() && *w >= 0.0)
        );
    }
}

/// k gradients of d entries, of lengths from 0.01 to 10.
fn gradients() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (1usize..9, 1usize..7).prop_flat_map(|(k, d)| {
        let row = (prop::collection::vec(-1.0f64..1.0, d), -2.0f64..1.0);
        let row = row.prop_map(|(row, size)| {
            row.into_iter()
                .map(|x| x * 10f64.powf(size))
                .collect::<Vec<_>>()
        });
        prop::collection::vec(row, k)
    })
}

proptest! {
    /// No group's loss rises along UPGrad's direction (up to the root of the ridge, where gradients are
    /// all but opposite); without conflict it is the mean.
    #[test]
    fn upgrad_conflicts_with_none(rows in gradients()) {
        let gram = gram_of(&rows);
        let found = UpGrad.weights(&gram).unwrap();
        let norms = gram.norms();
        let longest = norms.iter().copied().fold(0.0, f64::max);
        for (slope, norm) in slopes(&gram, &found).into_iter().zip(&norms) {
            prop_assert!(slope >= -1e-3 * norm * longest, "{} at {}", slope, norm);
        }
        let least = 1.0 / gram.num_groups() as f64;
        prop_assert!(found.iter().all(|&w| w >= least - 1e-12));
        let pairs = (0..gram.num_groups()).flat_map(|i| (0..i).map(move |j| (i, j)));
        if pairs.into_iter().all(|(i, j)| gram.product(i, j) >= 0.0) {
            prop_assert!(found.iter().all(|&w| (w - least).abs() < 1e-9));
        }
    }

    /// A Gram matrix in single precision, with errors of a few units in its last place, may be
    /// indefinite; the promises hold all the same, to the precision that there is.
    #[test]
    fn rounding_does_little(rows in gradients(), errors in prop::collection::vec(-5e-7f64..5e-7, 64)) {
        let gram = gram_of(&rows);
        let (k, norms) = (gram.num_groups(), gram.norms());
        let pairs = (0..k).flat_map(|i| (0..k).map(move |j| (i, j)));
        let rounded = pairs.map(|(i, j)| {
            gram.product(i, j) + errors[i.max(j) * 8 + i.min(j)] * norms[i] * norms[j]
        });
        let rounded = GroupGram::new(rounded.collect(), k).unwrap();
        let longest = norms.iter().copied().fold(0.0, f64::max);
        let shortest = norms.iter().copied().fold(f64::INFINITY, f64::min);
        let found = UpGrad.weights(&rounded).unwrap();
        for (slope, norm) in slopes(&gram, &found).into_iter().zip(&norms) {
            prop_assert!(slope >= -2e-3 * norm * longest, "UPGrad: {} at {}", slope, norm);
        }
        let found = Mgda.weights(&rounded).unwrap();
        let size = square(&gram, &found);
        for (slope, norm) in slopes(&gram, &found).into_iter().zip(&norms) {
            prop_assert!(slope >= size - 2e-3 * shortest * norm.max(shortest), "MGDA: {} {}", slope, size);
        }
    }

    /// In place of longer gradients, UPGrad's answer grows in proportion: π(tγ) = tπ(γ).
    #[test]
    fn upgrad_is_homogeneous(rows in gradients(), factor in 0.1f64..10.0) {
        let longer: Vec<Vec<f64>> =
            rows.iter().map(|row| row.iter().map(|x| x * factor).collect()).collect();
        let (found, same) = (
            UpGrad.weights(&gram_of(&rows)).unwrap(),
            UpGrad.weights(&gram_of(&longer)).unwrap(),
        );
        let (gram, size) = (gram_of(&rows), square(&gram_of(&rows), &found));
        let difference: Vec<f64> = found.iter().zip(&same).map(|(a, b)| a - b).collect();
        prop_assert!(square(&gram, &difference) <= 1e-6 * (1e-6 + size));
    }

    /// MGDA: convex weights, d · γ_g ≥ ‖d‖² (with equality where w_g > 0), no longer than any γ_g.
    #[test]
    fn mgda_is_the_least_norm(rows in gradients()) {
        let gram = gram_of(&rows);
        let found = Mgda.weights(&gram).unwrap();
        let total: f64 = found.iter().sum();
        prop_assert!((total - 1.0).abs() < 1e-9 && found.iter().all(|&w| w >= 0.0));
        let size = square(&gram, &found);
        let shortest = gram.norms().into_iter().fold(f64::INFINITY, f64::min);
        prop_assert!(size.max(0.0).sqrt() <= shortest * (1.0 + 1e-6));
        for (slope, norm) in slopes(&gram, &found).into_iter().zip(gram.norms()) {
            prop_assert!(slope >= size - 1e-3 * shortest * norm.max(shortest), "{} {}", slope, size);
        }
    }

    /// Two gradients have closed forms for all three rules.
    #[test]
    fn pairs(a in prop::collection::vec(-1.0f64..1.0, 3), b in prop::collection::vec(-1.0f64..1.0, 3)) {
        let gram = gram_of(&[a, b]);
        let (aa, ab, bb) = (gram.product(0, 0), gram.product(0, 1), gram.product(1, 1));
        prop_assume!(aa > 1e-3 && bb > 1e-3 && aa + bb - 2.0 * ab > 1e-2);
        let conflict = (-ab).max(0.0);
        let projected = [1.0 + conflict / aa, 1.0 + conflict / bb];
        let close = |found: Vec<f64>, expected: [f64; 2]| {
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3 * (1.0 + b))
        };
        prop_assert!(close(PcGrad::new(3).weights(&gram).unwrap(), projected));
        prop_assert!(close(UpGrad.weights(&gram).unwrap(), projected.map(|w| w / 2.0)));
        let first = ((bb - ab) / (aa + bb - 2.0 * ab)).clamp(0.0, 1.0);
        prop_assert!(close(Mgda.weights(&gram).unwrap(), [first, 1.0 - first]));
    }

    /// Each projection of PCGrad adds, so every weight is at least that of the plain sum.
    #[test]
    fn pcgrad_only_adds(rows in gradients(), seed in any::<u64>()) {
        let gram = gram_of(&rows);
        let found = PcGrad::new(seed).weights(&gram).unwrap();
        prop_assert!(found.iter().all(|w| w.is_finite() && *w >= 1.0));
        prop_assert_eq!(found, PcGrad::new(seed).weights(&gram).unwrap());
    }
}

/// The orders of PCGrad go on where they were.
#[test]
fn pcgrad_goes_on_from_its_state() {
    let rows = [[1.0, 0.3], [-0.9, 0.5], [0.1, -1.0], [-0.4, -0.2]].map(|row| row.to_vec());
    let gram = gram_of(&rows);
    let (mut first, mut second) = (PcGrad::new(7), PcGrad::new(7));
    let seen: Vec<Vec<f64>> = (0..6).map(|_| first.weights(&gram).unwrap()).collect();
    assert!(
        seen.iter().any(|weights| weights != &seen[0]),
        "the order matters here"
    );
    second.restore(&[5.0]).unwrap();
    assert_eq!(second.weights(&gram).unwrap(), seen[5]);
    assert_eq!(first.state(), second.state());
    assert_eq!(
        second.restore(&[1.5]).unwrap_err().to_string(),
        "PCGrad: can't restore 1 numbers; its state is one number, the draws so far"
    );
    assert!(second.restore(&[f64::MAX]).is_err());
    assert!(UpGrad.restore(&[]).is_ok() && Mgda.restore(&[1.0]).is_err());
}

/// Examples with gradients (2, 0), (0, 0) | (−1, 1) in two groups of three: γ_1 = (1, 0), γ_2 = (−1, 1),
/// and the third group is empty. MGDA: w = (0.6, 0.4, –), so c = (0.3, 0.3, 0.4), and the empty group's
/// zero gradient, which is not in the hull, does not stop the step. With a prior of 2 on group 2
/// γ_2 = (−2, 2): w_1 = (8 + 2)/(1 + 8 + 4) = 10/13 and c_3 = 2·3/13.
#[test]
fn coefficients_of_examples() {
    let device = Device::flex();
    let vector = |values: &[f32]| Tensor::<1>::from_floats(values, &device);
    let numbers = |tensor: Tensor<1>| tensor.into_data().try_to_vec::<f32>().unwrap();
    let gram = [[4.0f32, 0.0, -2.0], [0.0; 3], [-2.0, 0.0, 2.0]];
    let gram = Tensor::<2>::from_data(TensorData::from(gram), &device);
    let labels = vec![Some(0), Some(0), Some(1)];
    let groups = Groups::hard(labels, 3, Average::Mean, &device).unwrap();
    let losses = vector(&[1.0, 2.0, 5.0]);
    let composed = Mgda.compose(&losses, &groups, &gram).unwrap();
    let c = numbers(composed.coefficients);
    assert!((c[0] - 0.3).abs() < 1e-5 && (c[1] - 0.3).abs() < 1e-5 && (c[2] - 0.4).abs() < 1e-5);
    assert!((numbers(composed.value)[0] - 2.9).abs() < 1e-4);

    let weighed = groups.clone().with_priors(&[1.0, 2.0, 1.0]).unwrap();
    let c = numbers(Mgda.compose(&losses, &weighed, &gram).unwrap().coefficients);
    assert!(
        (c[0] - 5.0 / 13.0).abs() < 1e-5 && (c[2] - 6.0 / 13.0).abs() < 1e-5,
        "{c:?}"
    );

    let none = Groups::hard(vec![None; 3], 2, Average::Mean, &device).unwrap();
    let composed = UpGrad.compose(&losses, &none, &gram).unwrap();
    assert_eq!(numbers(composed.coefficients), [0.0; 3]);

    let small = Tensor::<2>::zeros([2, 2], &device);
    assert_eq!(
        UpGrad
            .compose(&losses, &groups, &small)
            .unwrap_err()
            .to_string(),
        "UPGrad: expected a Gram matrix of 3 by 3, got 2 by 2"
    );
    assert!(matches!(
        UpGrad.compose(&vector(&[1.0]), &groups, &gram),
        Err(LossError::Examples { .. })
    ));
    let infinite = gram * f32::INFINITY;
    let message = PcGrad::new(0)
        .compose(&losses, &groups, &infinite)
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("PCGrad: the gradient of group 0 is"),
        "{message}"
    );
}

#[test]
fn products_are_square() {
    assert_eq!(
        GroupGram::new(vec![1.0; 3], 2).unwrap_err().to_string(),
        "group Gram matrix: expected a Gram matrix of 2 by 2, got 1 by 2"
    );
    assert!(GroupGram::new(vec![], 0).unwrap().norms().is_empty());
}
