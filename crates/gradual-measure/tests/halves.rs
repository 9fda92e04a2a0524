//! How well some capabilities tell of the others: known answers, and the exact formula against all halves.

use gradual_measure::{Curve, Halves, half_pairs, kendall_tau, spearman};
use proptest::prelude::*;

fn curves(values: &[Vec<f64>]) -> Vec<Curve> {
    let steps: Vec<f64> = (0..values[0].len()).map(|step| step as f64).collect();
    let curve = |values: &Vec<f64>| Curve::new(steps.clone(), values.clone()).unwrap();
    values.iter().map(curve).collect()
}

/// One straight rise after the other.
fn staggered(count: usize) -> Vec<Curve> {
    let one = |index: usize| {
        (0..=count * 10)
            .map(|step| (step as f64 / 10.0 - index as f64).clamp(0.0, 1.0))
            .collect()
    };
    curves(&(0..count).map(one).collect::<Vec<_>>())
}

#[test]
fn equal_curves_tell_all_of_each_other() {
    let same = vec![
        (0..=10)
            .map(|step| f64::from(step) / 10.0)
            .collect::<Vec<f64>>();
        8
    ];
    let halves = Halves::from_curves(&curves(&same)).unwrap().unwrap();
    assert!((halves.r_squared - 1.0).abs() < 1e-12);
    assert!((halves.rank_correlation.unwrap() - 1.0).abs() < 1e-9);
    assert_eq!(halves.needed, 1);
    assert_eq!(halves.needed_for_worst, 1);
}

#[test]
fn of_staggered_curves_nearly_all_must_be_tested() {
    let halves = Halves::from_curves(&staggered(20)).unwrap().unwrap();
    // At mean skill m the variance is about n/(n−1) m(1−m), 1/6 on average; z² S² = 0.67, so k ≈ 18.7.
    assert_eq!(halves.needed, 19);
    // Where j of the 20 are still at 0, k of them miss all j with C(20−j, k)/C(20, k), and over all j from 1 to 20 that is
    // (20−k)/(20(k+1)) on average: at most 5 % from k = 10 on. Those within 10 points of 0 add a little.
    assert!((10..=12).contains(&halves.needed_for_worst));
    // E(x_B − x_A)² = 4 S²/n = 0.035; the variance of m is 1/12 and S²/n is added.
    let scatter = 20.0 / 19.0 / 6.0;
    let expected = 1.0 - (4.0 * scatter / 20.0) / (1.0 / 12.0 + scatter / 20.0);
    assert!(
        (halves.r_squared - expected).abs() < 0.02,
        "{} {expected}",
        halves.r_squared
    );
    assert!(halves.rank_correlation.unwrap() < 0.95);
    assert_eq!(half_pairs(&staggered(20)).unwrap().len(), 50 * 25);
}

#[test]
fn nothing_to_tell() {
    assert_eq!(Halves::from_curves(&staggered(1)).unwrap(), None);
    assert!(Halves::from_curves(&[]).is_err());
    let flat = curves(&[vec![0.0, 0.1], vec![0.0, 0.2]]);
    assert_eq!(Halves::from_curves(&flat).unwrap(), None);
    assert!(half_pairs(&flat).unwrap().is_empty());
}

#[test]
fn ranks_that_cannot_be_correlated() {
    for (a, b) in [
        (&[][..], &[][..]),
        (&[1.0], &[2.0]),
        (&[1.0, 1.0], &[1.0, 2.0]),
        (&[1.0, f64::NAN], &[1.0, 2.0]),
        (&[1.0, 2.0], &[1.0]),
    ] {
        assert_eq!((kendall_tau(a, b), spearman(a, b)), (None, None));
    }
    // What never comes is last, and ties with what also never comes.
    let late = [1.0, 2.0, f64::INFINITY, f64::INFINITY];
    assert_eq!(kendall_tau(&late, &late), Some(1.0));
}

/// The skills at the levels of mean skill that are reached, one by one.
fn plain_levels(skills: &[Curve]) -> Vec<Vec<f64>> {
    let mean = Curve::mean(skills).unwrap();
    let levels = (0..200).map(|index| (f64::from(index) + 0.5) / 200.0);
    levels
        .filter_map(|level| mean.first_crossing(level))
        .map(|step| skills.iter().map(|curve| curve.at(step)).collect())
        .collect()
}

/// The least size of a set whose lowest skill is in 95 % of all sets and levels at most 10 points above that of all.
fn plain_needed_for_worst(skills: &[Curve]) -> usize {
    let n = skills.len();
    let lowest = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let levels = plain_levels(skills);
    let knows = |size: usize| {
        let (mut right, mut all) = (0.0, 0.0);
        for values in &levels {
            let of_all = lowest(&mut values.iter().copied());
            for set in (0_u32..1 << n).filter(|set| set.count_ones() as usize == size) {
                let part = &mut (0..n).filter(|at| set >> at & 1 == 1).map(|at| values[at]);
                right += f64::from(u8::from(lowest(part) <= of_all + 0.1 + 1e-9));
                all += 1.0;
            }
        }
        right / all >= 0.95 - 1e-9
    };
    (1..=n).find(|&size| knows(size)).unwrap()
}

