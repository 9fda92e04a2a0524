//! What part of one arm's effect another arm has.
//!
//! Groups that were found stand in for groups that are known. How much of what the known groups do they do, too? With the
//! log ratios of both arms to the baseline, seed by seed, the answer is the ratio of their means: 0 for an arm that does
//! nothing, 1 for one that does the same. Its interval is Fieller's, which knows that the denominator was measured, too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::effect::log_ratio;
use crate::statistics::{Interval, mean};

/// The part that an arm has of the effect of a reference arm, over seeds that both and the baseline have.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// Mean log ratio of the arm to the baseline over that of the reference.
    pub share: f64,
    /// The 95 % interval; `None` of fewer than two seeds, and where the reference may have no effect, so that any share may be.
    pub interval: Option<Interval>,
    /// Number of seeds.
    pub seeds: usize,
}

impl Share {
    /// Whether several seeds leave it open whether the reference has any effect, so that any share may be.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        self.interval.is_none() && self.seeds > 1
    }
}

/// The part that `arm` has of the effect of `reference` on a positive number: `x̄ / ȳ` with `xₛ = ln(armₛ/baselineₛ)` and
/// `yₛ = ln(referenceₛ/baselineₛ)` of the seeds s that all three have.
///
/// The interval holds every ρ that Student's t-test of `xₛ − ρ yₛ` against 0 does not refuse at 5 % (Fieller 1954, "Some
/// Problems in Interval Estimation"). It is finite when the same test refuses that ȳ is 0.
///
/// The maps go from seed to number. `None` when no seed is in all, a number of such a seed is not positive and finite, or
/// ȳ is 0.
#[must_use]
pub fn share(
    arm: &BTreeMap<u64, f64>,
    reference: &BTreeMap<u64, f64>,
    baseline: &BTreeMap<u64, f64>,
) -> Option<Share> {
    let both = arm.iter().filter_map(|(seed, &arm)| {
        let (&reference, &base) = (reference.get(seed)?, baseline.get(seed)?);
        Some(log_ratio(arm, base).zip(log_ratio(reference, base)))
    });
    let (x, y): (Vec<f64>, Vec<f64>) = both.collect::<Option<Vec<_>>>()?.into_iter().unzip();
    let (mean_x, mean_y) = (mean(&x)?, mean(&y)?);
    if mean_y.abs() < 1e-12 {
        return None;
    }
    Some(Share {
        share: mean_x / mean_y,
        interval: fieller(&x, &y),
        seeds: x.len(),
    })
}

