//! A logistic curve in the logarithm of time.

mod points;
mod refine;
mod starts;
#[cfg(test)]
mod tests;

use serde::Serialize;

use crate::curve::Curve;
use points::{Point, Points};

/// `s(t) = 1 / (1 + (t / midpoint)^(−1/scale))`: logistic in ln t, from 0 to 1.
///
/// Fitted by least squares to the points of the curve after step 0. The sum of squares has many local minima where few
/// points lie on the slope, so it is first taken over a grid that is as fine as the points ask for (scales in ratios of
/// √2, midpoints half a scale apart wherever a point could see them) and at the curves through two neighbouring
/// points. From the best of them Levenberg-Marquardt (Marquardt 1963) goes on in (ln midpoint, ln scale), and the best
/// end is the fit. Of more than 1024 points the search sees means over 1024 equal intervals of ln t, weighted by their
/// points, and the best end is refined on all points. A capability that stays at chance, or that never leaves mastery, has no such curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Logistic {
    /// The time at which the fitted curve is at 0.5, in steps.
    pub midpoint: f64,
    /// The fitted curve goes from 0.1 to 0.9 while ln t grows by `2 ln 9 · scale`: small is sudden.
    pub scale: f64,
    /// `1 − Σ(s − ŝ)² / Σ(s − s̄)²` over the points: 1 is a perfect fit, 0 no better than the mean,
    /// negative worse.
    pub r_squared: f64,
}

/// Limits of ln scale: between 1e-4 (a jump at any spacing of evaluations) and 100 (a flat line).
const SCALES: (f64, f64) = (-9.2, 4.6);
/// How far beyond the first and the last point the midpoint may lie, in ln t.
const BEYOND: f64 = 7.0;
/// Points that the search looks at: it takes several thousand evaluations of the curve for each.
const SEARCHED: usize = 1024;

/// (ln midpoint, ln scale).
type Parameters = [f64; 2];
/// The least and the greatest of each.
type Limits = [(f64, f64); 2];

impl Logistic {
    /// The fit to `curve`; `None` for fewer than three points after step 0, or when they are all equal.
    pub(crate) fn fit(curve: &Curve) -> Option<Self> {
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
        let all = Points::new(&points);
        let (error, best) = if points.len() <= SEARCHED {
            search(&all, limits)?
        } else {
            let (_, from) = search(&Points::new(&means(&points)), limits)?;
            refine::to_the_end(&all, from, limits)
        };
        let r_squared = 1.0 - error / total;
        r_squared.is_finite().then(|| Self {
            midpoint: best[0].exp(),
            scale: best[1].exp(),
            r_squared,
        })
    }
}

/// The best fit that the starts lead to, and its sum of squares.
fn search(points: &Points, limits: Limits) -> Option<(f64, Parameters)> {
    refine::best(points, starts::starts(points, limits), limits)
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
