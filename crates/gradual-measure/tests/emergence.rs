//! Emergence of curves whose answers are known.

use gradual_measure::{Curve, Emergence};
use proptest::prelude::*;

fn sampled(spacing: usize, length: usize, skill: impl Fn(f64) -> f64) -> Curve {
    let steps: Vec<f64> = (0..=length).step_by(spacing).map(|s| s as f64).collect();
    let values = steps.iter().map(|&step| skill(step)).collect();
    Curve::new(steps, values).unwrap()
}

fn close(got: Option<f64>, expected: f64, tolerance: f64) {
    let got = got.expect("a number");
    assert!(
        (got - expected).abs() <= tolerance,
        "got {got}, expected {expected}"
    );
}

#[test]
fn straight_line() {
    let line = Emergence::from_curve(&sampled(10, 1000, |step| step / 1000.0));
    close(line.t10, 100.0, 1e-9);
    close(line.t50, 500.0, 1e-9);
    close(line.t90, 900.0, 1e-9);
    close(line.width, 800.0, 1e-9);
    close(line.relative_width, 1.6, 1e-9);
    close(line.log_width, 9.0_f64.log2(), 1e-9);
    close(line.largest_rise, 0.05, 1e-9);
    close(line.effective_increments, 1.0, 1e-9);
    close(line.factor_rise, 0.2, 1e-9);
    close(line.linearity, 1.0, 1e-9);
    close(line.breakthroughness, 1.0, 1e-9);
    // It never bends.
    assert_eq!(line.break_time, None);
}

#[test]
fn step_function() {
    // From 0 at 500 to 1 at 510, linear in between.
    let jump = Emergence::from_curve(&sampled(10, 1000, |step| f64::from(u8::from(step > 500.0))));
    close(jump.t50, 505.0, 1e-9);
    close(jump.width, 8.0, 1e-9);
    close(jump.relative_width, 8.0 / 505.0, 1e-9);
    close(jump.largest_rise, 1.0, 1e-9);
    close(jump.effective_increments, 0.01, 1e-9);
    close(jump.factor_rise, 1.0, 1e-9);
    close(jump.break_time, 500.0, 1e-9);
    close(jump.linearity, 0.1, 1e-9);
    // The median increment is 0; the floor bounds it.
    close(jump.breakthroughness, 10.0, 1e-9);
    let fit = jump.logistic.unwrap();
    assert!(
        (500.0..=510.0).contains(&fit.midpoint) && fit.scale < 0.01 && fit.r_squared > 0.999,
        "{fit:?}"
    );
}

#[test]
fn logistic() {
    let rate = 0.02;
    let rise = Emergence::from_curve(&sampled(5, 1000, |step| {
        1.0 / (1.0 + (-rate * (step - 500.0)).exp())
    }));
    let width = 2.0 * 9.0_f64.ln() / rate;
    close(rise.t50, 500.0, 1e-6);
    close(rise.width, width, 0.5);
    close(rise.relative_width, width / 500.0, 1e-3);
    let half_window = 25.0 * rate;
    close(rise.largest_rise, (half_window / 2.0_f64).tanh(), 1e-3);
    let effective = rise.effective_increments.unwrap();
    // A density r s(1−s) has 1/∫ρ² = 6/r, here 300 of 1000 steps.
    assert!((effective - 0.3).abs() < 0.01, "{effective}");
    // For monotone curves linearity is the root of N_eff/n.
    close(rise.linearity, effective.sqrt(), 1e-3);
    // The second derivative is largest where s = (3 − √3)/6.
    close(
        rise.break_time,
        500.0 - (2.0 + 3.0_f64.sqrt()).ln() / rate,
        10.0,
    );
}

#[test]
fn logistic_in_the_logarithm_of_time() {
    for (midpoint, scale) in [(300.0, 0.25), (120.0, 0.05), (700.0, 0.6)] {
        let rise = Emergence::from_curve(&sampled(5, 1000, |step| {
            1.0 / (1.0 + (step / midpoint).powf(-1.0 / scale))
        }));
        let fit = rise.logistic.unwrap();
        assert!((fit.midpoint / midpoint - 1.0).abs() < 1e-6, "{fit:?}");
        assert!((fit.scale / scale - 1.0).abs() < 1e-6, "{fit:?}");
        assert!((fit.r_squared - 1.0).abs() < 1e-9, "{fit:?}");
        // Within a factor 1.25 of time it rises by tanh(ln 1.25/(4 scale)), if that time comes.
        let end = midpoint * 1.25_f64.sqrt();
        if end < 1000.0 {
            close(
                rise.factor_rise,
                (1.25_f64.ln() / (4.0 * scale)).tanh(),
                1e-2,
            );
        }
    }
}

