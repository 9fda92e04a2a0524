//! Curves: what is refused, and interpolation, smoothing and crossings with known answers.

use gradual_measure::{Curve, MeasureError, skill};
use proptest::prelude::*;

fn curve(steps: &[f64], values: &[f64]) -> Curve {
    Curve::new(steps.to_vec(), values.to_vec()).unwrap()
}

#[test]
fn bad_curves_are_refused() {
    let message = |steps: &[f64], values: &[f64]| {
        Curve::new(steps.to_vec(), values.to_vec())
            .unwrap_err()
            .to_string()
    };
    for (steps, values, expected) in [
        (&[][..], &[][..], "at least one point"),
        (&[1.0], &[], "1 steps and 0 values"),
        (&[0.0, f64::NAN], &[0.0, 0.0], "step NaN at position 1"),
        (&[0.0], &[f64::INFINITY], "value inf at position 0"),
        (&[-1.0], &[0.0], "from 0 on, got -1"),
        (&[2.0, 2.0], &[0.0, 0.0], "got 2 after 2"),
    ] {
        let message = message(steps, values);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn skill_is_zero_at_chance_and_one_at_best() {
    assert_eq!(skill(0.5, 0.5), 0.0);
    assert_eq!(skill(1.0, 0.5), 1.0);
    assert_eq!(skill(0.25, 0.5), -0.5);
    assert_eq!(skill(1.0, 1.0), 0.0);
}

#[test]
fn interpolation_is_linear_and_constant_beyond_the_ends() {
    let curve = curve(&[10.0, 20.0, 40.0], &[0.0, 1.0, 0.0]);
    for (step, value) in [
        (0.0, 0.0),
        (10.0, 0.0),
        (15.0, 0.5),
        (20.0, 1.0),
        (35.0, 0.25),
        (40.0, 0.0),
        (99.0, 0.0),
    ] {
        assert_eq!(curve.at(step), value, "at {step}");
    }
}

#[test]
fn median_drops_an_outlier_and_keeps_the_ends() {
    let noisy = curve(&[0.0, 1.0, 2.0, 3.0, 4.0], &[9.0, 0.0, 7.0, 0.1, 0.2]);
    assert_eq!(noisy.median3().values(), [9.0, 7.0, 0.1, 0.2, 0.2]);
    let short = curve(&[0.0, 1.0], &[1.0, 0.0]);
    assert_eq!(short.median3(), short);
}

#[test]
fn crossings_are_interpolated() {
    let curve = curve(&[10.0, 20.0, 30.0], &[0.2, 0.4, 1.0]);
    assert_eq!(curve.first_crossing(0.1), Some(10.0));
    assert_eq!(curve.first_crossing(0.3), Some(15.0));
    assert_eq!(curve.first_crossing(1.0), Some(30.0));
    assert_eq!(curve.first_crossing(1.1), None);
    let begun = curve.from_origin(0.0);
    assert_eq!(begun.first_crossing(0.1), Some(5.0));
    assert_eq!(begun.from_origin(0.0), begun);
}

#[test]
fn mean_needs_equal_steps() {
    let (a, b) = (
        curve(&[0.0, 1.0], &[0.0, 1.0]),
        curve(&[0.0, 1.0], &[1.0, 0.0]),
    );
    assert_eq!(Curve::mean(&[a.clone(), b]).unwrap().values(), [0.5, 0.5]);
    let other = curve(&[0.0, 2.0], &[1.0, 0.0]);
    assert!(matches!(
        Curve::mean(&[a, other]),
        Err(MeasureError::UnequalSteps { position: 1, .. })
    ));
    assert!(matches!(Curve::mean(&[]), Err(MeasureError::Empty { .. })));
}

proptest! {
    #[test]
    fn a_crossing_is_the_first_point_at_the_level(
        values in prop::collection::vec(-1.0..1.5_f64, 1..40),
        level in -1.0..1.5_f64,
    ) {
        let steps: Vec<f64> = (0..values.len()).map(|index| (index * index) as f64).collect();
        let curve = curve(&steps, &values);
        match curve.first_crossing(level) {
            Some(step) => {
                prop_assert!(curve.at(step) >= level - 1e-9);
                for share in 0..20 {
                    let before = step * f64::from(share) / 20.0;
                    prop_assert!(before >= step - 1e-9 || curve.at(before) < level + 1e-9);
                }
            }
            None => prop_assert!(values.iter().all(|value| *value < level)),
        }
    }

    #[test]
    fn the_median_keeps_monotone_curves(mut values in prop::collection::vec(-1.0..1.5_f64, 1..40)) {
        values.sort_by(f64::total_cmp);
        let steps: Vec<f64> = (0..values.len()).map(|index| index as f64).collect();
        let curve = curve(&steps, &values);
        prop_assert_eq!(curve.median3(), curve);
    }
}
