//! What an arm changes, over paired seeds.
//!
//! Arms are compared pair by pair: the run of an arm with the run of the baseline that has the same seed,
//! hence the same data and the same initial weights.

use std::collections::BTreeMap;

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::Interval;
use crate::statistics::{deviation, mean};

/// The ratio of an arm to the baseline, over paired seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Geometric mean of arm / baseline.
    pub ratio: f64,
    /// Lower end of the 95 % t-interval; `None` of fewer than two pairs.
    pub low: Option<f64>,
    /// Upper end of the 95 % t-interval; `None` of fewer than two pairs.
    pub high: Option<f64>,
    /// The 95 % bootstrap interval, [`Interval::bca_of_mean`] of the log ratios; `None` of fewer than two
    /// pairs.
    pub bootstrap: Option<Interval>,
    /// Standard error of the mean log ratio; `None` of fewer than two pairs.
    pub standard_error: Option<f64>,
    /// Number of pairs.
    pub seeds: usize,
}

impl Effect {
    /// The two-sided p-value of Student's t-test that the true ratio is `ratio`, from the log ratios.
    ///
    /// `None` of fewer than two pairs, or when `ratio` is not positive. Without any scatter it is 1 for the
    /// ratio itself and 0 for every other.
    #[must_use]
    pub fn p_value(&self, ratio: f64) -> Option<f64> {
        let error = self.standard_error?;
        let distance = (self.ratio.ln() - ratio.ln()).abs();
        if !distance.is_finite() {
            return None;
        }
        if error <= 1e-12 {
            return Some(if distance <= 1e-9 { 1.0 } else { 0.0 });
        }
        let student = StudentsT::new(0.0, 1.0, self.seeds as f64 - 1.0).ok()?;
        Some((2.0 * student.sf(distance / error)).clamp(0.0, 1.0))
    }
}

/// The effect of an arm on a positive number, from the log ratios `ln(arm/baseline)` of the seeds that both
/// have: the exponential of their mean and of its intervals.
///
/// The maps go from seed to number. `None` when no seed is in both, or a number of a pair is not positive
/// and finite.
#[must_use]
pub fn paired_ratio(arm: &BTreeMap<u64, f64>, baseline: &BTreeMap<u64, f64>) -> Option<Effect> {
    let logs: Vec<f64> = arm
        .iter()
        .filter_map(|(seed, value)| Some((value, baseline.get(seed)?)))
        .map(|(value, base)| {
            let sound = |number: f64| number.is_finite() && number > 0.0;
            (sound(*value) && sound(*base)).then(|| value.ln() - base.ln())
        })
        .collect::<Option<_>>()?;
    let interval = Interval::of_mean(&logs);
    let exp = |log: f64| log.exp().min(f64::MAX);
    Some(Effect {
        ratio: exp(mean(&logs)?),
        low: interval.map(|one| exp(one.low)),
        high: interval.map(|one| exp(one.high)),
        bootstrap: Interval::bca_of_mean(&logs).map(|one| Interval {
            low: exp(one.low),
            high: exp(one.high),
        }),
        standard_error: deviation(&logs).map(|one| one / (logs.len() as f64).sqrt()),
        seeds: logs.len(),
    })
}
