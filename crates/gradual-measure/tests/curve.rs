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
fn the_median_drops_an_outlier_wherever_it_is() {
    let flat = [0.0; 7];
    for at in 0..flat.len() {
        for (outlier, start) in [(0.95, 0.0), (-3.0, 0.0)] {
            let mut values = flat;
            values[at] = outlier;
            let steps: Vec<f64> = (0..flat.len()).map(|index| index as f64).collect();
            assert_eq!(
                curve(&steps, &values).median3(start).values(),
                flat,
                "at {at}"
            );
            // The same when the first evaluation comes later.
            let late: Vec<f64> = steps.iter().map(|step| step + 5.0).collect();
            let smooth = curve(&late, &values).median3(start);
            assert_eq!((smooth.first_step(), smooth.len()), (0.0, 8));
            assert!(smooth.values().iter().all(|&value| value == 0.0), "at {at}");
        }
    }
    let noisy = curve(&[0.0, 1.0, 2.0, 3.0, 4.0], &[9.0, 0.0, 7.0, 0.1, 0.2]);
    assert_eq!(noisy.median3(0.0).values(), [0.0, 7.0, 0.1, 0.2, 0.2]);
}

#[test]
fn the_last_point_of_a_median_follows_its_neighbours() {
    let last = |steps: &[f64], values: &[f64]| curve(steps, values).median3(0.0).last_value();
    let steps = [0.0, 10.0, 20.0, 30.0];
    // It may go on as before, slow down, stop, or rise up to twice as steeply; not jump.
    for (value, expected) in [
        (0.3, 0.3),
        (0.25, 0.25),
        (0.2, 0.2),
        (0.4, 0.4),
        (0.95, 0.4),
    ] {
        let got = last(&steps, &[0.0, 0.1, 0.2, value]);
        assert!((got - expected).abs() < 1e-12, "{value}: {got}");
    }
    // Twice as steeply in time, not from point to point.
    let got = last(&[0.0, 10.0, 20.0, 25.0], &[0.0, 0.1, 0.2, 0.9]);
    assert!((got - 0.3).abs() < 1e-12, "{got}");
    // Too short to tell.
    assert_eq!(last(&[0.0, 10.0], &[0.0, 0.9]), 0.0);
    assert_eq!(last(&[10.0], &[0.9]), 0.0);
    assert_eq!(last(&[0.0], &[0.9]), 0.0);
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
    fn the_median_keeps_rises_that_do_not_end_in_a_jump(
        mut values in prop::collection::vec(0.0..1.5_f64, 2..40),
        share in 0.0..=2.0_f64,
    ) {
        values.sort_by(f64::total_cmp);
        let last = values.len() - 1;
        values.push(values[last] + share * (values[last] - values[last - 1]));
        let steps: Vec<f64> = (0..values.len()).map(|index| index as f64).collect();
        let curve = curve(&steps, &values);
        let smooth = curve.median3(0.0);
        for (kept, value) in smooth.values().iter().zip(&values) {
            prop_assert!((kept - value).abs() < 1e-12);
        }
    }

    #[test]
    fn the_median_is_that_of_three_inside(values in prop::collection::vec(-1.0..1.5_f64, 3..20)) {
        let steps: Vec<f64> = (0..values.len()).map(|index| index as f64).collect();
        let smooth = curve(&steps, &values).median3(0.0);
        for index in 1..values.len() - 1 {
            let mut window = values[index - 1..=index + 1].to_vec();
            window.sort_by(f64::total_cmp);
            prop_assert_eq!(smooth.values()[index], window[1]);
        }
    }
}
