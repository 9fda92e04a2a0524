//! The largest rise within a window of time.

use crate::curve::Curve;

/// The maximum of `s(b) − s(a)` over `0 ≤ b − a ≤ window`; `None` for an empty window.
pub(super) fn within_steps(curve: &Curve, window: f64) -> Option<f64> {
    (window > 0.0).then(|| largest(curve, |step| step + window, |step| step - window))
}

/// The maximum of `s(b) − s(a)` over `a ≤ b ≤ factor · a`; `None` where time never grows.
pub(super) fn within_factor(curve: &Curve, factor: f64) -> Option<f64> {
    (curve.last_step() > 0.0).then(|| largest(curve, |step| step * factor, |step| step / factor))
}

/// The maximum of `s(b) − s(a)` over `a ≤ b ≤ after(a)`, at least 0; `before` is the inverse of `after`.
///
/// The curve is piecewise linear and so is `after`, hence the maximum lies where a or b is a point of the
/// curve and the other is one too, or lies a whole window away.
fn largest(curve: &Curve, after: impl Fn(f64) -> f64, before: impl Fn(f64) -> f64) -> f64 {
    let (steps, values) = (curve.steps(), curve.values());
    let mut best: f64 = 0.0;
    for (index, (&step, &value)) in steps.iter().zip(values).enumerate() {
        let end = after(step);
        let highest = steps[index..]
            .iter()
            .zip(&values[index..])
            .take_while(|&(&other, _)| other <= end)
            .map(|(_, &other)| other)
            .fold(curve.at(end), f64::max);
        best = best
            .max(highest - value)
            .max(value - curve.at(before(step)));
    }
    best
}
