//! Statistics over seeds against tabulated numbers.

use std::collections::BTreeMap;

use gradual_measure::statistics::{deviation, mean, median};
use gradual_measure::{Direction, Effect, Interval, Sample, Verdict, paired_ratio, verdict};
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
    let one = Sample::of(&[2.0]).unwrap();
    assert_eq!((one.mean, one.deviation, one.interval), (2.0, None, None));
    assert!(Sample::of(&[]).is_none());
}

#[test]
fn interval_agrees_with_the_t_table() {
    // t for 95 %: 12.706 (1 degree of freedom), 4.303 (2), 2.776 (4).
    for (values, t) in [
        (&[0.0, 2.0][..], 12.706),
        (&[0.0, 1.0, 2.0], 4.303),
        (&[0.0, 1.0, 2.0, 3.0, 4.0], 2.776),
    ] {
        let sample = Sample::of(values).unwrap();
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

#[test]
fn verdicts() {
    let effect = |low, high| Effect {
        ratio: 1.0,
        low: Some(low),
        high: Some(high),
        seeds: 3,
    };
    use Direction::{Higher, Lower};
    use Verdict::{Inconclusive, NotSupported, Supported};
    for (low, high, direction, smallest, expected) in [
        (0.3, 0.8, Lower, 0.8, Supported),
        (0.3, 0.81, Lower, 0.8, Inconclusive),
        (0.81, 0.9, Lower, 0.8, NotSupported),
        (1.25, 9.0, Higher, 1.25, Supported),
        (1.0, 9.0, Higher, 1.25, Inconclusive),
        (0.2, 1.2, Higher, 1.25, NotSupported),
    ] {
        assert_eq!(
            verdict(Some(&effect(low, high)), direction, smallest),
            expected
        );
    }
    let single = Effect {
        low: None,
        high: None,
        ..effect(0.0, 0.0)
    };
    assert_eq!(verdict(Some(&single), Lower, 0.8), Inconclusive);
    assert_eq!(verdict(None, Lower, 0.8), Inconclusive);
}

proptest! {
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
