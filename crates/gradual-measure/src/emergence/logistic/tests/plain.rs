//! The fit without anything that makes it fast: every start is refined to its end, and every sum is taken anew.

use crate::curve::Curve;
use crate::emergence::Logistic;

/// Limits of ln scale: between 1e-4 (a jump at any spacing of evaluations) and 100 (a flat line).
const SCALES: (f64, f64) = (-9.2, 4.6);
/// How far beyond the first and the last point the midpoint may lie, in ln t.
const BEYOND: f64 = 7.0;
/// The least scale of the starts, in the smallest distance of two points in ln t: less is a step between them.
const FINEST: f64 = 1.0 / 16.0;
/// The largest scale of the starts: more is nearly a straight line.
const COARSEST: f64 = 4.0;
/// At this many scales from the midpoint the curve is within 6e-6 of 0 or 1.
const REACH: f64 = 12.0;
/// A midpoint further from every point, in scales, is a step between two of them, like those nearer by.
const SEEN: f64 = 6.0;
/// Starts that are refined.
const STARTS: usize = 16;
/// More refinements change nothing.
const REFINEMENTS: usize = 200;
/// Points that the search looks at: it takes several thousand evaluations of the curve for each.
const SEARCHED: usize = 1024;

/// A point of the curve, or the mean of several.
#[derive(Clone, Copy)]
struct Point {
    /// ln t.
    time: f64,
    value: f64,
    /// How many points it stands for.
    weight: f64,
}

/// (ln midpoint, ln scale).
type Parameters = [f64; 2];

/// The fit to `curve`, as [`Logistic::fit`] gives it.
pub(super) fn fit(curve: &Curve) -> Option<Logistic> {
    let points: Vec<Point> = curve
        .steps()
        .iter()
        .zip(curve.values())
        .filter(|&(&step, _)| step > 0.0)
        .map(|(step, &value)| Point {
            time: step.ln(),
            value,
            weight: 1.0,
        })
        .collect();
    if points.len() < 3 {
        return None;
    }
    let mean = points.iter().map(|point| point.value).sum::<f64>() / points.len() as f64;
    let total: f64 = points
        .iter()
        .map(|point| (point.value - mean).powi(2))
        .sum();
    if total <= 1e-12 || !total.is_finite() {
        return None;
    }
    let limits = [
        (
            points[0].time - BEYOND,
            points[points.len() - 1].time + BEYOND,
        ),
        SCALES,
    ];
    let best = if points.len() <= SEARCHED {
        search(&points, limits)?
    } else {
        let from = search(&means(&points), limits)?;
        refine(&points, from, limits).1
    };
    let r_squared = 1.0 - squares(&points, best) / total;
    r_squared.is_finite().then(|| Logistic {
        midpoint: best[0].exp(),
        scale: best[1].exp(),
        r_squared,
    })
}

/// The best fit that the starts lead to.
fn search(points: &[Point], limits: [(f64, f64); 2]) -> Option<Parameters> {
    let ends = starts(points, limits)
        .into_iter()
        .map(|start| refine(points, start, limits));
    Some(ends.min_by(|a, b| a.0.total_cmp(&b.0))?.1)
}

/// The means of the points in each of [`SEARCHED`] equal intervals of ln t that has any.
fn means(points: &[Point]) -> Vec<Point> {
    let (first, last) = (points[0].time, points[points.len() - 1].time);
    let place = |point: &Point| ((point.time - first) / (last - first) * SEARCHED as f64) as usize;
    let near = points.chunk_by(|one, other| place(one) == place(other));
    near.map(|near| {
        let count = near.len() as f64;
        Point {
            time: near.iter().map(|point| point.time).sum::<f64>() / count,
            value: near.iter().map(|point| point.value).sum::<f64>() / count,
            weight: count,
        }
    })
    .collect()
}

fn value(time: f64, [midpoint, scale]: Parameters) -> f64 {
    1.0 / (1.0 + (-(time - midpoint) / scale.exp()).exp())
}

fn squares(points: &[Point], at: Parameters) -> f64 {
    let square = |point: &Point| {
        let residual = point.value - value(point.time, at);
        point.weight * (residual * residual)
    };
    points.iter().map(square).sum()
}

/// The best of the curves through two neighbours and of the local minima over midpoints of every scale of the grid.
fn starts(points: &[Point], [midpoints, scales]: [(f64, f64); 2]) -> Vec<Parameters> {
    let inside = |number: f64, (low, high): (f64, f64)| (low..=high).contains(&number);
    let times = points.windows(2).map(|pair| pair[1].time - pair[0].time);
    let closest = times.fold(f64::INFINITY, f64::min);
    let mut scale = (closest * FINEST).max(scales.0.exp());
    let tails = Tails::of(points);
    let mut found: Vec<(f64, Parameters)> = points
        .windows(2)
        .filter_map(|pair| through(pair[0], pair[1]))
        .filter(|at| inside(at[0], midpoints) && inside(at[1], scales))
        .map(|at| (squares(points, at), at))
        .collect();
    while scale < COARSEST {
        let errors: Vec<(f64, f64)> = candidates(points, scale, midpoints)
            .into_iter()
            .map(|midpoint| (tails.squares(points, midpoint, scale), midpoint))
            .collect();
        // Where the error is least among its neighbours.
        for (index, &(error, midpoint)) in errors.iter().enumerate() {
            let lower = |other: Option<&(f64, f64)>| other.is_none_or(|other| error <= other.0);
            if lower(index.checked_sub(1).and_then(|at| errors.get(at)))
                && lower(errors.get(index + 1))
            {
                found.push((error, [midpoint, scale.ln()]));
            }
        }
        scale *= std::f64::consts::SQRT_2;
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0));
    found.truncate(STARTS);
    found.into_iter().map(|one| one.1).collect()
}

