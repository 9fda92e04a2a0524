//! The largest rise within a window of time.

use std::collections::VecDeque;

use crate::curve::Curve;

/// The maximum of `s(b) − s(a)` over `0 ≤ b − a ≤ window`; `None` for an empty window.
pub(super) fn within_steps(curve: &Curve, window: f64) -> Option<f64> {
    (window > 0.0).then(|| largest(curve, |step| step + window, |step| step - window))
}

/// The maximum of `s(b) − s(a)` over `a ≤ b ≤ factor · a`; `None` where time never grows.
pub(super) fn within_factor(curve: &Curve, factor: f64) -> Option<f64> {
    (curve.last_step() > 0.0).then(|| largest(curve, |step| step * factor, |step| step / factor))
}

/// The maximum of `s(b) − s(a)` over `a ≤ b ≤ after(a)`, at least 0; `before` is the inverse of `after`, and both
/// increase.
///
/// The curve is piecewise linear and so is `after`, hence the maximum lies where a or b is a point of the
/// curve and the other is one too, or lies a whole window away. The window moves on with a, so the points that may yet
/// be the highest in it are kept in a queue, from the highest on, and each enters and leaves it once.
fn largest(curve: &Curve, after: impl Fn(f64) -> f64, before: impl Fn(f64) -> f64) -> f64 {
    let (steps, values) = (curve.steps(), curve.values());
    let mut best: f64 = 0.0;
    let mut highest: VecDeque<usize> = VecDeque::new();
    let mut next = 0;
    for (index, (&step, &value)) in steps.iter().zip(values).enumerate() {
        let end = after(step);
        while next < steps.len() && steps[next] <= end {
            while highest
                .back()
                .is_some_and(|&last| values[last] <= values[next])
            {
                highest.pop_back();
            }
            highest.push_back(next);
            next += 1;
        }
        while highest.front().is_some_and(|&first| first < index) {
            highest.pop_front();
        }
        let highest = highest.front().map_or(value, |&first| values[first]);
        best = best
            .max(highest.max(curve.at(end)) - value)
            .max(value - curve.at(before(step)));
    }
    best
}
