//! Means, intervals and effects over seeds.

use std::collections::BTreeMap;

use gradual_measure::statistics::{deviation, mean, median};
use gradual_measure::{Interval, Sample, paired_ratio};
use proptest::prelude::*;

fn seeds(values: &[f64]) -> BTreeMap<u64, f64> {
    (0..).zip(values.iter().copied()).collect()
}

#[test]
fn small_samples() {
    assert_eq!(
        (mean(&[]), deviation(&[1.0]), median(&[])),
        (None, None, None)
    );
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    let one = Sample::from_values(&[2.0]).unwrap();
    assert_eq!((one.mean, one.deviation, one.interval), (2.0, None, None));
    assert!(Sample::from_values(&[]).is_none());
}

#[test]
fn interval_agrees_with_the_t_table() {
    // t for 95 %: 12.706 (1 degree of freedom), 4.303 (2), 2.776 (4).
    for (values, t) in [
        (&[0.0, 2.0][..], 12.706),
        (&[0.0, 1.0, 2.0], 4.303),
        (&[0.0, 1.0, 2.0, 3.0, 4.0], 2.776),
    ] {
        let sample = Sample::from_values(values).unwrap();
        let half = t * sample.deviation.unwrap() / (values.len() as f64).sqrt();
        let interval = sample.interval.unwrap();
        assert!((interval.high - sample.mean - half).abs() < 2e-3);
        assert!((sample.mean - interval.low - half).abs() < 2e-3);
    }
}

#[test]
fn ratio_is_paired_by_seed() {
    let effect = paired_ratio(&seeds(&[50.0, 400.0, 5.0]), &seeds(&[100.0, 800.0, 10.0])).unwrap();
    assert!((effect.ratio - 0.5).abs() < 1e-12);
    assert_eq!(effect.seeds, 3);
    assert!((effect.high.unwrap() - 0.5).abs() < 1e-12);

    let other = BTreeMap::from([(2, 3.0), (7, 1.0)]);
    let one = paired_ratio(&other, &seeds(&[9.0, 9.0, 6.0])).unwrap();
    assert_eq!((one.seeds, one.low, one.high), (1, None, None));
    assert!((one.ratio - 0.5).abs() < 1e-12);

    assert_eq!(paired_ratio(&other, &seeds(&[1.0])), None);
    assert_eq!(paired_ratio(&seeds(&[0.0]), &seeds(&[1.0])), None);
    assert_eq!(paired_ratio(&seeds(&[f64::NAN]), &seeds(&[1.0])), None);
}

