//! Bootstrap intervals of a mean.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, Normal};

use crate::statistics::Interval;

/// Up to this many values the bootstrap is exact: all samples are counted, `C(2n − 1, n)` ≤ 92 378 of them.
const EXACT: usize = 10;
/// Samples drawn for more values than that.
const DRAWN: usize = 20_000;
/// The ends of a 95 % interval.
const LEVELS: [f64; 2] = [0.025, 0.975];

impl Interval {
    /// The bias-corrected and accelerated bootstrap interval of the mean (BCa; Efron 1987, "Better Bootstrap
    /// Confidence Intervals"; Efron & Tibshirani 1993, eq. 14.9 to 14.15); `None` of fewer than two values,
    /// or when one is not finite.
    ///
    /// With `z₀ = Φ⁻¹(P(θ* < θ̂) + ½ P(θ* = θ̂))` over the resampled means θ*, the acceleration
    /// `a = Σ(θ̄ − θ₍ᵢ₎)³ / (6 (Σ(θ̄ − θ₍ᵢ₎)²)^{3/2})` over the means without one value, and z the normal
    /// quantile of 2.5 or 97.5 %, an end is the quantile of θ* at `Φ(z₀ + (z₀ + z)/(1 − a (z₀ + z)))`.
    ///
    /// Up to ten values every possible resample is counted with its probability, so nothing is random; for
    /// more, 20 000 are drawn, always the same. The interval needs no normal distribution, but of few values
    /// it is too short: of five it held the mean of a normal distribution in 84 % of 6 000 drawn samples, not 95.
    /// Read it beside [`Interval::of_mean`].
    #[must_use]
    pub fn bca_of_mean(values: &[f64]) -> Option<Self> {
        if values.len() < 2 || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let size = values
            .iter()
            .fold(0.0_f64, |size, value| size.max(value.abs()));
        let scatter = values
            .iter()
            .fold(0.0_f64, |most, value| most.max((value - mean).abs()));
        // What differs by rounding alone has nothing to resample.
        let rounding = 1e-12 * size;
        if scatter <= rounding {
            return Some(Self {
                low: mean,
                high: mean,
            });
        }
        let mut means = match values.len() {
            few if few <= EXACT => all_means(values),
            _ => drawn_means(values),
        };
        means.sort_by(|a, b| a.0.total_cmp(&b.0));
        let total: f64 = means.iter().map(|one| one.1).sum();
        let share = |of: &dyn Fn(f64) -> bool| {
            let inside = means.iter().filter(|one| of(one.0));
            inside.map(|one| one.1).sum::<f64>() / total
        };
        let below = share(&|one| one < mean - rounding)
            + 0.5 * share(&|one| (one - mean).abs() <= rounding);
        let normal = Normal::standard();
        let bias = normal.inverse_cdf(below.clamp(1e-9, 1.0 - 1e-9));
        // The mean without x is (n x̄ − x)/(n − 1), so θ̄ − θ₍ᵢ₎ is (xᵢ − x̄)/(n − 1).
        let power = |p: i32| {
            values
                .iter()
                .map(|x| ((x - mean) / scatter).powi(p))
                .sum::<f64>()
        };
        let acceleration = power(3) / (6.0 * power(2).powf(1.5));
        let [low, high] = LEVELS.map(|level| {
            let z = bias + normal.inverse_cdf(level);
            let place = normal.cdf(bias + z / (1.0 - acceleration * z));
            quantile(&means, total * place)
        });
        Some(Self { low, high })
    }
}

/// Mean and number of orders of every sample of n out of the n `values`, with replacement.
fn all_means(values: &[f64]) -> Vec<(f64, f64)> {
    let factorials: Vec<f64> = std::iter::once(1.0)
        .chain((1..=values.len()).scan(1.0, |product, k| {
            *product *= k as f64;
            Some(*product)
        }))
        .collect();
    let mut means = Vec::new();
    count(
        values,
        values.len(),
        0.0,
        factorials[values.len()],
        &factorials,
        &mut means,
    );
    for mean in &mut means {
        mean.0 /= values.len() as f64;
    }
    means
}

/// Adds, to `found`, the sums of `left` more values from `values`, each taken 0 to `left` times.
fn count(
    values: &[f64],
    left: usize,
    sum: f64,
    orders: f64,
    factorials: &[f64],
    found: &mut Vec<(f64, f64)>,
) {
    let Some((&value, rest)) = values.split_first() else {
        return;
    };
    if rest.is_empty() {
        found.push((sum + value * left as f64, orders / factorials[left]));
        return;
    }
    for times in 0..=left {
        let orders = orders / factorials[times];
        count(
            rest,
            left - times,
            sum + value * times as f64,
            orders,
            factorials,
            found,
        );
    }
}

fn drawn_means(values: &[f64]) -> Vec<(f64, f64)> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let n = values.len();
    (0..DRAWN)
        .map(|_| {
            let sum: f64 = (0..n).map(|_| values[random.random_range(0..n)]).sum();
            (sum / n as f64, 1.0)
        })
        .collect()
}

/// The first of the sorted `(value, weight)` up to which the weights sum to `place`.
fn quantile(sorted: &[(f64, f64)], place: f64) -> f64 {
    let mut sum = 0.0;
    for &(value, weight) in sorted {
        sum += weight;
        if sum >= place {
            return value;
        }
    }
    sorted.last().map_or(0.0, |last| last.0)
}
