//! A logistic curve in the logarithm of time.

use serde::Serialize;

use crate::Curve;

/// `s(t) = 1 / (1 + (t / midpoint)^(−1/scale))`: logistic in ln t, from 0 to 1.
///
/// Fitted by least squares to the points of the curve after step 0: the best of a grid of starts, then
/// Levenberg-Marquardt (Marquardt 1963) in (ln midpoint, ln scale). A capability that stays at chance, or
/// that never leaves mastery, has no such curve.
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
/// Starts per parameter.
const STARTS: usize = 24;
/// More refinements change nothing.
const REFINEMENTS: usize = 200;

/// (ln midpoint, ln scale).
type Parameters = [f64; 2];

impl Logistic {
    /// The fit to `curve`; `None` for fewer than three points after step 0, or when they are all equal.
    pub(crate) fn fit(curve: &Curve) -> Option<Self> {
        let points: Vec<(f64, f64)> = curve
            .steps()
            .iter()
            .zip(curve.values())
            .filter(|&(&step, _)| step > 0.0)
            .map(|(step, &value)| (step.ln(), value))
            .collect();
        if points.len() < 3 {
            return None;
        }
        let mean = points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64;
        let total: f64 = points.iter().map(|point| (point.1 - mean).powi(2)).sum();
        if total <= 1e-12 || !total.is_finite() {
            return None;
        }
        let limits = [
            (points[0].0 - BEYOND, points[points.len() - 1].0 + BEYOND),
            SCALES,
        ];
        let best = refine(&points, start(&points)?, limits);
        let r_squared = 1.0 - squares(&points, best) / total;
        r_squared.is_finite().then(|| Self {
            midpoint: best[0].exp(),
            scale: best[1].exp(),
            r_squared,
        })
    }
}

fn value(time: f64, [midpoint, scale]: Parameters) -> f64 {
    1.0 / (1.0 + (-(time - midpoint) / scale.exp()).exp())
}

fn squares(points: &[(f64, f64)], at: Parameters) -> f64 {
    let residuals = points
        .iter()
        .map(|&(time, value_there)| value_there - value(time, at));
    residuals.map(|residual| residual * residual).sum()
}

/// The best of a grid over the times of the points and scales from 0.005 to 2.
fn start(points: &[(f64, f64)]) -> Option<Parameters> {
    let between =
        |low: f64, high: f64, index: usize| low + (high - low) * index as f64 / (STARTS - 1) as f64;
    let (first, last) = (points.first()?.0, points.last()?.0);
    (0..STARTS * STARTS)
        .map(|index| {
            [
                between(first, last, index / STARTS),
                between(0.005_f64.ln(), 2.0_f64.ln(), index % STARTS),
            ]
        })
        .map(|at| (squares(points, at), at))
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|best| best.1)
}

/// Levenberg-Marquardt with the damping on the diagonal of JᵀJ, inside the limits.
fn refine(points: &[(f64, f64)], from: Parameters, limits: [(f64, f64); 2]) -> Parameters {
    let (mut at, mut damping) = (from, 1e-3);
    let mut error = squares(points, at);
    for _ in 0..REFINEMENTS {
        let (mut aa, mut ab, mut bb, mut a, mut b) = (0.0, 0.0, 0.0, 0.0, 0.0);
        let scale = at[1].exp();
        for &(time, target) in points {
            let fitted = value(time, at);
            let slope = fitted * (1.0 - fitted);
            // d/d ln midpoint and d/d ln scale.
            let [by_midpoint, by_scale] = [-slope / scale, -slope * (time - at[0]) / scale];
            let residual = target - fitted;
            aa += by_midpoint * by_midpoint;
            ab += by_midpoint * by_scale;
            bb += by_scale * by_scale;
            a += by_midpoint * residual;
            b += by_scale * residual;
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
    at
}
