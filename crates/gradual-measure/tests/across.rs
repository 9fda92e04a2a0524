//! Togetherness of several capabilities, with known answers.

use gradual_measure::{
    Curve, Emergence, MeasureError, Spread, gap_at_equal_mean, gini, gini_at_equal_mean, steps_to,
    steps_to_worst,
};
use proptest::prelude::*;

fn emerging(t50: Option<f64>) -> Emergence {
    Emergence {
        t50,
        ..Emergence::default()
    }
}

/// `count` capabilities, one linear rise after the other, each 100 steps long.
fn staggered(count: usize) -> Vec<Curve> {
    let steps: Vec<f64> = (0..=count * 10).map(|index| (index * 10) as f64).collect();
    (0..count)
        .map(|capability| {
            let values = steps
                .iter()
                .map(|step| (step / 100.0 - capability as f64).clamp(0.0, 1.0))
                .collect();
            Curve::new(steps.clone(), values).unwrap()
        })
        .collect()
}

#[test]
fn spread_counts_those_that_never_arrive() {
    let all = Spread::from_emergences(&[emerging(Some(100.0)), emerging(Some(450.0))], 1000.0);
    assert_eq!((all.ratio, all.reached, all.of), (Some(4.5), 2, 2));
    assert_eq!(all.at_least, None);

    let some = Spread::from_emergences(&[emerging(Some(100.0)), emerging(None)], 1000.0);
    assert_eq!(
        (some.ratio, some.at_least, some.reached),
        (None, Some(10.0), 1)
    );

    let none = Spread::from_emergences(&[emerging(None)], 1000.0);
    assert_eq!((none.ratio, none.at_least, none.reached), (None, None, 0));

    let at_zero = Spread::from_emergences(&[emerging(Some(0.0)), emerging(Some(5.0))], 10.0);
    assert_eq!(at_zero.ratio, None);
    assert_eq!(Spread::from_emergences(&[], 10.0).ratio, None);
    // One is not apart from itself.
    assert_eq!(
        Spread::from_emergences(&[emerging(Some(5.0))], 10.0).ratio,
        None
    );
}

#[test]
fn gap_of_staggered_steps() {
    for count in [2, 3, 6, 20] {
        let n = count as f64;
        let gap = gap_at_equal_mean(&staggered(count)).unwrap().unwrap();
        assert!((gap - (n + 1.0) / (3.0 * n)).abs() < 1e-3, "{count}: {gap}");
    }
}

#[test]
fn gap_of_equal_curves_is_zero() {
    let curve = staggered(1).remove(0);
    assert_eq!(
        gap_at_equal_mean(&vec![curve.clone(); 5]).unwrap(),
        Some(0.0)
    );
    assert_eq!(gap_at_equal_mean(&[curve]).unwrap(), None);
    assert!(gap_at_equal_mean(&[]).is_err());
}

#[test]
fn gap_needs_half_of_the_mean_skill() {
    let steps = vec![0.0, 100.0];
    let to = |end| Curve::new(steps.clone(), vec![0.0, end]).unwrap();
    assert_eq!(gap_at_equal_mean(&[to(0.9), to(0.0)]).unwrap(), None);
    let gap = gap_at_equal_mean(&[to(1.0), to(0.0)]).unwrap().unwrap();
    // The mean reaches 0.5; there the difference is 1, and it rises in proportion.
    assert!((gap - 0.5).abs() < 1e-9, "{gap}");
}

#[test]
fn steps_to_a_mean_accuracy() {
    let curves = staggered(2);
    assert_eq!(steps_to(&curves, 0.5).unwrap(), Some(100.0));
    let steps = steps_to(&curves, 0.9).unwrap().unwrap();
    assert!((steps - 180.0).abs() < 1e-9);
    assert_eq!(steps_to(&curves, 1.1).unwrap(), None);
}

#[test]
fn steps_to_the_worst_capability() {
    let curves = staggered(2);
    let steps = steps_to_worst(&curves, 0.9).unwrap().unwrap();
    assert!((steps - 190.0).abs() < 1e-9);
    assert_eq!(Curve::lowest(&curves).unwrap().at(150.0), 0.5);
    assert_eq!(steps_to_worst(&curves, 1.1).unwrap(), None);
    assert!((curves[0].mean_height() - 0.75).abs() < 1e-12);
}