/// Fieller's 95 % interval of the ratio of the means of pairs; `None` of fewer than two, or where it has no end.
fn fieller(x: &[f64], y: &[f64]) -> Option<Interval> {
    let n = x.len() as f64;
    let (mean_x, mean_y) = (mean(x)?, mean(y)?);
    let student = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    // Of the means: squared t times their covariances.
    let scale = student.inverse_cdf(0.975).powi(2) / (n * (n - 1.0));
    let covariance = |a: &[f64], of_a: f64, b: &[f64], of_b: f64| {
        let products = a.iter().zip(b).map(|(a, b)| (a - of_a) * (b - of_b));
        scale * products.sum::<f64>()
    };
    // (x̄ − ρ ȳ)² = t² (s_xx − 2 ρ s_xy + ρ² s_yy), as a ρ² − 2 b ρ + c = 0.
    let a = mean_y * mean_y - covariance(y, mean_y, y, mean_y);
    let b = mean_x * mean_y - covariance(x, mean_x, y, mean_y);
    let c = mean_x * mean_x - covariance(x, mean_x, x, mean_x);
    if a <= 1e-12 * mean_y * mean_y {
        return None;
    }
    // Rounding may take a square of 0 below it.
    let root = (b * b - a * c).max(0.0).sqrt();
    Some(Interval {
        low: (b - root) / a,
        high: (b + root) / a,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use statrs::distribution::Normal;

    use super::*;
    use crate::paired_ratio;
    use crate::statistics::deviation;

    fn by_seed(values: &[f64]) -> BTreeMap<u64, f64> {
        (0..).zip(values.iter().copied()).collect()
    }

    #[test]
    fn an_arm_has_none_half_or_all_of_an_effect() {
        let baseline = by_seed(&[10.0, 8.0, 12.0, 9.0, 11.0]);
        let reference = by_seed(&[2.4, 2.1, 2.9, 2.3, 2.7]);
        let half: Vec<f64> = (0..5)
            .map(|seed| (baseline[&seed] * reference[&seed]).sqrt())
            .collect();
        let of = |arm: &BTreeMap<u64, f64>| share(arm, &reference, &baseline).unwrap();
        assert_eq!(of(&baseline).share, 0.0);
        assert!((of(&by_seed(&half)).share - 0.5).abs() < 1e-12);
        let all = of(&reference);
        assert!((all.share - 1.0).abs() < 1e-12);
        let interval = all.interval.unwrap();
        assert!((interval.low - 1.0).abs() < 1e-6 && (interval.high - 1.0).abs() < 1e-6);
        assert_eq!(all.seeds, 5);
        assert!(!all.is_unclear());
    }

    #[test]
    fn what_a_reference_without_effect_shares_is_not_known() {
        let baseline = by_seed(&[1.0, 2.0, 3.0]);
        // Up and down, so that its mean may well be 0.
        let reference = by_seed(&[1.3, 1.6, 3.2]);
        let arm = by_seed(&[0.5, 1.0, 1.5]);
        let unclear = share(&arm, &reference, &baseline).unwrap();
        assert_eq!(unclear.interval, None);
        assert!(unclear.is_unclear());
        assert_eq!(share(&arm, &baseline, &baseline), None);
        // One seed gives no interval; none, and what is not positive, no share.
        let one = share(&by_seed(&[0.5]), &by_seed(&[0.25]), &by_seed(&[1.0])).unwrap();
        assert_eq!((one.share, one.interval, one.seeds), (0.5, None, 1));
        assert!(!one.is_unclear());
        assert_eq!(share(&by_seed(&[]), &reference, &baseline), None);
        assert_eq!(
            share(&by_seed(&[0.5, 0.0, 1.0]), &reference, &baseline),
            None
        );
    }

    #[test]
    fn nineteen_of_twenty_intervals_hold_the_share() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let noise = Normal::new(0.0, 0.3).unwrap();
        let mut held = 0;
        const SAMPLES: usize = 4_000;
        for _ in 0..SAMPLES {
            let mut number = |log: f64| -> Vec<f64> {
                let logs = (0..5).map(|_| log + noise.inverse_cdf(random.random_range(1e-12..1.0)));
                logs.map(f64::exp).collect()
            };
            let (arm, reference) = (number(-0.9), number(-1.5));
            let baseline = vec![1.0; 5];
            let found = share(&by_seed(&arm), &by_seed(&reference), &by_seed(&baseline)).unwrap();
            // Without an end it holds every share.
            held += usize::from(
                found
                    .interval
                    .is_none_or(|one| one.low <= 0.6 && 0.6 <= one.high),
            );
        }
        let share = held as f64 / SAMPLES as f64;
        assert!((share - 0.95).abs() < 0.011, "{share}");
    }

    proptest! {
        /// The plain way: at an end of the interval the t-test says 5 %, inside it more, and outside less.
        #[test]
        fn ends_are_where_the_test_says_five_percent(
            logs in prop::collection::vec((-2.0..2.0_f64, 0.2..3.0_f64), 3..8)
        ) {
            let of = |log: &dyn Fn(&(f64, f64)) -> f64| {
                by_seed(&logs.iter().map(|one| log(one).exp()).collect::<Vec<_>>())
            };
            let (arm, reference) = (of(&|one| one.0), of(&|one| one.1));
            let baseline = of(&|_| 0.0);
            let found = share(&arm, &reference, &baseline).unwrap();
            // Student's t-test of the mean of what is left against 0.
            let p = |share: f64| {
                let rest: Vec<f64> = logs.iter().map(|one| one.0 - share * one.1).collect();
                let error = deviation(&rest).unwrap() / (rest.len() as f64).sqrt();
                let student = StudentsT::new(0.0, 1.0, rest.len() as f64 - 1.0).unwrap();
                2.0 * student.sf(mean(&rest).unwrap().abs() / error)
            };
            match found.interval {
                None => prop_assert!(paired_ratio(&reference, &baseline).unwrap().p_value(1.0).unwrap() > 0.0499),
                Some(Interval { low, high }) => {
                    prop_assert!(low <= found.share && found.share <= high);
                    prop_assume!(high - low > 1e-6);
                    prop_assert!((p(low) - 0.05).abs() < 1e-5, "{}", p(low));
                    prop_assert!((p(high) - 0.05).abs() < 1e-5, "{}", p(high));
                    let width = high - low;
                    prop_assert!(p(low + 0.1 * width) > 0.05 && p(high + 0.1 * width) < 0.05);
                }
            }
        }
    }
}
