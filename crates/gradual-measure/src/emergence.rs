//! How gradual the rise of one capability is.
//!
//! All numbers but BIG-bench's two are taken from the running median of three points of the skill curve, so that a
//! single lucky evaluation is not an emergence, be it the first or the last one ([`Curve::median3`] says what
//! happens at the ends); all from the origin (step 0, skill 0) on when the first evaluation comes later. A rise that
//! only the last evaluation shows therefore does not count yet: train or evaluate a little longer.

mod increments;
mod kink;
mod logistic;
mod rise;
mod times;

use serde::Serialize;

use crate::curve::Curve;
use increments::Increments;
pub use logistic::Logistic;
pub(crate) use times::Times;

/// The window of [`Emergence::largest_rise`], as a fraction of the training length.
const WINDOW: f64 = 0.05;

/// The window of [`Emergence::factor_rise`], as a ratio of times.
const FACTOR: f64 = 1.25;

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
    /// Largest rise of skill while the time grows by a factor of at most 1.25: free of the time scale *and*
    /// of the length of the training.
    pub factor_rise: Option<f64>,
    /// When the rise sets in: the time of the largest second difference of the curve on 100 equal
    /// intervals, so known to 1 % of the training. `None` where the curve never bends upwards. Second
    /// differences magnify noise; read it beside t10.
    pub break_time: Option<f64>,
    /// `N_eff / n = (Σz)² / (n Σz²)` of the `n = 100` increments z of the curve on equal intervals from
    /// step 0 to the last: 1 is a straight line, 1/100 a jump, and 0 noise without progress. Kish's
    /// effective sample size (Survey Sampling, 1965), taken over increments. `None` for a flat curve.
    pub effective_increments: Option<f64>,
    /// BIG-bench's linearity `I / √(mean z²)`, divided by n: from −1 to 1, and 1 is a straight line up.
    ///
    /// `I = sign(argmax s − argmin s) · (max s − min s)` (Srivastava et al. 2022, "Beyond the Imitation
    /// Game", appendix B). There the points are model sizes; here they are the n = 100 equal intervals of the training,
    /// and the division by n frees the number from n. `None` for a flat curve.
    pub linearity: Option<f64>,
    /// BIG-bench's breakthroughness `I / √(median z²)`, divided by n: 1 for a straight line, larger for a
    /// curve that lies still and then jumps, negative for a fall.
    ///
    /// A jump between two plateaus has the median 0 and the number would be infinite. √(median z²) is
    /// therefore never taken as less than 0.001, a tenth of a point of skill in a hundredth of the
    /// training, which bounds the number by 10 for skills from 0 to 1. `None` for a flat curve.
    pub breakthroughness: Option<f64>,
    /// The logistic curve in ln t that fits best, with its R².
    pub logistic: Option<Logistic>,
}

impl Emergence {
    /// Measures one capability's curve of [skill](crate::skill) against steps.
    #[must_use]
    pub fn from_curve(skill: &Curve) -> Self {
        let curve = skill.median3(0.0);
        let times = Times::of(&curve);
        let Times { t10, t50, t90 } = times;
        let increments = Increments::of(&curve);
        // The running median makes equal neighbours out of noise, and so increments of 0.
        let raw = Increments::of(&skill.from_origin(0.0));
        Self {
            t10,
            t50,
            t90,
            width: times.width(),
            relative_width: times.relative_width(),
            log_width: (t10.zip(t90))
                .and_then(|(low, high)| ratio(high, low))
                .map(f64::log2),
            largest_rise: rise::within_steps(&curve, WINDOW * curve.last_step()),
            factor_rise: rise::within_factor(&curve, FACTOR),
            break_time: kink::break_time(&curve),
            effective_increments: increments.as_ref().map(Increments::effective),
            linearity: raw.as_ref().map(Increments::linearity),
            breakthroughness: raw.as_ref().map(Increments::breakthroughness),
            logistic: Logistic::fit(&curve),
        }
    }
}

/// `numerator / denominator`, if that is a finite number and the denominator is positive.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    let ratio = numerator / denominator;
    (denominator > 0.0 && ratio.is_finite()).then_some(ratio)
}