#[test]
fn gini_of_losses() {
    assert_eq!(gini(&[2.0; 4]), Some(0.0));
    assert!((gini(&[0.0, 0.0, 0.0, 8.0]).unwrap() - 0.75).abs() < 1e-12);
    for none in [
        &[][..],
        &[0.0, 0.0],
        &[-1.0, 2.0],
        &[f64::NAN],
        &[f64::INFINITY],
    ] {
        assert_eq!(gini(none), None, "{none:?}");
    }
    let skills = staggered(4);
    let equal =
        vec![Curve::new(skills[0].steps().to_vec(), vec![1.0; skills[0].len()]).unwrap(); 4];
    assert!(gini_at_equal_mean(&equal, &skills).unwrap().unwrap() < 1e-12);
    // What is not learned holds all the loss: k of 4 left, Gini 1 − k/4, for a quarter of the time each.
    let left = |curve: &Curve| {
        let values = curve
            .values()
            .iter()
            .map(|skill| f64::from(u8::from(*skill < 1.0)));
        Curve::new(curve.steps().to_vec(), values.collect()).unwrap()
    };
    let losses: Vec<Curve> = skills.iter().map(left).collect();
    let gini = gini_at_equal_mean(&losses, &skills).unwrap().unwrap();
    assert!(
        (gini - (0.0 + 0.25 + 0.5 + 0.75) / 4.0).abs() < 0.05,
        "{gini}"
    );
    assert!(matches!(
        gini_at_equal_mean(&losses[..2], &skills),
        Err(MeasureError::Counts {
            losses: 2,
            skills: 4,
            ..
        })
    ));
}

proptest! {
    #[test]
    fn gini_is_bounded_and_free_of_the_unit(
        values in prop::collection::vec(0.0..9.0_f64, 1..20),
        unit in 0.01..100.0_f64,
    ) {
        prop_assume!(values.iter().sum::<f64>() > 0.0);
        let one = gini(&values).unwrap();
        let other = gini(&values.iter().map(|value| value * unit).collect::<Vec<_>>()).unwrap();
        prop_assert!((one - other).abs() < 1e-9);
        prop_assert!((0.0..=1.0 - 1.0 / values.len() as f64 + 1e-9).contains(&one));
    }

    #[test]
    fn gap_is_bounded_and_free_of_time(
        waits in prop::collection::vec((0.1..9.0_f64, 0.1..9.0_f64), 2..30),
        noise in prop::collection::vec(0.0..1.0_f64, 90),
    ) {
        let along = |which: fn(&(f64, f64)) -> f64| -> Vec<f64> {
            waits.iter().scan(0.0, |step, wait| { *step += which(wait); Some(*step) }).collect()
        };
        let (one, other) = (along(|w| w.0), along(|w| w.1));
        let on = |steps: &[f64]| -> Vec<Curve> {
            noise.chunks(30).map(|chunk| {
                let mut values = chunk[..steps.len()].to_vec();
                values[0] = 0.0;
                Curve::new(steps.to_vec(), values).unwrap()
            }).collect()
        };
        let gap = gap_at_equal_mean(&on(&one)).unwrap();
        let warped = gap_at_equal_mean(&on(&other)).unwrap();
        prop_assert_eq!(gap.is_some(), warped.is_some());
        if let (Some(gap), Some(warped)) = (gap, warped) {
            prop_assert!((gap - warped).abs() < 1e-6, "{} {}", gap, warped);
            prop_assert!((0.0..=1.0).contains(&gap));
        }
    }

    #[test]
    fn spread_is_at_least_one(times in prop::collection::vec(1.0..1e6_f64, 2..20)) {
        let emergences: Vec<_> = times.iter().map(|&time| emerging(Some(time))).collect();
        prop_assert!(Spread::from_emergences(&emergences, 1e6).ratio.unwrap() >= 1.0);
    }
}
