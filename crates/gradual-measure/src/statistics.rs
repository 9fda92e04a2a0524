//! Means and intervals over seeds.

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, StudentsT};

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
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
    /// See [`Interval::bca_of_mean`].
    pub bootstrap: Option<Interval>,
}

impl Sample {
    /// The statistics of `values`; `None` of no values.
    #[must_use]
    pub fn from_values(values: &[f64]) -> Option<Self> {
        Some(Self {
            count: values.len(),
            mean: mean(values)?,
            deviation: deviation(values),
            median: median(values)?,
            interval: Interval::of_mean(values),
            bootstrap: Interval::bca_of_mean(values),
        })
    }
}
