//! The solvable model of multitask parity, and how well curves follow it.
//!
//! # The idea
//!
//! In the multilinear model of Nam et al. 2024 ("An exactly solvable model for emergence and scaling laws in the
//! multitask sparse parity problem", arXiv 2404.17563) each capability k is a product of two weights that starts near
//! zero, and the loss pulls on it with a weight `w_k`. Under the mean loss `w_k` is the frequency `f_k` of the capability.
//! Its strength s then follows `ds/dt = ρ w_k s (1 − s)`, so that
//!
//! ```text
//! s_k(t) = 1 / (1 + exp(θ − ρ w_k t))        t50_k = θ / (ρ w_k)        (t90 − t10) / t50 = 2 ln 9 / θ
//! ```
//!
//! for all capabilities with the same ρ (the speed) and θ (how small the strengths are at the start). Times of emergence
//! go as the inverse of the frequency, and every rise takes the same share of its own time.
//!
//! Under a sum of p-th powers of T group losses, with coefficients that sum to one, `w_k = ℓ_k^(p−1) / Σ_j ℓ_j^(p−1)`. All
//! losses begin equal, so all weights are 1/T and stay so: capabilities rise together, as under equal frequencies,
//! whatever the power.
//!
//! # The fit
//!
//! ρ and θ are fitted to the curves of all capabilities at once, by least squares: Gauss-Newton steps in `ln ρ` and `ln θ`,
//! damped as Levenberg and Marquardt do, from a start that t50 and the widths give. Where that explains less than
//! four fifths, also from the best points of a wide grid, one for each of eight θ, and the best of all counts. The cost is some 50 passes over all
//! points, and some 500 where the grid is searched.

use crate::curve::Curve;
use crate::emergence::Times;
use crate::statistics::median;

/// `2 ln 9`: a logistic curve goes from 10 to 90 % within so many units of its exponent.
const TEN_TO_NINETY: f64 = 4.394_449_154_672_439;
/// A step in ln ρ or ln θ that makes no difference.
const NONE: f64 = 1e-10;
/// Logits at the start, negated, that are tried beside what times and widths give; and how many times of half learning with each.
const THETAS: [f64; 8] = [0.1, 0.5, 2.0, 5.0, 12.0, 30.0, 100.0, 300.0];
const HALVES: u32 = 15;
/// The share of all squares up to which the first fit is taken as it is.
const WELL: f64 = 0.2;
/// The last of these times, as a multiple of the last time of any curve.
const LATE: f64 = 1e3;
/// Most steps of a fit.
const STEPS: usize = 200;

/// The model, fitted to the curves of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Solvable {
    /// ρ: the speed per step and unit of weight.
    pub speed: f64,
    /// θ: the logit of the strength at the start, negated.
    pub start: f64,
    /// `1 − Σ (s − ŝ)² / Σ (s − s̄)²` over all points of all curves: 1 where the model tells everything, negative where
    /// it is worse than a constant.
    pub r_squared: f64,
}

impl Solvable {
    /// Fits curves of skill, one for each weight.
    ///
    /// `None` where a weight is not above zero, fewer than two capabilities reach a skill of 0.5, or counts differ.
    #[must_use]
    pub fn fit(skills: &[Curve], weights: &[f64]) -> Option<Self> {
        let sound = |weight: &f64| weight.is_finite() && *weight > 0.0;
        if skills.len() != weights.len() || !weights.iter().all(sound) {
            return None;
        }
        let start = start(skills, weights)?;
        let points: Vec<(f64, f64)> = skills
            .iter()
            .zip(weights)
            .flat_map(|(curve, weight)| {
                points_of(curve).map(move |(step, skill)| (weight * step, skill))
            })
            .collect();
        let mut found = vec![fitted(&points, start)];
        let mean = points.iter().map(|point| point.1).sum::<f64>() / points.len() as f64;
        let total: f64 = points.iter().map(|point| (point.1 - mean).powi(2)).sum();
        // What follows the model has one valley.
        if found[0].1 > WELL * total {
            let wide = widely(&points).into_iter();
            found.extend(wide.map(|start| fitted(&points, start)));
        }
        let (at, error) = found.into_iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let r_squared = 1.0 - error / total;
        let [speed, start] = at.map(f64::exp);
        let sound = [r_squared, speed, start]
            .iter()
            .all(|number| number.is_finite());
        (total > 0.0 && sound).then_some(Self {
            speed,
            start,
            r_squared,
        })
    }

    /// The skill that the model gives a capability of this weight after so many steps.
    #[must_use]
    pub fn skill(&self, weight: f64, step: f64) -> f64 {
        logistic(self.speed * weight * step - self.start)
    }

    /// When such a capability is half learned, in steps.
    #[must_use]
    pub fn t50(&self, weight: f64) -> f64 {
        self.start / (self.speed * weight)
    }

    /// `(t90 − t10) / t50`, the same for all capabilities.
    #[must_use]
    pub fn relative_width(&self) -> f64 {
        TEN_TO_NINETY / self.start
    }
}

fn points_of(curve: &Curve) -> impl Iterator<Item = (f64, f64)> {
    curve
        .steps()
        .iter()
        .copied()
        .zip(curve.values().iter().copied())
}