/// 1 − E(x_B − x_A)²/Var x_B over all halves and the same levels of mean skill, one by one.
fn plain_r_squared(skills: &[Curve]) -> f64 {
    let n = skills.len();
    let (mut wrong, mut others) = (Vec::new(), Vec::new());
    for values in plain_levels(skills) {
        for set in 0_u32..1 << n {
            if set.count_ones() as usize != n / 2 {
                continue;
            }
            let mean_of = |inside: bool| {
                let part: Vec<f64> = (0..n)
                    .filter(|index| (set >> index & 1 == 1) == inside)
                    .map(|index| values[index])
                    .collect();
                part.iter().sum::<f64>() / part.len() as f64
            };
            let (a, b) = (mean_of(true), mean_of(false));
            wrong.push((b - a).powi(2));
            others.push(b);
        }
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let middle = mean(&others);
    let scatter: Vec<f64> = others
        .iter()
        .map(|value| (value - middle).powi(2))
        .collect();
    1.0 - mean(&wrong) / mean(&scatter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_formula_equals_all_halves(
        values in (2..7_usize).prop_flat_map(|n| prop::collection::vec(prop::collection::vec(0.0..1.0_f64, 9), n)),
    ) {
        let mut values = values;
        for curve in &mut values {
            curve[0] = 0.0;
            curve[8] = 1.0;
        }
        let skills = curves(&values);
        let halves = Halves::from_curves(&skills).unwrap().unwrap();
        let plain = plain_r_squared(&skills);
        prop_assert!((halves.r_squared - plain).abs() < 1e-9, "{} {plain}", halves.r_squared);
        prop_assert!((1..=skills.len()).contains(&halves.needed));
        prop_assert_eq!(halves.needed_for_worst, plain_needed_for_worst(&skills));
        prop_assert!(halves.rank_correlation.is_none_or(|rank| (-1.0..=1.0).contains(&rank)));
    }

    #[test]
    fn rank_correlations_do_not_see_how_far(
        pairs in prop::collection::vec((-5.0..5.0_f64, -5.0..5.0_f64), 3..20),
    ) {
        let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let bent: Vec<f64> = a.iter().map(|value| value.exp()).collect();
        let back: Vec<f64> = a.iter().map(|value| -value).collect();
        for correlation in [kendall_tau, spearman] {
            let there = correlation(&a, &b).unwrap();
            prop_assert!((-1.0..=1.0).contains(&there));
            prop_assert!((there - correlation(&bent, &b).unwrap()).abs() < 1e-12);
            prop_assert!((there + correlation(&back, &b).unwrap()).abs() < 1e-12);
            prop_assert!((there - correlation(&b, &a).unwrap()).abs() < 1e-12);
        }
    }
}

/// Kendall's τ-b by its definition, pair by pair.
fn tau_by_pairs(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mut same, mut opposite, mut tied_a, mut tied_b) = (0.0, 0.0, 0.0, 0.0);
    for i in 0..a.len() {
        for j in 0..i {
            match (a[i].total_cmp(&a[j]), b[i].total_cmp(&b[j])) {
                (one, other) if one.is_eq() && other.is_eq() => {}
                (one, _) if one.is_eq() => tied_a += 1.0,
                (_, other) if other.is_eq() => tied_b += 1.0,
                (one, other) if one == other => same += 1.0,
                _ => opposite += 1.0,
            }
        }
    }
    let ordered: f64 = same + opposite;
    let scale = ((ordered + tied_a) * (ordered + tied_b)).sqrt();
    (scale > 0.0).then(|| (same - opposite) / scale)
}

proptest! {
    #[test]
    fn tau_is_that_of_all_pairs(
        pairs in proptest::collection::vec((0_u8..9, 0_u8..9), 0..80),
    ) {
        let place = |one: u8| if one == 8 { f64::INFINITY } else { f64::from(one) };
        let a: Vec<f64> = pairs.iter().map(|pair| place(pair.0)).collect();
        let b: Vec<f64> = pairs.iter().map(|pair| place(pair.1)).collect();
        prop_assert_eq!(kendall_tau(&a, &b), tau_by_pairs(&a, &b));
    }
}

#[test]
fn tau_of_very_many_numbers() {
    let a: Vec<f64> = (0..100_000).map(f64::from).collect();
    let mut b = a.clone();
    b.reverse();
    assert_eq!(kendall_tau(&a, &a), Some(1.0));
    assert_eq!(kendall_tau(&a, &b), Some(-1.0));
}
