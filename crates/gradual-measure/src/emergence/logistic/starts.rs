//! Where the refinement of a fit starts: the least sums of squares on a grid that is as fine as the points.

use super::points::{Point, Points};
use super::{Limits, Parameters};

/// The least scale of the starts, in the smallest distance of two points in ln t: less is a step between them.
const FINEST: f64 = 1.0 / 16.0;
/// The largest scale of the starts: more is nearly a straight line.
const COARSEST: f64 = 4.0;
/// At this many scales from the midpoint the curve is within 6e-6 of 0 or 1.
const REACH: f64 = 12.0;
/// A midpoint further from every point, in scales, is a step between two of them, like those nearer by.
const SEEN: f64 = 6.0;
/// The distance of two midpoints, in scales.
const APART: f64 = 0.5;
/// Starts whose sums of squares differ by at most this part are the same curve at all points, such as steps between the
/// same two: the one with the largest scale stands for them.
const EQUAL: f64 = 1e-9;
/// Starts that are refined.
const STARTS: usize = 16;

/// The best of the curves through two neighbours and of the local minima over midpoints of every scale of the grid.
pub(super) fn starts(points: &Points, [midpoints, scales]: Limits) -> Vec<Parameters> {
    let inside = |number: f64, (low, high): (f64, f64)| (low..=high).contains(&number);
    let pairs = || points.points.windows(2);
    let times = pairs().map(|pair| pair[1].time - pair[0].time);
    let closest = times.fold(f64::INFINITY, f64::min);
    let mut scale = (closest * FINEST).max(scales.0.exp());
    let mut found: Vec<(f64, Parameters)> = pairs()
        .filter_map(|pair| through(pair[0], pair[1]))
        .filter(|at| inside(at[0], midpoints) && inside(at[1], scales))
        .map(|at| (squares(points, at), at))
        .collect();
    while scale < COARSEST {
        let errors = errors(points, scale, midpoints);
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
    found.dedup_by(|next, kept| {
        let same = next.0 - kept.0 <= EQUAL * kept.0;
        if same && next.1[1] > kept.1[1] {
            *kept = *next;
        }
        same
    });
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

/// The sum of squares of one curve.
fn squares(points: &Points, [midpoint, scale]: Parameters) -> f64 {
    let scale = scale.exp();
    let near = points.near(midpoint, REACH * scale);
    let square = |point: &Point| {
        let residual = point.value - 1.0 / (1.0 + ((midpoint - point.time) / scale).exp());
        point.weight * residual * residual
    };
    points.beyond(&near) + points.points[near].iter().map(square).sum::<f64>()
}

/// Midpoints [`APART`] in steps of one scale, from the first on.
struct Stretch {
    first: f64,
    count: usize,
}

/// Midpoints half a scale apart, where at least one point is within [`SEEN`] scales.
fn stretches(points: &[Point], scale: f64, (low, high): (f64, f64)) -> Vec<Stretch> {
    let mut found: Vec<Stretch> = Vec::new();
    let mut next = low;
    for &Point { time, .. } in points {
        let seen = time - SEEN * scale;
        if found.is_empty() || next < seen {
            next = next.max(seen);
            found.push(Stretch {
                first: next,
                count: 0,
            });
        }
        let end = (time + SEEN * scale).min(high);
        if let Some(stretch) = found.last_mut() {
            while next <= end {
                stretch.count += 1;
                next = stretch.first + stretch.count as f64 * APART * scale;
            }
        }
    }
    found
}

/// The sum of squares and the midpoint of every curve of the grid with this scale.
///
/// From one midpoint to the next, `exp((midpoint − t)/scale)` grows by the same factor for every point, so it is taken
/// once for each point that comes into reach and multiplied from there on.
fn errors(points: &Points, scale: f64, midpoints: (f64, f64)) -> Vec<(f64, f64)> {
    let growth = APART.exp();
    let mut found = Vec::new();
    let mut powers = vec![0.0; points.points.len()];
    for Stretch { first, count } in stretches(&points.points, scale, midpoints) {
        let start = points.near(first, REACH * scale).start;
        let mut known = start..start;
        for index in 0..count {
            let midpoint = first + index as f64 * APART * scale;
            let near = points.next(&known, midpoint, REACH * scale);
            let old = near.start..known.end.max(near.start);
            for power in &mut powers[old.clone()] {
                *power *= growth;
            }
            let new = old.end..near.end;
            for (power, point) in powers[new.clone()].iter_mut().zip(&points.points[new]) {
                *power = ((midpoint - point.time) / scale).exp();
            }
            let inside = by_powers(&points.points[near.clone()], &powers[near.clone()]);
            found.push((points.beyond(&near) + inside, midpoint));
            known = near;
        }
    }
    found
}

/// The sum of squares at points with these `exp((midpoint − t)/scale)`: four sums side by side, because one division
/// need not wait for another.
fn by_powers(points: &[Point], powers: &[f64]) -> f64 {
    let square = |point: &Point, power: f64| {
        let residual = point.value - 1.0 / (1.0 + power);
        point.weight * residual * residual
    };
    let (fours, rest) = points.as_chunks::<4>();
    let (powers, rest_of_powers) = powers.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (points, powers) in fours.iter().zip(powers) {
        for lane in 0..4 {
            sums[lane] += square(&points[lane], powers[lane]);
        }
    }
    let rest = rest.iter().zip(rest_of_powers);
    sums.iter().sum::<f64>()
        + rest
            .map(|(point, &power)| square(point, power))
            .sum::<f64>()
}