/// Half of the increments are 0.002 and half 0.018: median z² is 1.64e-4, and median |z| another number.
#[test]
fn breakthroughness_takes_the_median_of_squares() {
    let bent =
        Emergence::from_curve(&Curve::new(vec![0.0, 50.0, 100.0], vec![0.0, 0.1, 1.0]).unwrap());
    close(
        bent.breakthroughness,
        1.0 / (100.0 * 1.64e-4_f64.sqrt()),
        1e-9,
    );
    close(bent.breakthroughness, 0.781, 5e-4);
    close(bent.linearity, 1.0 / (100.0 * 1.64e-4_f64.sqrt()), 1e-9);
}

#[test]
fn noisy_rise() {
    // A line with a wobble of ±0.05 from point to point.
    let noisy = Emergence::from_curve(&sampled(10, 1000, |step| {
        step / 1000.0 + 0.05 * (step * 1.7).sin()
    }));
    close(noisy.t50, 500.0, 60.0);
    assert!(noisy.linearity.unwrap() < 0.9 && noisy.linearity.unwrap() > 0.1);
    assert!((0.1..1.0).contains(&noisy.breakthroughness.unwrap()));
    assert!(noisy.logistic.unwrap().r_squared > 0.8);
    // Noise without progress.
    let noise = Emergence::from_curve(&sampled(10, 1000, |step| 0.03 * (step * 1.7).sin()));
    assert_eq!((noise.t10, noise.width), (None, None));
    assert!(noise.effective_increments.unwrap() < 0.01 && noise.largest_rise.unwrap() < 0.1);
    assert!(noise.breakthroughness.unwrap().abs() < 0.1);
}

#[test]
fn staircase_has_as_many_effective_increments_as_stairs() {
    // The last evaluation confirms the last stair.
    let stairs = Emergence::from_curve(&sampled(10, 1000, |step| {
        ((step + 10.0) / 200.0).floor() / 5.0
    }));
    close(stairs.effective_increments, 0.05, 1e-9);
    close(stairs.largest_rise, 0.2, 1e-9);
    close(stairs.factor_rise, 0.2, 1e-9);
    close(stairs.break_time, 180.0, 1e-9);
}

fn logistic_at(step: f64, midpoint: f64, scale: f64) -> f64 {
    if step > 0.0 {
        1.0 / (1.0 + (step / midpoint).powf(-1.0 / scale))
    } else {
        0.0
    }
}

/// R² of a logistic curve on the points that the fit sees: the running median of three, after step 0.
fn r_squared_of(curve: &Curve, midpoint: f64, scale: f64) -> f64 {
    let smooth = curve.median3(0.0);
    let points: Vec<(f64, f64)> = smooth
        .steps()
        .iter()
        .zip(smooth.values())
        .filter(|point| *point.0 > 0.0)
        .map(|(step, value)| (*value, logistic_at(*step, midpoint, scale)))
        .collect();
    let mean = points.iter().map(|point| point.0).sum::<f64>() / points.len() as f64;
    let of =
        |sum: fn(&(f64, f64), f64) -> f64| points.iter().map(|point| sum(point, mean)).sum::<f64>();
    1.0 - of(|(value, fitted), _| (value - fitted).powi(2))
        / of(|(value, _), mean| (value - mean).powi(2))
}

/// One or two points lie on the slope, and a coarse grid of starts ends on a step beside it.
#[test]
fn logistic_with_few_points_on_the_slope() {
    let fit = Emergence::from_curve(&sampled(25, 1000, |step| logistic_at(step, 218.37, 0.0422)));
    let fit = fit.logistic.unwrap();
    assert!((fit.midpoint / 218.37 - 1.0).abs() < 1e-6, "{fit:?}");
    assert!((fit.scale / 0.0422 - 1.0).abs() < 1e-5, "{fit:?}");
    assert!(1.0 - fit.r_squared < 1e-9, "{fit:?}");
}

