//! Intervals by flipping signs.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::statistics::Interval;

/// Up to this many values the interval is exact: all 65 535 subsets are used.
const EXACT: usize = 16;
/// Subsets that are sampled for more values than that.
const DRAWN: usize = 20_000;
/// The share that the interval leaves out on either side, at most.
const SIDE: f64 = 0.05;

impl Interval {
    /// The interval of all centres that a two-sided sign-flip test of the mean does not reject at 10 % (Fisher 1935,
    /// The Design of Experiments, § 21); `None` of fewer than five values, or when one is not finite.
    ///
    /// The test asks how many of the 2ⁿ ways to flip the signs of `xᵢ − c` give a mean as far from 0 as the values do.
    /// The means of the 2ⁿ − 1 parts of the values cut the line into 2ⁿ pieces, and for independent values with any
    /// continuous symmetric distributions the centre is in each of them with the same probability (Hartigan 1969,
    /// "Using Subsample Values as Typical Values"). The interval goes from the k-th least to the k-th largest of these
    /// means, `k = ⌊0.05 · 2ⁿ⌋`, and so holds the centre with the probability `1 − 2k/2ⁿ` exactly: 90 % or more. Of
    /// five values it goes from the least to the largest and is one of 93.75 %; 95 % takes six.
    ///
    /// Up to 16 values all subsets are used, so nothing is random; for more, 20 000 are sampled, always the same.
    #[must_use]
    pub fn sign_flip_of_mean(values: &[f64]) -> Option<Self> {
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut means = match values.len() {
            few if few <= EXACT => all_means(values),
            _ => drawn_means(values),
        };
        let out = (SIDE * (means.len() + 1) as f64) as usize;
        let low = out.checked_sub(1)?;
        means.sort_by(f64::total_cmp);
        Some(Self {
            low: *means.get(low)?,
            high: *means.get(means.len() - out)?,
        })
    }
}

/// The mean of every part that is not empty.
fn all_means(values: &[f64]) -> Vec<f64> {
    let mut sums = vec![(0.0, 0_u32)];
    for value in values {
        let with: Vec<(f64, u32)> = sums
            .iter()
            .map(|(sum, size)| (sum + value, size + 1))
            .collect();
        sums.extend(with);
    }
    sums[1..]
        .iter()
        .map(|&(sum, size)| sum / f64::from(size))
        .collect()
}

fn drawn_means(values: &[f64]) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut means = Vec::with_capacity(DRAWN);
    while means.len() < DRAWN {
        let part: Vec<f64> = values.iter().copied().filter(|_| random.random()).collect();
        means.extend(crate::statistics::mean(&part));
    }
    means
}
