//! How gradual the rise of one capability is.
//!
//! All numbers are taken from the running 3-point median of the skill curve, so that a single lucky
//! evaluation is not an emergence, and from the origin (step 0, skill 0) on when the first evaluation
//! comes later.

use serde::Serialize;

use crate::Curve;

/// The window of [`Emergence::largest_rise`], as a fraction of the training length.
const WINDOW: f64 = 0.05;

/// The number of equal intervals that [`Emergence::effective_increments`] looks at.
const INTERVALS: usize = 100;

/// The rise of one capability. Missing numbers are `None`, never NaN or infinite.
///
/// The levels 10, 50 and 90 % are absolute levels of skill, not fractions of the curve's own rise: a curve
/// that never learns has no rise, and its noise would otherwise emerge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Emergence {
    /// First step with skill at least 0.1.
    pub t10: Option<f64>,
    /// First step with skill at least 0.5.
    pub t50: Option<f64>,
    /// First step with skill at least 0.9.
    pub t90: Option<f64>,
    /// `t90 − t10`, in steps.
    pub width: Option<f64>,
    /// `(t90 − t10) / t50`: free of the time scale. Small is sudden.
    pub relative_width: Option<f64>,
    /// `log2(t90 / t10)`: doublings of the training length from the first sign to mastery.
    pub log_width: Option<f64>,
    /// Largest rise of skill within any window of 5 % of the training length, at least 0; near 1 is a
    /// jump, and 0.05 a straight line. Evaluations further apart than the window are interpolated and so
    /// bound what can be seen.
    pub largest_rise: Option<f64>,
    /// `N_eff / n = (Σz)² / (n Σz²)` of the `n = 100` increments z of the curve on equal intervals from
    /// step 0 to the last: 1 is a straight line, 1/100 a jump, and 0 noise without progress. Kish's
    /// effective sample size (Survey Sampling, 1965), taken over increments. `None` for a flat curve.
    pub effective_increments: Option<f64>,
}

impl Emergence {
    /// Measures one capability's curve of [skill](crate::skill) against steps.
    #[must_use]
    pub fn of(skill: &Curve) -> Self {
        let curve = skill.median3().from_origin(0.0);
        let [t10, t50, t90] = [0.1, 0.5, 0.9].map(|level| curve.first_crossing(level));
        let both = t10.zip(t90);
        Self {
            t10,
            t50,
            t90,
            width: both.map(|(low, high)| high - low),
            relative_width: both
                .zip(t50)
                .and_then(|((low, high), middle)| ratio(high - low, middle)),
            log_width: both.and_then(|(low, high)| ratio(high, low)).map(f64::log2),
            largest_rise: largest_rise(&curve, WINDOW * curve.last_step()),
            effective_increments: effective_increments(&curve),
        }
    }
}

/// `numerator / denominator`, if that is a finite number and the denominator is positive.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    let ratio = numerator / denominator;
    (denominator > 0.0 && ratio.is_finite()).then_some(ratio)
}

/// The maximum of `s(b) − s(a)` over `0 ≤ b − a ≤ window`.
///
/// The curve is piecewise linear, so the maximum lies where a or b is a point of the curve and the other
/// is one too, or lies a whole window away.
fn largest_rise(curve: &Curve, window: f64) -> Option<f64> {
    if window <= 0.0 {
        return None;
    }
    let (steps, values) = (curve.steps(), curve.values());
    let mut best: f64 = 0.0;
    for (index, (&step, &value)) in steps.iter().zip(values).enumerate() {
        let highest = steps[index..]
            .iter()
            .zip(&values[index..])
            .take_while(|&(&other, _)| other <= step + window)
            .map(|(_, &other)| other)
            .fold(curve.at(step + window), f64::max);
        best = best
            .max(highest - value)
            .max(value - curve.at(step - window));
    }
    Some(best)
}

fn effective_increments(curve: &Curve) -> Option<f64> {
    let width = curve.last_step() / INTERVALS as f64;
    let values: Vec<f64> = (0..=INTERVALS)
        .map(|index| curve.at(index as f64 * width))
        .collect();
    let increments = values.windows(2).map(|pair| pair[1] - pair[0]);
    let (sum, squares) =
        increments.fold((0.0, 0.0), |(sum, squares), z| (sum + z, squares + z * z));
    // Increments of rounding size are no movement.
    if squares <= 1e-24 {
        return None;
    }
    Some((sum * sum / (INTERVALS as f64 * squares)).clamp(0.0, 1.0))
}