/// Every midpoint and scale on a grid that knows nothing of the points.
#[test]
fn exact_logistic_curves_are_found() {
    let mut tried = 0;
    for midpoint in (0..40)
        .map(|index| 40.0 * 1.08_f64.powi(index))
        .filter(|&midpoint| midpoint < 850.0)
    {
        for scale in (0..16).map(|index| 0.004 * 1.45_f64.powi(index)) {
            let curve = sampled(25, 1000, |step| logistic_at(step, midpoint, scale));
            let fit = Emergence::from_curve(&curve).logistic.unwrap();
            assert!(
                1.0 - fit.r_squared < 1e-9,
                "midpoint {midpoint}, scale {scale}: {fit:?}"
            );
            tried += 1;
        }
    }
    assert!(tried > 600, "{tried}");
}

#[test]
fn unequal_spacing_of_evaluations_does_not_matter() {
    let steps = vec![0.0, 1.0, 5.0, 30.0, 31.0, 200.0, 777.0, 1000.0];
    let values = steps.iter().map(|step| step / 1000.0).collect();
    let line = Emergence::from_curve(&Curve::new(steps, values).unwrap());
    close(line.effective_increments, 1.0, 1e-9);
    close(line.largest_rise, 0.05, 1e-9);
}

#[test]
fn flat_falling_and_never_reaching() {
    let flat = Emergence::from_curve(&sampled(10, 1000, |_| 0.0));
    assert_eq!(
        (flat.t10, flat.width, flat.effective_increments),
        (None, None, None)
    );
    assert_eq!(flat.largest_rise, Some(0.0));
    assert_eq!((flat.break_time, flat.logistic), (None, None));
    assert_eq!((flat.linearity, flat.breakthroughness), (None, None));

    let falling = Emergence::from_curve(&sampled(10, 1000, |step| 1.0 - step / 1000.0));
    assert_eq!(falling.t50, Some(0.0));
    assert_eq!(falling.relative_width, None);
    assert_eq!(falling.largest_rise, Some(0.0));
    assert_eq!(falling.factor_rise, Some(0.0));
    close(falling.linearity, -1.0, 1e-9);
    close(falling.breakthroughness, -1.0, 1e-9);
    assert!(falling.logistic.unwrap().r_squared < 0.1);

    let half = Emergence::from_curve(&sampled(10, 1000, |step| 0.6 * step / 1000.0));
    assert!(half.t10.is_some() && half.t50.is_some());
    assert_eq!((half.t90, half.width, half.log_width), (None, None, None));
}

#[test]
fn a_lucky_evaluation_is_no_emergence() {
    let lucky = Emergence::from_curve(&sampled(
        10,
        1000,
        |step| {
            if step == 300.0 { 0.95 } else { 0.0 }
        },
    ));
    assert_eq!(lucky.t10, None);
    assert_eq!(lucky.effective_increments, None);
}

/// Nor a lucky one at either end, whatever else was evaluated.
#[test]
fn a_lucky_evaluation_at_an_end_is_no_emergence() {
    for count in 1..30 {
        for from in [0.0, 25.0] {
            for lucky in [0, count - 1] {
                let steps: Vec<f64> = (0..count).map(|index| from + 25.0 * index as f64).collect();
                let mut values = vec![0.0; count];
                values[lucky] = 0.95;
                let e = Emergence::from_curve(&Curve::new(steps, values).unwrap());
                assert_eq!(
                    (e.t10, e.t50, e.t90, e.width),
                    (None, None, None, None),
                    "{lucky} of {count}"
                );
                assert_eq!((e.effective_increments, e.break_time), (None, None));
                assert!(e.largest_rise.is_none_or(|rise| rise == 0.0));
                assert_eq!(e.logistic, None);
            }
        }
    }
    // What two evaluations have seen has come.
    let late = Emergence::from_curve(&sampled(
        25,
        1000,
        |step| if step < 975.0 { 0.0 } else { 0.95 },
    ));
    close(late.t50, 950.0 + 25.0 * 0.5 / 0.95, 1e-9);
    // And what had come before an unlucky one has.
    let unlucky = Emergence::from_curve(&sampled(25, 1000, |step| {
        if step < 1000.0 { step / 1000.0 } else { 0.0 }
    }));
    close(unlucky.t90, 900.0, 1e-9);
    close(unlucky.factor_rise, 0.95 * 0.2, 1e-9);
}

#[test]
fn a_late_first_evaluation_is_interpolated_from_step_zero() {
    let late = Emergence::from_curve(&Curve::new(vec![100.0, 200.0], vec![1.0, 1.0]).unwrap());
    close(late.t50, 50.0, 1e-9);
    let single = Emergence::from_curve(&Curve::new(vec![0.0], vec![0.0]).unwrap());
    assert_eq!(single, Emergence::default());
}

