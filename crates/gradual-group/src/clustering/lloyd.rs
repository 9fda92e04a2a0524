//! k-means on points on the host, shared by the clusterings of this crate.

use ndarray::{Array2, ArrayView1, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::clustering::seeding::seeds;

/// Most Lloyd iterations of one run.
const ITERATIONS: usize = 50;

/// Squared distances below this share of the points' squared lengths are rounding.
const ROUNDING: f64 = 1e-13;

/// The best of `restarts` runs of Lloyd's algorithm, each from a [start](seeds) of its own: the cluster of each row of
/// `points` `[n, d]`, by the sum of squared distances to the clusters' means.
///
/// n k d operations per iteration, of which there are at most fifty. Fewer distinct points than `groups` leave clusters
/// empty.
pub(crate) fn kmeans(
    points: &Array2<f64>,
    groups: usize,
    restarts: usize,
    seed: u64,
) -> Vec<usize> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut best = (f64::INFINITY, vec![0; points.nrows()]);
    for _ in 0..restarts.max(1) {
        let run = run(points, groups, &mut random);
        // Rounding alone must not choose between equal runs.
        if run.0 < best.0 * (1.0 - 1e-9) {
            best = run;
        }
    }
    best.1
}

/// One run: the sum of squared distances, and the clusters.
fn run(points: &Array2<f64>, groups: usize, random: &mut ChaCha8Rng) -> (f64, Vec<usize>) {
    let squares: Vec<f64> = points.rows().into_iter().map(square).collect();
    let chosen = seeds(points.nrows(), groups, random, |to| {
        let mut distances = points.dot(&points.select(Axis(0), to).t());
        for ((at, i), distance) in distances.indexed_iter_mut() {
            let sum = squares[at] + squares[to[i]];
            let off = sum - 2.0 * *distance;
            // Rounding leaves a small distance where there is none.
            *distance = if off > ROUNDING * sum { off } else { 0.0 };
        }
        distances
    });
    let mut means = points.select(Axis(0), &chosen);
    let mut nearest = assign(points, &means);
    for _ in 0..ITERATIONS {
        let mut sums = Array2::<f64>::zeros(means.dim());
        let mut sizes = vec![0.0; groups];
        for (point, &group) in points.rows().into_iter().zip(&nearest) {
            let mut sum = sums.row_mut(group);
            sum += &point;
            sizes[group] += 1.0;
        }
        for ((mut mean, sum), size) in means.rows_mut().into_iter().zip(sums.rows()).zip(sizes) {
            // An empty cluster stays where it is; it may be filled again.
            if size > 0.0 {
                mean.assign(&(&sum / size));
            }
        }
        let before = std::mem::replace(&mut nearest, assign(points, &means));
        if nearest == before {
            break;
        }
    }
    (within_sum(points, &nearest, groups), nearest)
}

/// For each point the nearest mean, the smallest ‖m‖²/2 − x·m, with all inner products at once.
fn assign(points: &Array2<f64>, means: &Array2<f64>) -> Vec<usize> {
    let halves = means.rows().into_iter().map(|mean| square(mean) / 2.0);
    let halves: Vec<f64> = halves.collect();
    let products = points.dot(&means.t());
    let nearest = |products: ArrayView1<'_, f64>| {
        let mut best = (0, f64::INFINITY);
        for (group, (half, product)) in halves.iter().zip(products).enumerate() {
            let off = half - product;
            if off < best.1 {
                best = (group, off);
            }
        }
        best.0
    };
    products.rows().into_iter().map(nearest).collect()
}

/// ‖x‖².
fn square(point: ArrayView1<'_, f64>) -> f64 {
    point.dot(&point)
}

/// Sum over all points of the squared distance to the mean of their cluster.
pub(crate) fn within_sum(points: &Array2<f64>, assignment: &[usize], groups: usize) -> f64 {
    let dimensions = points.ncols();
    let mut means = Array2::<f64>::zeros((groups, dimensions));
    let mut sizes = vec![0.0; groups];
    for (point, &group) in points.rows().into_iter().zip(assignment) {
        let mut mean = means.row_mut(group);
        mean += &point;
        sizes[group] += 1.0;
    }
    for (mut mean, size) in means.rows_mut().into_iter().zip(sizes) {
        mean /= f64::max(size, 1.0);
    }
    let pairs = points.rows().into_iter().zip(assignment);
    let distance = |(point, &group): (ArrayView1<'_, f64>, &usize)| {
        let off = &point - &means.row(group);
        square(off.view())
    };
    pairs.map(distance).sum()
}

#[cfg(test)]
mod tests {
    use ndarray::array;
    use rand::RngExt;

    use super::*;

    /// Worked out by hand: {0, 1} and {10, 12} with means ½ and 11.
    #[test]
    fn known_value() {
        let points = array![[0.0], [10.0], [1.0], [12.0]];
        let found = kmeans(&points, 2, 1, 0);
        assert!(found[0] == found[2] && found[1] == found[3] && found[0] != found[1]);
        assert!((within_sum(&points, &found, 2) - 2.5).abs() < 1e-12);
    }

    #[test]
    fn equal_points_leave_clusters_empty() {
        let points = Array2::from_elem((5, 2), 3.0);
        let found = kmeans(&points, 3, 2, 0);
        assert!(found.iter().all(|&group| group == found[0]));
        assert_eq!(within_sum(&points, &found, 3), 0.0);
    }

    /// Against distances taken one by one.
    #[test]
    fn the_nearest_mean_is_that_of_the_smallest_distance() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        for (n, d, k) in [(50, 1, 3), (40, 7, 9), (33, 20, 20), (5, 3, 1)] {
            let mut drawn =
                |rows| Array2::from_shape_fn((rows, d), |_| random.random_range(-1.0..1.0));
            let (points, means) = (drawn(n), drawn(k));
            let found = assign(&points, &means);
            for (point, &group) in points.rows().into_iter().zip(&found) {
                let off = |mean: ArrayView1<'_, f64>| -> f64 {
                    mean.iter().zip(point).map(|(a, b)| (a - b).powi(2)).sum()
                };
                let own = off(means.row(group));
                let least = means
                    .rows()
                    .into_iter()
                    .map(off)
                    .fold(f64::INFINITY, f64::min);
                assert!(own <= least + 1e-12, "{own} against {least}");
            }
        }
    }

    /// No assignment that moves one point is better.
    #[test]
    fn a_run_ends_where_no_point_gains_by_moving() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let points = Array2::from_shape_fn((60, 3), |_| random.random_range(-1.0..1.0));
        let found = kmeans(&points, 5, 1, 2);
        let mut means = [(0.0, [0.0; 3]); 5];
        for (point, &group) in points.rows().into_iter().zip(&found) {
            means[group].0 += 1.0;
            for (sum, entry) in means[group].1.iter_mut().zip(point) {
                *sum += entry;
            }
        }
        for (point, &group) in points.rows().into_iter().zip(&found) {
            let distance = |(size, sum): &(f64, [f64; 3])| -> f64 {
                let off = sum
                    .iter()
                    .zip(point)
                    .map(|(sum, x)| (sum / size - x).powi(2));
                off.sum()
            };
            let own = distance(&means[group]);
            assert!(means.iter().all(|mean| own <= distance(mean) + 1e-12));
        }
    }
}
