//! Power laws: how a number goes with the size of the model.

use std::collections::BTreeMap;

use gradual_measure::{Interval, Metric, slope, statistics};

use super::Series;
use crate::numbers::number;

/// What has an exponent: a number that every run has.
pub(super) const METRIC: Metric = Metric::FinalLoss;

/// The exponent b of y ≈ a·xᵇ over the arms of a series: the slope of ln y on ln x, seed by seed, of the seeds that have a run
/// in every arm. The mean over these seeds, and Student's 95 % interval of three and more.
fn exponent(series: &Series<'_>) -> Option<(f64, Option<Interval>)> {
    let mut seeds: BTreeMap<u64, Vec<(f64, f64)>> = BTreeMap::new();
    for (at, arm) in &series.arms {
        for run in arm.counted() {
            let value = run.summary.value(METRIC).filter(|&value| value > 0.0);
            if let Some(value) = value {
                let logs = (at.ln(), value.ln());
                seeds.entry(run.seed).or_default().push(logs);
            }
        }
    }
    let whole = seeds
        .values()
        .filter(|points| points.len() == series.arms.len());
    let slopes: Vec<f64> = whole.filter_map(|points| slope(points)).collect();
    let interval = Interval::of_mean(&slopes).filter(|_| slopes.len() > 2);
    Some((statistics::mean(&slopes)?, interval))
}

/// A sentence on the exponents of these series; empty where there are none.
pub(super) fn sentence(series: &[Series<'_>]) -> String {
    let told: Vec<String> = series
        .iter()
        .filter_map(|one| {
            let (mean, interval) = exponent(one)?;
            let interval = interval.map_or_else(String::new, |interval| {
                format!(" ({} to {})", number(interval.low), number(interval.high))
            });
            Some(format!("{}{interval} in {}", number(mean), one.name))
        })
        .collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(
            " As a power law, the {} goes with the size to the power {}{}.",
            METRIC.label(),
            told.join(", "),
            match told.iter().any(|one| one.contains('(')) {
                true => "; brackets are 95 % intervals over seeds",
                false => "",
            }
        ),
    }
}
