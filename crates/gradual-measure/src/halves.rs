//! How well some capabilities predict the others.
//!
//! Where capabilities rise together, a few of them show how far all have come, so fewer have to be tested. Where they
//! rise one after another, each has to be tested. Everything is taken at equal mean skill, at the levels of
//! [`gap_at_equal_mean`](crate::gap_at_equal_mean), and so free of the time scale.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::across::{level_steps, variance};
use crate::curve::Curve;
use crate::error::MeasureError;
use crate::rank::spearman;

/// The half width in skill within which the mean is to be known.
const WITHIN: f64 = 0.05;
/// The half width in skill within which the lowest skill is to be known.
const WORST_WITHIN: f64 = 0.1;
/// How sure one wants to be of it.
const SURE: f64 = 0.95;
/// The standard normal quantile of 97.5 %.
const Z: f64 = 1.959_963_984_540_054;
/// Random halves that the rank correlation looks at.
const SPLITS: usize = 50;
/// Stride over the levels of mean skill for the rank correlation.
const STRIDE: usize = 8;

/// How well a part of the capabilities predicts the rest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Halves {
    /// R² of predicting the mean skill of one half by that of the other half:
    /// `1 − E(x_B − x_A)² / E(x_B − E x_B)²`, over all halves A (of ⌊n/2⌋) and levels of mean skill.
    ///
    /// 1 when all rise together; negative when the prediction is worse than the overall mean.
    pub r_squared: f64,
    /// Spearman's rank correlation of the two halves' mean skills over 50 random halves and 25 levels.
    pub rank_correlation: Option<f64>,
    /// How many capabilities, drawn at random, have to be tested to know the mean skill of all within ±5
    /// points with 95 % confidence: the least k with `z² S²/k (1 − k/n) ≤ 0.05²` (Cochran, Sampling
    /// Techniques, 1977, ch. 4), S² the variance over capabilities, averaged over the levels.
    pub needed: usize,
    /// How many capabilities, drawn at random, have to be tested so that the lowest skill among them is with 95 %
    /// confidence at most 10 points above the lowest of all: the least k for which the chance of it, averaged over the
    /// levels, is that large. At a level where m of the n capabilities are within 10 points of the lowest, k of them miss
    /// all m with the chance `C(n−m, k) / C(n, k)`.
    pub needed_for_worst: usize,
}

impl Halves {
    /// Measures curves of skill on equal steps. `None` for fewer than two capabilities, or when the mean
    /// skill never reaches 0.5.
    ///
    /// The expectation over all halves is exact: for a half of `a` of the `n` capabilities, `b = n − a`,
    /// `E(x_B − x_A)² = S² n/(ab)` and `Var x_B = S² a/(bn)` at each level, as for any sample without
    /// replacement.
    ///
    /// # Errors
    /// When there is no curve or the steps differ.
    pub fn from_curves(skills: &[Curve]) -> Result<Option<Self>, MeasureError> {
        let Some(levels) = at_levels(skills)? else {
            return Ok(None);
        };
        let n = skills.len() as f64;
        let (a, b) = sizes(skills.len());
        let (a, b) = (a as f64, b as f64);
        let count = levels.len() as f64;
        let scatter = levels.iter().map(|values| variance(values)).sum::<f64>() / count;
        let means: Vec<f64> = levels
            .iter()
            .map(|values| values.iter().sum::<f64>() / n)
            .collect();
        let middle = means.iter().sum::<f64>() / count;
        let between = means
            .iter()
            .map(|mean| (mean - middle).powi(2))
            .sum::<f64>()
            / count;
        let wrong = scatter * n / (a * b);
        let total = between + scatter * a / (b * n);
        if total <= 0.0 {
            return Ok(None);
        }
        let (left, right): (Vec<f64>, Vec<f64>) = pairs_at(&levels).into_iter().unzip();
        // The least k with Z² S² (1/k − 1/n) ≤ WITHIN².
        let needed = 1.0 / (WITHIN * WITHIN / (Z * Z * scatter) + 1.0 / n);
        Ok(Some(Self {
            r_squared: 1.0 - wrong / total,
            rank_correlation: spearman(&left, &right),
            needed: (needed - 1e-9).ceil().max(1.0) as usize,
            needed_for_worst: needed_for_worst(&levels),
        }))
    }
}

/// Mean skills (x_A, x_B) of both halves, over 50 random halves (the same ones in every call) and 25 levels
/// of mean skill; empty where [`Halves::from_curves`] gives `None`.
///
/// # Errors
/// When there is no curve or the steps differ.
pub fn half_pairs(skills: &[Curve]) -> Result<Vec<(f64, f64)>, MeasureError> {
    Ok(at_levels(skills)?.map_or_else(Vec::new, |levels| pairs_at(&levels)))
}

/// See [`Halves::needed_for_worst`].
fn needed_for_worst(levels: &[Vec<f64>]) -> usize {
    let n = levels.first().map_or(0, Vec::len);
    let near: Vec<usize> = levels
        .iter()
        .map(|values| {
            let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
            // Differences of decimal numbers are not exact.
            let near = |value: &&f64| **value <= lowest + WORST_WITHIN + 1e-9;
            values.iter().filter(near).count()
        })
        .collect();
    // The chance of each level that all tested so far are others.
    let mut missed = vec![1.0; levels.len()];
    for tested in 0..n {
        for (missed, &near) in missed.iter_mut().zip(&near) {
            *missed *= n.saturating_sub(near + tested) as f64 / (n - tested) as f64;
        }
        let miss = missed.iter().sum::<f64>() / missed.len() as f64;
        if miss <= 1.0 - SURE + 1e-12 {
            return tested + 1;
        }
    }
    n
}

fn sizes(capabilities: usize) -> (usize, usize) {
    (capabilities / 2, capabilities - capabilities / 2)
}

/// The skills at each level of mean skill that is reached.
fn at_levels(skills: &[Curve]) -> Result<Option<Vec<Vec<f64>>>, MeasureError> {
    let skills: Vec<Curve> = skills.iter().map(|curve| curve.clamp(0.0, 1.0)).collect();
    let steps = level_steps("half against half", &skills)?;
    let at = |step: f64| skills.iter().map(|curve| curve.at(step)).collect();
    Ok(steps.map(|steps| steps.into_iter().map(at).collect()))
}

fn pairs_at(levels: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let capabilities = levels.first().map_or(0, Vec::len);
    let (a, b) = sizes(capabilities);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut order: Vec<usize> = (0..capabilities).collect();
    let mut pairs = Vec::new();
    for _ in 0..SPLITS {
        order.shuffle(&mut random);
        for values in levels.iter().skip(STRIDE / 2).step_by(STRIDE) {
            let mean = |part: &[usize], size: usize| {
                part.iter().map(|&index| values[index]).sum::<f64>() / size as f64
            };
            pairs.push((mean(&order[..a], a), mean(&order[a..], b)));
        }
    }
    pairs
}