/// The curve through two points: `ln(s/(1 − s))` is a straight line in ln t. `None` where it doesn't rise from 0 to 1.
fn through(left: Point, right: Point) -> Option<Parameters> {
    let logit = |value: f64| (value / (1.0 - value)).ln();
    let scale = (right.time - left.time) / (logit(right.value) - logit(left.value));
    let sound = [left.value, right.value]
        .iter()
        .all(|&s| s > 0.0 && s < 1.0)
        && scale > 0.0
        && scale.is_finite();
    sound.then(|| [left.time - scale * logit(left.value), scale.ln()])
}

/// Midpoints half a scale apart, where at least one point is within [`SEEN`] scales.
fn candidates(points: &[Point], scale: f64, (low, high): (f64, f64)) -> Vec<f64> {
    let mut found = Vec::new();
    let mut next = low;
    for &Point { time, .. } in points {
        next = next.max(time - SEEN * scale);
        while next <= (time + SEEN * scale).min(high) {
            found.push(next);
            next += 0.5 * scale;
        }
    }
    found
}

/// Sums of the squares that a curve far above or below its midpoint leaves, so that only the points near it need a
/// logistic.
struct Tails {
    /// Σ s² of the points before the i-th.
    low: Vec<f64>,
    /// Σ (1 − s)² of the points from the i-th on.
    high: Vec<f64>,
}

impl Tails {
    fn of(points: &[Point]) -> Self {
        let sum = |sum: &mut f64, square: f64| {
            *sum += square;
            Some(*sum)
        };
        let low = std::iter::once(0.0)
            .chain(points.iter().scan(0.0, |so_far, point| {
                sum(so_far, point.weight * point.value.powi(2))
            }))
            .collect();
        let mut high: Vec<f64> = std::iter::once(0.0)
            .chain(points.iter().rev().scan(0.0, |so_far, point| {
                sum(so_far, point.weight * (1.0 - point.value).powi(2))
            }))
            .collect();
        high.reverse();
        Self { low, high }
    }

    /// [`squares`] but for points that are further than [`REACH`] scales away.
    fn squares(&self, points: &[Point], midpoint: f64, scale: f64) -> f64 {
        let first = points.partition_point(|point| point.time < midpoint - REACH * scale);
        let end = points.partition_point(|point| point.time <= midpoint + REACH * scale);
        self.low[first] + squares(&points[first..end], [midpoint, scale.ln()]) + self.high[end]
    }
}

/// Levenberg-Marquardt with the damping on the diagonal of JᵀJ, inside the limits: the least sum of squares and where.
fn refine(points: &[Point], from: Parameters, limits: [(f64, f64); 2]) -> (f64, Parameters) {
    let (mut at, mut damping) = (from, 1e-3);
    let mut error = squares(points, at);
    for _ in 0..REFINEMENTS {
        let (mut aa, mut ab, mut bb, mut a, mut b) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let scale = at[1].exp();
        for &Point {
            time,
            value: target,
            weight,
        } in points
        {
            let fitted = value(time, at);
            let slope = fitted * (1.0 - fitted);
            // d/d ln midpoint and d/d ln scale.
            let [by_midpoint, by_scale] = [-slope / scale, -slope * (time - at[0]) / scale];
            let residual = target - fitted;
            aa += weight * (by_midpoint * by_midpoint);
            ab += weight * (by_midpoint * by_scale);
            bb += weight * (by_scale * by_scale);
            a += weight * (by_midpoint * residual);
            b += weight * (by_scale * residual);
        }
        let (da, db) = (aa * (1.0 + damping) + 1e-300, bb * (1.0 + damping) + 1e-300);
        let determinant = da * db - ab * ab;
        let step = [
            (db * a - ab * b) / determinant,
            (da * b - ab * a) / determinant,
        ];
        let next =
            [0, 1].map(|which| (at[which] + step[which]).clamp(limits[which].0, limits[which].1));
        let now = squares(points, next);
        if step.iter().all(|part| part.is_finite()) && now < error {
            let gained = error - now;
            (at, error) = (next, now);
            damping = (damping / 5.0).max(1e-12);
            if gained <= 1e-15 * error {
                break;
            }
        } else if damping > 1e12 {
            break;
        } else {
            damping *= 4.0;
        }
    }
    (error, at)
}
