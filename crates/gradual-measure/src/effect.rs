//! What an arm changes, over paired seeds.
//!
//! Arms are compared pair by pair: the run of an arm with the run of the baseline that has the same seed,
//! hence the same data and the same initial weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::statistics::Interval;
use crate::statistics::{deviation, mean};

/// The ratio of an arm to the baseline, over paired seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
    /// The exact interval of at least 90 %, [`Interval::sign_flip_of_mean`] of the log ratios; `None` of fewer than
    /// five pairs.
    pub sign_flip: Option<Interval>,
    /// Skewness of the log ratios, `m₃ / m₂^{3/2}` with the central moments `m_k = Σ(x − x̄)ᵏ/n`; `None` of fewer than
    /// three pairs, or without any scatter.
    pub skewness: Option<f64>,
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
        self.two_sided(distance / error)
    }

    /// The same from Student's t after Hall's cubic transformation, which allows for skewed log ratios (Hall 1992, "On
    /// the Removal of Skewness by Transformation"): with `A = (x̄ − ln ratio)/s` and the skewness γ, `√n (A + γA²/3 +
    /// γ²A³/27 + γ/(6n))`.
    ///
    /// The p-value itself where there is no skewness to allow for.
    #[must_use]
    pub fn skewed_p_value(&self, ratio: f64) -> Option<f64> {
        let plain = self.p_value(ratio)?;
        let (Some(skew), Some(error)) = (self.skewness, self.standard_error) else {
            return Some(plain);
        };
        let n = self.seeds as f64;
        let a = (self.ratio.ln() - ratio.ln()) / (error * n.sqrt());
        let moved = a + skew * a * a / 3.0 + skew * skew * a.powi(3) / 27.0 + skew / (6.0 * n);
        self.two_sided(n.sqrt() * moved.abs())
    }

    /// Whether the log ratios are visibly skewed: γ is more than two standard errors from 0, `√(6(n−2)/((n+1)(n+3)))`
    /// for a normal distribution (Fisher 1930), of which one sample in twenty looks like that.
    #[must_use]
    pub fn is_skewed(&self) -> bool {
        let n = self.seeds as f64;
        let error = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
        self.skewness.is_some_and(|skew| skew.abs() > 2.0 * error)
    }

    fn two_sided(&self, t: f64) -> Option<f64> {
        let student = StudentsT::new(0.0, 1.0, self.seeds as f64 - 1.0).ok()?;
        Some((2.0 * student.sf(t)).clamp(0.0, 1.0))
    }
}

/// `None` of fewer than three values, or when they differ by rounding alone.
fn skewness(values: &[f64]) -> Option<f64> {
    let (mean, n) = (mean(values)?, values.len() as f64);
    let moment = |power: i32| {
        values
            .iter()
            .map(|value| (value - mean).powi(power))
            .sum::<f64>()
            / n
    };
    let skewness = moment(3) / moment(2).powf(1.5);
    (values.len() > 2 && moment(2) > 1e-24 && skewness.is_finite()).then_some(skewness)
}

/// `ln(value/base)`; `None` where one of them is not positive and finite.
pub(crate) fn log_ratio(value: f64, base: f64) -> Option<f64> {
    let sound = |number: f64| number.is_finite() && number > 0.0;
    (sound(value) && sound(base)).then(|| value.ln() - base.ln())
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
        .map(|(value, base)| log_ratio(*value, *base))
        .collect::<Option<_>>()?;
    let interval = Interval::of_mean(&logs);
    let exp = |log: f64| log.exp().min(f64::MAX);
    let both = |one: Interval| Interval {
        low: exp(one.low),
        high: exp(one.high),
    };
    Some(Effect {
        ratio: exp(mean(&logs)?),
        low: interval.map(|one| exp(one.low)),
        high: interval.map(|one| exp(one.high)),
        bootstrap: Interval::bca_of_mean(&logs).map(both),
        sign_flip: Interval::sign_flip_of_mean(&logs).map(both),
        skewness: skewness(&logs),
        standard_error: deviation(&logs).map(|one| one / (logs.len() as f64).sqrt()),
        seeds: logs.len(),
    })
}
