//! How closely together several capabilities rise, and how many steps that takes.
//!
//! Numbers "at equal mean skill" look at the same levels of mean skill in every run: a slower run is then
//! neither more nor less together.

use serde::Serialize;

use crate::curve::Curve;
use crate::curve::equal_steps;
use crate::emergence::Emergence;
use crate::emergence::ratio;
use crate::error::MeasureError;

/// How far apart in time the capabilities emerge: the largest over the smallest t50.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// max t50 / min t50, at least 1; only if every capability reaches a skill of 0.5.
    pub ratio: Option<f64>,
    /// Capabilities that reach a skill of 0.5.
    pub reached: usize,
    /// All capabilities.
    pub of: usize,
    /// Last step / min t50, when some reach a skill of 0.5 and some never do: the ratio is at least this
    /// (a censored observation).
    pub at_least: Option<f64>,
}

impl Spread {
    /// The spread of capabilities that were watched until `last_step`. A single one has no ratio.
    #[must_use]
    pub fn from_emergences(emergences: &[Emergence], last_step: f64) -> Self {
        let times: Vec<f64> = emergences.iter().filter_map(|one| one.t50).collect();
        let (reached, of) = (times.len(), emergences.len());
        let first = times.iter().copied().fold(f64::INFINITY, f64::min);
        let last = times.iter().copied().fold(0.0, f64::max);
        let several = of > 1;
        let all = several && reached == of;
        Self {
            ratio: all.then(|| ratio(last, first)).flatten(),
            reached,
            of,
            at_least: (several && !all && reached > 0)
                .then(|| ratio(last_step, first))
                .flatten(),
        }
    }
}

/// The number of levels of mean skill that [`gap_at_equal_mean`] looks at.
const LEVELS: usize = 200;

/// The mean absolute pairwise difference of skill, at equal mean skill.
///
/// With `m(t)` the mean skill over the `n` capabilities and
/// `d(t) = 2/(n(n−1)) Σ_{i<j} |s_i(t) − s_j(t)|`, this is the mean of `d` over the levels of mean skill,
/// `∫₀¹ d(t(m)) dm`, where `t(m)` is the first step at which the running maximum of the mean passes m:
/// the levels are `(k + ½)/200`, and those that are never reached are left out. It does not change when
/// time is stretched, so a slower arm is not a more gradual one. Equal curves give 0, capabilities that
/// rise one after the other `(n+1)/(3n)`, and 1 is the upper bound.
///
/// Skills are first clamped to 0 to 1: below chance they are the noise of a finite evaluation, and two capabilities
/// that are not learned yet are not apart.
///
/// `None` for fewer than two capabilities, or when the mean skill never reaches 0.5.
///
/// # Errors
/// When there is no curve or the steps differ.
pub fn gap_at_equal_mean(skills: &[Curve]) -> Result<Option<f64>, MeasureError> {
    let skills: Vec<Curve> = skills.iter().map(|curve| curve.clamp(0.0, 1.0)).collect();
    let Some(steps) = level_steps("gap at equal mean skill", &skills)? else {
        return Ok(None);
    };
    let gap = |&step: &f64| mean_difference(skills.iter().map(|curve| curve.at(step)).collect());
    Ok(Some(
        steps.iter().map(gap).sum::<f64>() / steps.len() as f64,
    ))
}

/// The Gini coefficient of the losses of the capabilities, `Σ_ij |ℓ_i − ℓ_j| / (2 n² ℓ̄)`, averaged over the
/// levels of mean skill of [`gap_at_equal_mean`]: 0 when all have the same loss, (n−1)/n when one has it all.
///
/// `None` where the gap is, and when a loss is negative or all are 0 at every level.
///
/// # Errors
/// When there is no curve, the steps differ, or there are not as many losses as skills.
pub fn gini_at_equal_mean(losses: &[Curve], skills: &[Curve]) -> Result<Option<f64>, MeasureError> {
    const OPERATION: &str = "Gini coefficient of the losses";
    equal_steps(OPERATION, losses)?;
    if losses.len() != skills.len() {
        return Err(MeasureError::Counts {
            operation: OPERATION,
            losses: losses.len(),
            skills: skills.len(),
        });
    }
    let skills: Vec<Curve> = skills.iter().map(|curve| curve.clamp(0.0, 1.0)).collect();
    let steps = level_steps(OPERATION, &skills)?.unwrap_or_default();
    let ginis: Vec<f64> = steps
        .iter()
        .filter_map(|&step| gini(&losses.iter().map(|loss| loss.at(step)).collect::<Vec<_>>()))
        .collect();
    Ok(crate::statistics::mean(&ginis))
}

/// The Gini coefficient (Gini 1912), `Σ_ij |x_i − x_j| / (2 n² x̄)`, from 0 to (n−1)/n.
///
/// `None` of no values, of a negative or infinite one, or when all are 0.
#[must_use]
pub fn gini(values: &[f64]) -> Option<f64> {
    let sum: f64 = values.iter().sum();
    let sound = values.iter().all(|&value| value >= 0.0) && sum > 0.0 && sum.is_finite();
    if !sound {
        return None;
    }
    let n = values.len() as f64;
    if values.len() < 2 {
        return Some(0.0);
    }
    // A mean over pairs i < j, turned into one over all n² pairs.
    let difference = mean_difference(values.to_vec()) * (n - 1.0) / n;
    Some((difference / (2.0 * sum / n)).clamp(0.0, 1.0))
}

/// The steps at which the mean of curves of skill first passes each level `(k + ½)/200` that it passes.
///
/// `None` for fewer than two curves, or when the mean never reaches 0.5.
pub(crate) fn level_steps(
    operation: &'static str,
    skills: &[Curve],
) -> Result<Option<Vec<f64>>, MeasureError> {
    equal_steps(operation, skills)?;
    let mean = Curve::mean(skills)?;
    if skills.len() < 2 || mean.first_crossing(0.5).is_none() {
        return Ok(None);
    }
    let levels = (0..LEVELS).map(|index| (index as f64 + 0.5) / LEVELS as f64);
    Ok(Some(mean.first_crossings(levels)))
}

/// Sample variance, with n − 1; 0 of one value.
pub(crate) fn variance(values: &[f64]) -> f64 {
    crate::statistics::deviation(values).map_or(0.0, |deviation| deviation * deviation)
}

/// Mean of |a − b| over all pairs: in sorted order the step from the k-th of n values to the next is crossed
/// by k (n − k) pairs. Exactly 0 for equal values.
fn mean_difference(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    let sum: f64 = values
        .windows(2)
        .zip(1..)
        .map(|(pair, k)| (pair[1] - pair[0]) * (k * (n - k)) as f64)
        .sum();
    2.0 * sum / (n * (n - 1)) as f64
}

/// The first step at which the mean over capabilities of the accuracy is at least `level`.
///
/// # Errors
/// When there is no curve or the steps differ.
pub fn steps_to(accuracies: &[Curve], level: f64) -> Result<Option<f64>, MeasureError> {
    equal_steps("steps to a mean accuracy", accuracies)?;
    Ok(Curve::mean(accuracies)?.first_crossing(level))
}

/// The first step at which every capability has an accuracy of at least `level` at once.
///
/// # Errors
/// When there is no curve or the steps differ.
pub fn steps_to_worst(accuracies: &[Curve], level: f64) -> Result<Option<f64>, MeasureError> {
    equal_steps("steps to a worst accuracy", accuracies)?;
    Ok(Curve::lowest(accuracies)?.first_crossing(level))
}
