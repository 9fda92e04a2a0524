//! The points of a curve, with running sums for those of them that are far from a midpoint.

use std::ops::Range;

/// A point of the curve, or the mean of several.
#[derive(Clone, Copy)]
pub(super) struct Point {
    /// ln t.
    pub(super) time: f64,
    pub(super) value: f64,
    /// How many points it stands for.
    pub(super) weight: f64,
}

/// Points in order of their times.
///
/// Far above and far below its midpoint a logistic curve is 1 and 0, so what the points there add to a sum of squares comes
/// from running sums, and only the points nearby need an exponential.
pub(super) struct Points {
    pub(super) points: Vec<Point>,
    /// Σ s² of the points before the i-th.
    low: Vec<f64>,
    /// Σ (1 − s)² of the points from the i-th on.
    high: Vec<f64>,
}

impl Points {
    pub(super) fn new(points: &[Point]) -> Self {
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
        Self {
            points: points.to_vec(),
            low,
            high,
        }
    }

    /// [`near`](Self::near), going on from those near an earlier midpoint.
    pub(super) fn next(&self, before: &Range<usize>, midpoint: f64, reach: f64) -> Range<usize> {
        let on = |mut at: usize, inside: &dyn Fn(f64) -> bool| {
            while self.points.get(at).is_some_and(|point| inside(point.time)) {
                at += 1;
            }
            at
        };
        let start = on(before.start, &|time| time < midpoint - reach);
        start..on(before.end.max(start), &|time| time <= midpoint + reach)
    }

    /// The points that are at most `reach` from a midpoint.
    pub(super) fn near(&self, midpoint: f64, reach: f64) -> Range<usize> {
        let start = self
            .points
            .partition_point(|point| point.time < midpoint - reach);
        let end = self
            .points
            .partition_point(|point| point.time <= midpoint + reach);
        start..end
    }

    /// The squares that all other points than those in `near` leave.
    pub(super) fn beyond(&self, near: &Range<usize>) -> f64 {
        self.low[near.start] + self.high[near.end]
    }
}
