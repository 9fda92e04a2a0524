//! Starting points of k-means and similar algorithms.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// `groups` of `examples` examples to start from: greedy k-means++. Each is the best of 2 + ln k ones that are drawn in
/// proportion to their distance from those before it, that after which the sum of distances is smallest (Arthur &
/// Vassilvitskii 2007, "k-means++: the advantages of careful seeding").
///
/// With fewer distinct examples than groups the rest are the first one again. n k (2 + ln k) distances.
pub(crate) fn seeds(
    examples: usize,
    groups: usize,
    random: &mut ChaCha8Rng,
    distance: impl Fn(usize, usize) -> f64,
) -> Vec<usize> {
    let trials = 2 + (groups.max(1) as f64).ln() as usize;
    let nearer = |far: &[f64], to: usize| -> Vec<f64> {
        let far = far.iter().enumerate();
        far.map(|(at, &far)| far.min(distance(at, to))).collect()
    };
    let first = random.random_range(0..examples.max(1));
    let mut chosen = vec![first];
    let mut far = nearer(&vec![f64::INFINITY; examples], first);
    while chosen.len() < groups {
        let total: f64 = far.iter().sum();
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..trials {
            let mut left = random.random_range(0.0..1.0) * total;
            let at = far.iter().position(|&far| {
                left -= far;
                far > 0.0 && left < 0.0
            });
            let at = at.unwrap_or(first);
            let nearest = nearer(&far, at);
            let sum = nearest.iter().sum();
            if best.as_ref().is_none_or(|best| sum < best.0) {
                best = Some((sum, at, nearest));
            }
        }
        let Some((_, at, nearest)) = best else { break };
        chosen.push(at);
        far = nearest;
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
        for seed in 0..20 {
            let mut random = ChaCha8Rng::seed_from_u64(seed);
            let chosen = seeds(40, 4, &mut random, |a, b| (place(a) - place(b)).powi(2));
            let mut clusters: Vec<usize> = chosen.iter().map(|at| at % 4).collect();
            clusters.sort_unstable();
            assert_eq!(clusters, [0, 1, 2, 3]);
        }
    }

    #[test]
    fn equal_examples_are_seeds_several_times() {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        assert_eq!(seeds(3, 5, &mut random, |_, _| 0.0).len(), 5);
    }
}