/// ln ρ and ln θ such that the median width and the median time are right.
fn start(skills: &[Curve], weights: &[f64]) -> Option<[f64; 2]> {
    let rises: Vec<Times> = skills.iter().map(Times::of).collect();
    let times = rises.iter().zip(weights);
    let times: Vec<f64> = times
        .filter_map(|(rise, weight)| Some(rise.t50? * weight))
        .collect();
    if times.len() < 2 {
        return None;
    }
    let widths: Vec<f64> = rises.iter().filter_map(Times::relative_width).collect();
    let width = median(&widths).filter(|&width| width > 0.0).unwrap_or(1.0);
    let theta = TEN_TO_NINETY / width;
    let time = median(&times).filter(|&time| time > 0.0)?;
    Some([(theta / time).ln(), theta.ln()])
}

fn logistic(exponent: f64) -> f64 {
    1.0 / (1.0 + (-exponent).exp())
}

/// The sum of squared errors at ln ρ and ln θ.
fn squares(points: &[(f64, f64)], at: [f64; 2]) -> f64 {
    let [speed, start] = at.map(f64::exp);
    let error = |&(time, skill): &(f64, f64)| (skill - logistic(speed * time - start)).powi(2);
    points.iter().map(error).sum()
}

/// The best that is found from a start, and its squared error.
fn fitted(points: &[(f64, f64)], start: [f64; 2]) -> ([f64; 2], f64) {
    let (mut at, mut error) = (start, squares(points, start));
    let mut damping = 1e-3;
    for _ in 0..STEPS {
        let next = step(points, at, damping);
        let less = squares(points, next);
        if less < error {
            let done = error - less <= 1e-12 * error;
            (at, error) = (next, less);
            damping = (damping * 0.3).max(1e-12);
            if done {
                break;
            }
        } else {
            // No step that can be told from none is better: this is the best there is.
            let moved = at
                .iter()
                .zip(next)
                .any(|(at, next)| (at - next).abs() > NONE);
            if !moved {
                break;
            }
            damping *= 4.0;
        }
    }
    (at, error)
}

/// Of a wide grid of ln ρ and ln θ the point with the least error for each θ, to start from once more: where capabilities do not follow
/// the model there are several valleys.
fn widely(points: &[(f64, f64)]) -> Vec<[f64; 2]> {
    let times = || {
        points
            .iter()
            .map(|point| point.0)
            .filter(|time| *time > 0.0)
    };
    let (least, most) = (
        times().fold(f64::INFINITY, f64::min),
        times().fold(0.0, f64::max),
    );
    let spread = (most / least).ln();
    let best = THETAS.iter().filter_map(|theta: &f64| {
        // Half learned from before the first time of any to long after the last.
        let grid = (0..=HALVES).map(|at| {
            let share = f64::from(at) / f64::from(HALVES);
            let half = least.ln() + share * (spread + LATE.ln());
            [theta.ln() - half, theta.ln()]
        });
        let errors = grid.map(|at| (at, squares(points, at)));
        let best = errors.min_by(|a, b| a.1.total_cmp(&b.1))?;
        best.1.is_finite().then_some(best.0)
    });
    best.collect()
}

