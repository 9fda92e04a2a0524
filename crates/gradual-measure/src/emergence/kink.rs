//! Where a curve bends upwards most.

use super::increments::{INTERVALS, on_grid};
use crate::curve::Curve;

/// Second differences below this are rounding.
const LEAST: f64 = 1e-12;

/// The time of the largest second difference `s(t+h) − 2 s(t) + s(t−h)`, h a hundredth of the training; the
/// first one where several are equal, `None` where none is above zero.
pub(super) fn break_time(curve: &Curve) -> Option<f64> {
    let values = on_grid(curve);
    let bend = |at: usize| values[at + 1] - 2.0 * values[at] + values[at - 1];
    let sharpest = (2..INTERVALS).fold(1, |best, at| {
        // A later one of the same size is the same bend, up to rounding.
        if bend(at) > bend(best) + LEAST {
            at
        } else {
            best
        }
    });
    (bend(sharpest) > LEAST).then(|| curve.last_step() * sharpest as f64 / INTERVALS as f64)
}
