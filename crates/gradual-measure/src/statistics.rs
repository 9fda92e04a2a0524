//! Means, intervals and verdicts over seeds.
//!
//! Seeds are few (1 to 5), so intervals are Student's t-intervals, and arms are compared pair by pair: the
//! run of an arm with the run of the baseline that has the same seed, hence the same data and the same
//! initial weights.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

use crate::Direction;

/// Arithmetic mean; `None` of no values.
#[must_use]
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Sample standard deviation, `√(Σ(x − x̄)² / (n − 1))`; `None` of fewer than two values.
#[must_use]
pub fn deviation(values: &[f64]) -> Option<f64> {
    let mean = mean(values)?;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| (squares / (values.len() - 1) as f64).sqrt())
}

/// Median, the mean of the middle two for an even number of values; `None` of no values.
#[must_use]
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[half]),
        _ => Some(0.5 * (sorted[half - 1] + sorted[half])),
    }
}

/// A two-sided 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// The t-interval of the mean, `x̄ ± t₀.₉₇₅(n − 1) s/√n`; `None` of fewer than two values.
    #[must_use]
    pub fn of_mean(values: &[f64]) -> Option<Self> {
        let (mean, deviation) = (mean(values)?, deviation(values)?);
        let count = values.len() as f64;
        let t = StudentsT::new(0.0, 1.0, count - 1.0)
            .ok()?
            .inverse_cdf(0.975);
        let half = t * deviation / count.sqrt();
        Some(Self {
            low: mean - half,
            high: mean + half,
        })
    }
}

/// Statistics of one number over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// How many seeds have the number.
    pub count: usize,
    /// See [`mean`].
    pub mean: f64,
    /// See [`deviation`].
    pub deviation: Option<f64>,
    /// See [`median`].
    pub median: f64,
    /// See [`Interval::of_mean`].
    pub interval: Option<Interval>,
}

impl Sample {
    /// The statistics of `values`; `None` of no values.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        Some(Self {
            count: values.len(),
            mean: mean(values)?,
            deviation: deviation(values),
            median: median(values)?,
            interval: Interval::of_mean(values),
        })
    }
}

/// The ratio of an arm to the baseline, over paired seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Effect {
    /// Geometric mean of arm / baseline.
    pub ratio: f64,
    /// Lower end of the 95 % interval; `None` of fewer than two pairs.
    pub low: Option<f64>,
    /// Upper end of the 95 % interval; `None` of fewer than two pairs.
    pub high: Option<f64>,
    /// Number of pairs.
    pub seeds: usize,
}

/// The effect of an arm on a positive number, from the log ratios `ln(arm/baseline)` of the seeds that both
/// have: the exponential of their mean and of its t-interval.
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
        seeds: logs.len(),
    })
}

/// What the seeds say about a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The whole interval lies at or beyond the smallest effect, in the claimed direction.
    Supported,
    /// The whole interval lies short of the smallest effect.
    NotSupported,
    /// The interval holds both, or there is no interval.
    Inconclusive,
}

impl Verdict {
    /// The verdict in words.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Supported => "supported",
            Self::NotSupported => "not supported",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// Holds an effect against a claimed direction and smallest effect (a ratio arm / baseline).
///
/// For [`Direction::Lower`] and 0.8: supported when `high ≤ 0.8`, not supported when `low > 0.8`. For
/// [`Direction::Higher`] and 1.25: supported when `low ≥ 1.25`, not supported when `high < 1.25`. All else,
/// no effect and no interval too, is inconclusive.
#[must_use]
pub fn verdict(effect: Option<&Effect>, direction: Direction, smallest_effect: f64) -> Verdict {
    let Some((low, high)) = effect.and_then(|effect| effect.low.zip(effect.high)) else {
        return Verdict::Inconclusive;
    };
    let (supported, refuted) = match direction {
        Direction::Lower => (high <= smallest_effect, low > smallest_effect),
        Direction::Higher => (low >= smallest_effect, high < smallest_effect),
    };
    match (supported, refuted) {
        (true, _) => Verdict::Supported,
        (_, true) => Verdict::NotSupported,
        _ => Verdict::Inconclusive,
    }
}
