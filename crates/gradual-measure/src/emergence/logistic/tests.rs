mod plain;

use proptest::prelude::*;

use super::Logistic;
use crate::curve::Curve;

/// The fit is as good as that of the plain twin, and the same curve where several points lie on the slope: of a step
/// between two points, many curves are as good.
///
/// It may be better. At a limit of the parameters, and in long flat valleys, the twin's 200 refinements end before the least
/// sum of squares; and its sixteen starts may all be the same step, written with different parameters.
fn compare(curve: &Curve) -> Result<(), TestCaseError> {
    let (fit, plain) = (Logistic::fit(curve), plain::fit(curve));
    prop_assert_eq!(fit.is_some(), plain.is_some());
    let (Some(fit), Some(plain)) = (fit, plain) else {
        return Ok(());
    };
    let better = fit.r_squared - plain.r_squared;
    prop_assert!(better >= -1e-9, "{fit:?} is not as good as {plain:?}");
    let on_the_slope = curve.steps().iter().filter(|&&step| {
        let fitted = logistic(step, plain.midpoint, plain.scale);
        (0.02..0.98).contains(&fitted)
    });
    // Where sums of squares differ by 1e-9 of the whole, curves near the best one differ by about its root.
    let same = |&step: &f64| {
        let values = [&fit, &plain].map(|one| logistic(step, one.midpoint, one.scale));
        (values[0] - values[1]).abs() < 3e-4
    };
    prop_assert!(
        better > 1e-9
            || plain.r_squared < 0.5
            || on_the_slope.count() < 4
            || curve.steps().iter().all(same),
        "{fit:?} is another curve than {plain:?}"
    );
    Ok(())
}

/// Skills at increasing steps.
fn curve(steps: impl IntoIterator<Item = f64>, skill: impl Fn(usize, f64) -> f64) -> Curve {
    let steps: Vec<f64> = steps.into_iter().collect();
    let values = steps.iter().enumerate();
    let values = values.map(|(at, &step)| skill(at, step)).collect();
    Curve::new(steps, values).unwrap()
}

fn logistic(step: f64, midpoint: f64, scale: f64) -> f64 {
    1.0 / (1.0 + (step / midpoint).powf(-1.0 / scale))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn noisy_rises_are_fitted_as_by_the_plain_twin(
        noise in proptest::collection::vec(-1.0..1.0, 3..90),
        size in prop_oneof![Just(0.0), 0.0..0.3_f64],
        midpoint in 0.05..1.2_f64,
        scale in 0.01..1.0_f64,
    ) {
        let count = noise.len();
        let last = 10.0 * count as f64;
        compare(&curve((1..=count).map(|at| 10.0 * at as f64), |at, step| {
            logistic(step, midpoint * last, scale) + size * noise[at]
        }))?;
    }

    #[test]
    fn steps_plateaus_and_noise_are_fitted_as_by_the_plain_twin(
        gaps in proptest::collection::vec(1.0..50.0, 3..60),
        levels in proptest::collection::vec(0..5_u8, 60),
    ) {
        let steps = gaps.iter().scan(0.0, |step, gap| {
            *step += gap;
            Some(*step)
        });
        compare(&curve(steps, |at, _| f64::from(levels[at]) / 4.0))?;
    }
}

#[test]
fn long_curves_are_fitted_as_by_the_plain_twin() {
    let noise = |at: usize| ((at * 7919 % 101) as f64 / 50.0 - 1.0) * 0.04;
    for count in [400, 1024, 3000] {
        let steps = (1..=count).map(|at| 6400.0 * f64::from(at) / f64::from(count));
        for scale in [0.02, 0.3] {
            let rise = |at, step| logistic(step, 2000.0, scale) + noise(at);
            compare(&curve(steps.clone(), rise)).unwrap();
        }
    }
}
