//! Starting points of k-means and similar algorithms.

use ndarray::{Array2, Axis};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// `groups` of `examples` examples to start from: greedy k-means++. Each is the best of 2 + ln k ones that are drawn in
/// proportion to their distance from those before it, that after which the sum of distances is smallest (Arthur &
/// Vassilvitskii 2007, "k-means++: the advantages of careful seeding").
///
/// `distances` gives those of every example to each of some, `[examples, some]`, and is zero between equal ones. With
/// fewer distinct examples than groups the rest are the first one again. n k (2 + ln k) distances.
pub(crate) fn seeds(
    examples: usize,
    groups: usize,
    random: &mut ChaCha8Rng,
    distances: impl Fn(&[usize]) -> Array2<f64>,
) -> Vec<usize> {
    let trials = 2 + (groups.max(1) as f64).ln() as usize;
    let first = random.random_range(0..examples.max(1));
    let mut chosen = vec![first];
    let mut far = distances(&chosen).column(0).to_owned();
    while chosen.len() < groups {
        let total = far.sum();
        let mut draw = || {
            let mut left = random.random_range(0.0..1.0) * total;
            let at = far.iter().position(|&far| {
                left -= far;
                far > 0.0 && left < 0.0
            });
            at.unwrap_or(first)
        };
        let drawn: Vec<usize> = (0..trials).map(|_| draw()).collect();
        let mut nearest = distances(&drawn);
        for mut column in nearest.columns_mut() {
            column.zip_mut_with(&far, |near, &far| *near = near.min(far));
        }
        let sums = nearest.sum_axis(Axis(0));
        let mut best = 0;
        for trial in 1..trials {
            if sums[trial] < sums[best] {
                best = trial;
            }
        }
        chosen.push(drawn[best]);
        far = nearest.column(best).to_owned();
    }
    chosen
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    /// One seed in each of some tight clusters on a line, whatever the draw.
    #[test]
    fn clear_clusters_get_one_seed_each() {
        let place = |at: usize| (at % 4) as f64 * 100.0 + at as f64 * 0.01;
        let distances = |to: &[usize]| {
            let off = |(at, i): (usize, usize)| (place(at) - place(to[i])).powi(2);
            Array2::from_shape_fn((40, to.len()), off)
        };
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let chosen = seeds(40, 4, &mut random, distances);
            let mut clusters: Vec<usize> = chosen.iter().map(|at| at % 4).collect();
            clusters.sort_unstable();
            assert_eq!(clusters, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn equal_examples_are_seeds_several_times() {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        assert_eq!(
            seeds(3, 5, &mut random, |to| Array2::zeros((3, to.len()))).len(),
            5
        );
    }
}
