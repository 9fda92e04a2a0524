//! Levenberg-Marquardt (Marquardt 1963) from several starts.

use super::points::{Point, Points};
use super::{Limits, Parameters};

/// More refinements change nothing.
const REFINEMENTS: usize = 200;
/// At this many scales from the midpoint the curve is within 5e-18 of 0 or 1, and so equal to it.
const REACH: f64 = 40.0;
/// A step that gains less than this part of the sum of squares is the last one.
const END: f64 = 1e-15;
/// The same where ends are compared, before the best is refined to [`END`].
const ROUGH: f64 = 1e-9;
/// A sum of squares below this part of the number of points is that of a curve through all of them.
const PERFECT: f64 = 1e-20;
/// Ends whose sums of squares differ by at most this part may change places by further refinement.
const CLOSE: f64 = 1e-4;
/// Ends that are this near to each other, in ln midpoint and ln scale, are one.
const SAME: f64 = 1e-3;

/// The least sum of squares that the starts lead to, and where.
pub(super) fn best(
    points: &Points,
    starts: Vec<Parameters>,
    limits: Limits,
) -> Option<(f64, Parameters)> {
    let perfect = PERFECT * points.points.len() as f64;
    let mut ends: Vec<(f64, Parameters)> = starts
        .into_iter()
        .map(|start| refine(points, start, limits, (ROUGH, perfect)))
        .collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    let most = ends.first()?.0 * (1.0 + CLOSE);
    let mut refined: Vec<Parameters> = Vec::new();
    let ends = ends.into_iter().filter(|&(error, at)| {
        let near = |other: &Parameters| (0..2).all(|which| (at[which] - other[which]).abs() < SAME);
        let new = error <= most && !refined.iter().any(near);
        if new {
            refined.push(at);
        }
        new
    });
    ends.map(|(_, at)| to_the_end(points, at, limits))
        .min_by(|a, b| a.0.total_cmp(&b.0))
}

/// The least sum of squares that one start leads to, and where.
pub(super) fn to_the_end(points: &Points, from: Parameters, limits: Limits) -> (f64, Parameters) {
    refine(points, from, limits, (END, 0.0))
}

/// The sum of squares of a curve, with JᵀJ and Jᵀr in (ln midpoint, ln scale).
struct Normal {
    error: f64,
    aa: f64,
    ab: f64,
    bb: f64,
    a: f64,
    b: f64,
}

impl Normal {
    fn at(points: &Points, [midpoint, scale]: Parameters) -> Self {
        let scale = scale.exp();
        let near = points.near(midpoint, REACH * scale);
        let mut sums = Self {
            error: points.beyond(&near),
            aa: 0.0,
            ab: 0.0,
            bb: 0.0,
            a: 0.0,
            b: 0.0,
        };
        for &Point {
            time,
            value,
            weight,
        } in &points.points[near]
        {
            let from = (time - midpoint) / scale;
            let fitted = 1.0 / (1.0 + (-from).exp());
            let slope = fitted * (1.0 - fitted);
            // d/d ln midpoint and d/d ln scale.
            let [by_midpoint, by_scale] = [-slope / scale, -slope * from];
            let residual = value - fitted;
            sums.error += weight * (residual * residual);
            sums.aa += weight * (by_midpoint * by_midpoint);
            sums.ab += weight * (by_midpoint * by_scale);
            sums.bb += weight * (by_scale * by_scale);
            sums.a += weight * (by_midpoint * residual);
            sums.b += weight * (by_scale * residual);
        }
        sums
    }
}

/// Steps with the damping on the diagonal of JᵀJ, inside the limits, until one gains no more than a part `least`, or the
/// sum of squares is no more than `perfect`.
fn refine(
    points: &Points,
    from: Parameters,
    limits: Limits,
    (least, perfect): (f64, f64),
) -> (f64, Parameters) {
    let (mut at, mut damping) = (from, 1e-3);
    let mut here = Normal::at(points, at);
    for _ in 0..REFINEMENTS {
        let da = here.aa * (1.0 + damping) + 1e-300;
        let db = here.bb * (1.0 + damping) + 1e-300;
        let determinant = da * db - here.ab * here.ab;
        let mut step = [
            (db * here.a - here.ab * here.b) / determinant,
            (da * here.b - here.ab * here.a) / determinant,
        ];
        // At a limit that it would cross, only the other parameter moves.
        let blocked = [0, 1].map(|which| {
            let (low, high) = limits[which];
            (at[which] <= low && step[which] < 0.0) || (at[which] >= high && step[which] > 0.0)
        });
        match blocked {
            [true, false] => step = [0.0, here.b / db],
            [false, true] => step = [here.a / da, 0.0],
            _ => {}
        }
        let next =
            [0, 1].map(|which| (at[which] + step[which]).clamp(limits[which].0, limits[which].1));
        let sound = step.iter().all(|part| part.is_finite());
        let there = sound.then(|| Normal::at(points, next));
        if let Some(there) = there.filter(|there| there.error < here.error) {
            let gained = here.error - there.error;
            (at, here) = (next, there);
            damping = (damping / 5.0).max(1e-12);
            if gained <= least * here.error || here.error <= perfect {
                break;
            }
        } else if damping > 1e12 {
            break;
        } else {
            damping *= 4.0;
        }
    }
    (here.error, at)
}