fn curves() -> impl Strategy<Value = (Vec<f64>, Vec<f64>)> {
    prop::collection::vec((0.1..50.0_f64, -0.5..1.0_f64), 1..60).prop_map(|points| {
        let mut step = 0.0;
        points
            .into_iter()
            .map(|(wait, value)| {
                step += wait;
                (step, value)
            })
            .unzip()
    })
}

proptest! {
    #[test]
    fn numbers_are_bounded((steps, values) in curves()) {
        let e = Emergence::from_curve(&Curve::new(steps.clone(), values).unwrap());
        let times = [e.t10, e.t50, e.t90];
        prop_assert!(times.iter().flatten().all(|t| (0.0..=steps[steps.len() - 1]).contains(t)));
        prop_assert!(times.windows(2).all(|pair| pair[1].is_none() || pair[0] <= pair[1]));
        prop_assert!(e.largest_rise.is_none_or(|rise| (0.0..=1.5).contains(&rise)));
        prop_assert!(e.effective_increments.is_none_or(|n| (0.0..=1.0).contains(&n)));
        for number in [e.width, e.relative_width, e.log_width, e.factor_rise].into_iter().flatten() {
            prop_assert!(number.is_finite() && number >= 0.0);
        }
        prop_assert!(e.linearity.is_none_or(|l| (-1.0..=1.0).contains(&l)));
        prop_assert!(e.breakthroughness.is_none_or(|b| b.abs() <= 15.0));
        prop_assert!(e.break_time.is_none_or(|t| (0.0..=steps[steps.len() - 1]).contains(&t)));
        if let Some(fit) = e.logistic {
            prop_assert!(fit.r_squared <= 1.0 && fit.midpoint > 0.0 && fit.scale > 0.0);
        }
        let said = format!("{e:?}");
        prop_assert!(!said.contains("NaN") && !said.contains("inf"), "{}", said);
    }

    #[test]
    fn ratios_are_free_of_the_time_scale((steps, values) in curves(), scale in 0.01..100.0_f64) {
        let e = Emergence::from_curve(&Curve::new(steps.clone(), values.clone()).unwrap());
        let stretched = steps.iter().map(|step| step * scale).collect();
        let s = Emergence::from_curve(&Curve::new(stretched, values).unwrap());
        for (a, b) in [
            (e.t50.map(|t| t * scale), s.t50),
            (e.relative_width, s.relative_width),
            (e.log_width, s.log_width),
            (e.largest_rise, s.largest_rise),
            (e.effective_increments, s.effective_increments),
            (e.factor_rise, s.factor_rise),
            (e.linearity, s.linearity),
            (e.breakthroughness, s.breakthroughness),
            (e.break_time.map(|t| t * scale), s.break_time),
        ] {
            prop_assert_eq!(a.is_some(), b.is_some());
            let (a, b) = (a.unwrap_or(0.0), b.unwrap_or(0.0));
            prop_assert!((a - b).abs() <= 1e-6 * (1.0 + a.abs()), "{} {}", a, b);
        }
        // Two fits may be equally good; how good they are is the same.
        let r_squared = |one: Emergence| one.logistic.map(|fit| fit.r_squared);
        prop_assert_eq!(r_squared(e).is_some(), r_squared(s).is_some());
        if let (Some(a), Some(b)) = (r_squared(e), r_squared(s)) {
            prop_assert!((a - b).abs() < 1e-3, "{} {}", a, b);
        }
    }

    /// The truth is one of the curves that the fit chooses among.
    #[test]
    fn no_logistic_fit_is_worse_than_the_truth(
        waits in prop::collection::vec(1.0..80.0_f64, 4..90),
        place in -0.2..1.2_f64,
        scale in (0.002_f64.ln()..2.0_f64.ln()).prop_map(f64::exp),
        noise in prop_oneof![Just(0.0), Just(0.01), Just(0.1)],
        wobble in prop::collection::vec(-1.0..1.0_f64, 90),
    ) {
        let steps: Vec<f64> = waits.iter().scan(0.0, |step, wait| { *step += wait; Some(*step) }).collect();
        let (first, last) = (steps[0].ln(), steps[steps.len() - 1].ln());
        let midpoint = (first + place * (last - first)).exp();
        let values = steps.iter().zip(&wobble)
            .map(|(step, wobble)| logistic_at(*step, midpoint, scale) + noise * wobble)
            .collect();
        let curve = Curve::new(steps, values).unwrap();
        let Some(fit) = Emergence::from_curve(&curve).logistic else {
            // Nothing to fit: all the same after step 0.
            let smooth = curve.median3(0.0);
            let seen = &smooth.values()[1..];
            prop_assert!(seen.iter().all(|value| (value - seen[0]).abs() < 1e-5), "{:?}", seen);
            return Ok(());
        };
        let truth = r_squared_of(&curve, midpoint, scale);
        prop_assert!(fit.r_squared >= truth - 1e-9, "{:?}, true {} ± {}: {}", fit, midpoint, scale, truth);
        let said = r_squared_of(&curve, fit.midpoint, fit.scale);
        prop_assert!((fit.r_squared - said).abs() < 1e-6 * (1.0 + said.abs()), "{:?} {}", fit, said);
    }

    #[test]
    fn a_rise_within_a_factor_knows_no_length_of_training((steps, values) in curves(), wait in 1.0..1e3_f64) {
        let (mut steps, mut values) = (steps, values);
        // Nothing more happens; the first time confirms the last value.
        let mut longer = || {
            for _ in 0..2 {
                steps.push(steps[steps.len() - 1] + wait);
                values.push(values[values.len() - 1]);
            }
            Emergence::from_curve(&Curve::new(steps.clone(), values.clone()).unwrap())
        };
        let (short, long) = (longer(), longer());
        prop_assert!((short.factor_rise.unwrap() - long.factor_rise.unwrap()).abs() < 1e-9);
    }
}