/// One damped Gauss-Newton step.
fn step(points: &[(f64, f64)], at: [f64; 2], damping: f64) -> [f64; 2] {
    let [speed, start] = at.map(f64::exp);
    let (mut aa, mut ab, mut bb, mut a, mut b) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for &(time, skill) in points {
        let strength = logistic(speed * time - start);
        let slope = strength * (1.0 - strength);
        // Derivatives by ln ρ and ln θ.
        let (by_speed, by_start) = (slope * speed * time, -slope * start);
        let error = skill - strength;
        aa += by_speed * by_speed;
        ab += by_speed * by_start;
        bb += by_start * by_start;
        a += by_speed * error;
        b += by_start * error;
    }
    let (aa, bb) = (aa * (1.0 + damping) + 1e-300, bb * (1.0 + damping) + 1e-300);
    let determinant = aa * bb - ab * ab;
    if determinant.is_normal() {
        [
            at[0] + (a * bb - b * ab) / determinant,
            at[1] + (b * aa - a * ab) / determinant,
        ]
    } else {
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Curves of the model itself, every ten steps.
    fn curves(model: &Solvable, weights: &[f64]) -> Vec<Curve> {
        let steps: Vec<f64> = (0..=400).map(|index| f64::from(index) * 10.0).collect();
        let one = |weight: &f64| {
            let skills = steps
                .iter()
                .map(|&step| model.skill(*weight, step))
                .collect();
            Curve::new(steps.clone(), skills).unwrap()
        };
        weights.iter().map(one).collect()
    }

    const WEIGHTS: [f64; 4] = [0.4, 0.3, 0.2, 0.1];

    #[test]
    fn the_models_own_curves_give_its_parameters_back() {
        for (speed, start) in [(0.05, 7.0), (0.02, 3.0), (0.3, 20.0)] {
            let model = Solvable {
                speed,
                start,
                r_squared: 1.0,
            };
            let fitted = Solvable::fit(&curves(&model, &WEIGHTS), &WEIGHTS).unwrap();
            assert!((fitted.speed / speed - 1.0).abs() < 1e-6, "{fitted:?}");
            assert!((fitted.start / start - 1.0).abs() < 1e-6, "{fitted:?}");
            assert!(fitted.r_squared > 1.0 - 1e-9);
            assert!((fitted.skill(0.2, fitted.t50(0.2)) - 0.5).abs() < 1e-9);
        }
    }

    #[test]
    fn the_width_is_that_of_its_curves_whatever_the_weight() {
        let model = Solvable {
            speed: 0.05,
            start: 9.0,
            r_squared: 1.0,
        };
        for curve in curves(&model, &WEIGHTS) {
            let width = Times::of(&curve).relative_width().unwrap();
            assert!((width - model.relative_width()).abs() < 0.02, "{width}");
        }
    }

    #[test]
    fn wrong_weights_fit_worse() {
        let model = Solvable {
            speed: 0.05,
            start: 9.0,
            r_squared: 1.0,
        };
        let skills = curves(&model, &WEIGHTS);
        let right = Solvable::fit(&skills, &WEIGHTS).unwrap();
        let equal = Solvable::fit(&skills, &[0.25; 4]).unwrap();
        assert!(equal.r_squared < right.r_squared - 0.05, "{equal:?}");
        // A fit is no worse than its neighbours.
        let flat: Vec<(f64, f64)> = skills
            .iter()
            .flat_map(points_of)
            .map(|(t, s)| (0.25 * t, s))
            .collect();
        let best = [equal.speed.ln(), equal.start.ln()];
        for (by_speed, by_start) in [(0.01, 0.0), (-0.01, 0.0), (0.0, 0.01), (0.0, -0.01)] {
            assert!(
                squares(&flat, [best[0] + by_speed, best[1] + by_start]) >= squares(&flat, best)
            );
        }
    }

    /// Capabilities that do not follow their frequencies: from t50 and widths alone the fit was worse than a constant.
    #[test]
    fn a_fit_is_no_worse_than_a_constant() {
        let steps: Vec<f64> = (0..=20).map(|index| f64::from(index) * 50.0).collect();
        let one = |middle: f64| {
            let skill = |t: &f64| (1e4 / (1.0 + ((middle - t) / 30.0).exp())).round() / 1e4;
            Curve::new(steps.clone(), steps.iter().map(skill).collect()).unwrap()
        };
        let curves = [900.0, 400.0, 500.0].map(one);
        let fitted = Solvable::fit(&curves, &[0.8, 0.15, 0.05]).unwrap();
        assert!(fitted.r_squared > -0.01, "{fitted:?}");
        let equal = Solvable::fit(&curves, &[1.0 / 3.0; 3]).unwrap();
        assert!(equal.r_squared > 0.5, "{equal:?}");
    }

    /// Against all points of a fine grid, for curves that do not follow the model.
    #[test]
    fn a_fit_is_the_best_there_is() {
        let steps: Vec<f64> = (0..=14).map(|index| f64::from(index) * 70.0).collect();
        let mut state = 7u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1u64 << 31) as f64
        };
        for set in 0..60 {
            let curves: Vec<Curve> = (0..3)
                .map(|_| {
                    let (middle, width) = (50.0 + 900.0 * random(), 5.0 + 150.0 * random());
                    let skill = |t: &f64| 1.0 / (1.0 + ((middle - t) / width).exp());
                    Curve::new(steps.clone(), steps.iter().map(skill).collect()).unwrap()
                })
                .collect();
            let weights = [0.8, 0.15, 0.05];
            let Some(fitted) = Solvable::fit(&curves, &weights) else {
                continue;
            };
            let points: Vec<(f64, f64)> = curves
                .iter()
                .zip(weights)
                .flat_map(|(curve, weight)| points_of(curve).map(move |(t, s)| (weight * t, s)))
                .collect();
            let ours = squares(&points, [fitted.speed.ln(), fitted.start.ln()]);
            let mut best = f64::INFINITY;
            for theta in 0..60 {
                for half in 0..80 {
                    let theta = -3.0 + 0.15 * f64::from(theta);
                    let half = 0.0 + 0.12 * f64::from(half);
                    best = best.min(squares(&points, [theta - half, theta]));
                }
            }
            assert!(ours <= best * 1.001 + 1e-9, "{set}: {ours} for {best}");
        }
    }

    #[test]
    fn what_can_not_be_fitted() {
        let model = Solvable {
            speed: 0.05,
            start: 9.0,
            r_squared: 1.0,
        };
        let skills = curves(&model, &WEIGHTS);
        assert_eq!(Solvable::fit(&skills, &[0.4, 0.3, 0.3, 0.0]), None);
        assert_eq!(Solvable::fit(&skills, &WEIGHTS[..3]), None);
        let flat = Curve::new(vec![0.0, 1.0, 2.0], vec![0.0, 0.1, 0.0]).unwrap();
        assert_eq!(Solvable::fit(&[flat.clone(), flat], &[0.5, 0.5]), None);
    }
}