/// BCa as it stands in the book, over all n^n samples in order.
fn plain_bca(values: &[f64]) -> Interval {
    use statrs::distribution::{ContinuousCDF, Normal};
    let n = values.len();
    let mean_of = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let theta = mean_of(values);
    let mut means: Vec<f64> = (0..n.pow(n as u32))
        .map(|mut code| {
            let sample: Vec<f64> = (0..n)
                .map(|_| {
                    let value = values[code % n];
                    code /= n;
                    value
                })
                .collect();
            mean_of(&sample)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    let count = means.len() as f64;
    let less = means.iter().filter(|&&one| one < theta - 1e-12).count() as f64;
    let equal = means
        .iter()
        .filter(|&&one| (one - theta).abs() <= 1e-12)
        .count() as f64;
    let normal = Normal::standard();
    let bias = normal.inverse_cdf((less + 0.5 * equal) / count);
    let without: Vec<f64> = (0..n)
        .map(|out| {
            let rest: Vec<f64> = (0..n).filter(|&i| i != out).map(|i| values[i]).collect();
            mean_of(&rest)
        })
        .collect();
    let middle = mean_of(&without);
    let power = |p: i32| {
        without
            .iter()
            .map(|one| (middle - one).powi(p))
            .sum::<f64>()
    };
    let acceleration = power(3) / (6.0 * power(2).powf(1.5));
    let end = |level: f64| {
        let z = bias + normal.inverse_cdf(level);
        let place = normal.cdf(bias + z / (1.0 - acceleration * z));
        let at = (place * count - 1e-6).ceil().max(1.0) as usize;
        means[at.min(means.len()) - 1]
    };
    Interval {
        low: end(0.025),
        high: end(0.975),
    }
}

#[test]
fn bootstrap_of_what_has_no_scatter() {
    assert_eq!(Interval::bca_of_mean(&[1.0]), None);
    assert_eq!(Interval::bca_of_mean(&[1.0, f64::NAN]), None);
    let same = Interval::bca_of_mean(&[0.3; 5]).unwrap();
    assert!((same.low - 0.3).abs() < 1e-12 && same.low == same.high);
    let many = Interval::bca_of_mean(&[2.0; 30]).unwrap();
    assert_eq!((many.low, many.high), (2.0, 2.0));
}

/// The share of all ways to flip the signs of `x − centre` whose mean is as far from 0.
fn sign_flip_p(values: &[f64], centre: f64) -> f64 {
    let moved: Vec<f64> = values.iter().map(|value| value - centre).collect();
    let far = |flips: u32| {
        let signed = moved.iter().enumerate();
        let sum: f64 = signed
            .map(|(at, value)| if flips >> at & 1 == 1 { -value } else { *value })
            .sum();
        sum.abs()
    };
    let all = 1_u32 << values.len();
    let as_far = (0..all)
        .filter(|&flips| far(flips) >= far(0) - 1e-12)
        .count();
    as_far as f64 / f64::from(all)
}

#[test]
fn sign_flips_of_five_need_all_on_one_side() {
    let values = [0.3, -0.1, 0.7, 0.2, 0.4];
    let Interval { low, high } = Interval::sign_flip_of_mean(&values).unwrap();
    assert_eq!((low, high), (-0.1, 0.7));
    assert_eq!(sign_flip_p(&values, -0.11), 2.0 / 32.0);
    assert_eq!(Interval::sign_flip_of_mean(&values[..4]), None);
    assert_eq!(
        Interval::sign_flip_of_mean(&[0.0, 1.0, 2.0, 3.0, f64::NAN]),
        None
    );
    assert_eq!(Interval::sign_flip_of_mean(&[]), None);
    // Six: the third of 63 parts from either end.
    let six = Interval::sign_flip_of_mean(&[0.0, 1.0, 2.0, 4.0, 8.0, 16.0]).unwrap();
    assert_eq!((six.low, six.high), (1.0, 10.0));
}

/// Of more values than all parts can be taken of it is nearly the t-interval of 90 %.
#[test]
fn sign_flips_of_many() {
    let values: Vec<f64> = (0..40)
        .map(|index| (f64::from(index) * 0.7).sin())
        .collect();
    let flip = Interval::sign_flip_of_mean(&values).unwrap();
    // t = 1.685 for 39 degrees of freedom.
    let half = 1.685 * deviation(&values).unwrap() / 40.0_f64.sqrt();
    let middle = mean(&values).unwrap();
    assert!(
        (flip.low - (middle - half)).abs() < 0.1 * half,
        "{flip:?} {middle} {half}"
    );
    assert!(
        (flip.high - (middle + half)).abs() < 0.1 * half,
        "{flip:?} {middle} {half}"
    );
    assert_eq!(Interval::sign_flip_of_mean(&values), Some(flip));
}

#[test]
fn p_values_without_scatter_and_without_pairs() {
    let effect = paired_ratio(&seeds(&[1.0, 2.0, 4.0]), &seeds(&[2.0, 4.0, 8.0])).unwrap();
    assert_eq!(effect.p_value(0.5), Some(1.0));
    assert_eq!(effect.p_value(0.6), Some(0.0));
    assert_eq!(effect.p_value(0.0), None);
    assert_eq!(effect.p_value(f64::NAN), None);
    let one = paired_ratio(&seeds(&[1.0]), &seeds(&[2.0])).unwrap();
    assert_eq!(one.p_value(1.0), None);
}

proptest! {
    #[test]
    fn counted_bootstrap_equals_the_plain_one(values in prop::collection::vec(-3.0..3.0_f64, 2..6)) {
        let (fast, plain) = (Interval::bca_of_mean(&values).unwrap(), plain_bca(&values));
        // One place further in the sorted means is rounding.
        prop_assert!((fast.low - plain.low).abs() < 1e-9, "{:?} {:?}", fast, plain);
        prop_assert!((fast.high - plain.high).abs() < 1e-9, "{:?} {:?}", fast, plain);
    }

    #[test]
    fn the_sign_flip_interval_is_what_the_test_does_not_reject(
        values in prop::collection::vec(-3.0..3.0_f64, 5..10),
        centre in -3.0..3.0_f64,
    ) {
        let Interval { low, high } = Interval::sign_flip_of_mean(&values).unwrap();
        prop_assume!([low, high].iter().all(|end| (end - centre).abs() > 1e-9));
        let inside = low < centre && centre < high;
        prop_assert_eq!(inside, sign_flip_p(&values, centre) > 0.1, "{} in {} to {}", centre, low, high);
    }

    #[test]
    fn bootstrap_stays_within_the_values(values in prop::collection::vec(-1e3..1e3_f64, 2..14)) {
        let interval = Interval::bca_of_mean(&values).unwrap();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        prop_assert!(low - 1e-9 <= interval.low && interval.low <= interval.high && interval.high <= high + 1e-9);
    }

    #[test]
    fn effects_are_finite_and_turn_over(
        pairs in prop::collection::vec((1e-9..1e9_f64, 1e-9..1e9_f64), 2..6),
    ) {
        let (arm, base): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
        let there = paired_ratio(&seeds(&arm), &seeds(&base)).unwrap();
        let back = paired_ratio(&seeds(&base), &seeds(&arm)).unwrap();
        let (low, high) = (there.low.unwrap(), there.high.unwrap());
        prop_assert!(low.is_finite() && high.is_finite() && low <= there.ratio && there.ratio <= high);
        prop_assert!((there.ratio.ln() + back.ratio.ln()).abs() < 1e-6);
    }

    #[test]
    fn interval_holds_the_mean(values in prop::collection::vec(-1e3..1e3_f64, 2..9)) {
        let Interval { low, high } = Interval::of_mean(&values).unwrap();
        let mean = mean(&values).unwrap();
        prop_assert!(low <= mean && mean <= high);
    }
}