/// The rises within windows, by looking at every pair of points and both ends of each window.
fn rise_by_pairs(curve: &Curve, after: impl Fn(f64) -> f64, before: impl Fn(f64) -> f64) -> f64 {
    let curve = curve.median3(0.0);
    let points: Vec<(f64, f64)> = curve
        .steps()
        .iter()
        .copied()
        .zip(curve.values().iter().copied())
        .collect();
    let mut best: f64 = 0.0;
    for &(begin, low) in &points {
        best = best.max(curve.at(after(begin)) - low);
        best = best.max(low - curve.at(before(begin)));
        for &(end, high) in points.iter().filter(|point| point.0 >= begin) {
            if end <= after(begin) {
                best = best.max(high - low);
            }
        }
    }
    best
}

#[test]
fn rises_are_those_of_all_pairs() {
    let mut state = 1_u64;
    let mut random = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as f64 / f64::from(1_u32 << 31)
    };
    for count in [2, 3, 5, 30, 200] {
        let mut step = 0.0;
        let steps: Vec<f64> = (0..count)
            .map(|_| {
                step += 1.0 + (20.0 * random()).floor();
                step
            })
            .collect();
        let values = (0..count).map(|_| random()).collect();
        let curve = Curve::new(steps, values).unwrap();
        let found = Emergence::from_curve(&curve);
        let window = 0.05 * curve.last_step();
        let within = rise_by_pairs(&curve, |at| at + window, |at| at - window);
        assert_eq!(found.largest_rise, Some(within));
        let factor = rise_by_pairs(&curve, |at| at * 1.25, |at| at / 1.25);
        assert_eq!(found.factor_rise, Some(factor));
    }
}

#[test]
fn a_fit_to_many_points_is_that_to_few() {
    let curve = |count: u32| {
        let steps: Vec<f64> = (0..=count)
            .map(|at| 64_000.0 * f64::from(at) / f64::from(count))
            .collect();
        let skill = |step: &f64| 1.0 / (1.0 + (step / 9_000.0_f64).powf(-1.0 / 0.13));
        let values = steps.iter().map(skill).collect();
        Curve::new(steps, values).unwrap()
    };
    for count in [1_000, 5_000, 64_000] {
        let fit = Emergence::from_curve(&curve(count)).logistic.unwrap();
        assert!(
            (fit.midpoint / 9_000.0 - 1.0).abs() < 1e-4,
            "{count}: {fit:?}"
        );
        assert!((fit.scale / 0.13 - 1.0).abs() < 1e-3, "{count}: {fit:?}");
        assert!(fit.r_squared > 0.999_99, "{count}: {fit:?}");
    }
    // A jump within one of the intervals that the search sees the means of.
    let steps: Vec<f64> = (0..50_000).map(f64::from).collect();
    let values = steps
        .iter()
        .map(|&step| f64::from(u8::from(step > 40_000.0)))
        .collect();
    let fit = Emergence::from_curve(&Curve::new(steps, values).unwrap())
        .logistic
        .unwrap();
    assert!(
        (fit.midpoint - 40_000.0).abs() < 20.0 && fit.r_squared > 0.999,
        "{fit:?}"
    );
}
