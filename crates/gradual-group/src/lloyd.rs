//! k-means on points of the host, as the clusterings here call it.

use linfa::traits::{Fit, Predict};
use linfa::{DatasetBase, ParamGuard};
use linfa_clustering::{KMeans, KMeansError};
use ndarray::Array2;
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

use crate::GroupError;

/// Most Lloyd iterations of one run.
const ITERATIONS: u64 = 50;

/// The best of `restarts` runs of Lloyd's algorithm, each seeded by k-means++ (Arthur &
/// Vassilvitskii 2007): the cluster of each row of `points` `[n, d]`, by the sum of squared
/// distances to the clusters' means.
///
/// n k d operations per iteration. Fewer distinct points than `groups` leave clusters empty.
pub(crate) fn kmeans(
    points: &Array2<f64>,
    groups: usize,
    restarts: usize,
    seed: u64,
) -> Result<Vec<usize>, GroupError> {
    let random = Xoshiro256Plus::seed_from_u64(seed);
    let params = KMeans::params_with_rng(groups, random)
        .n_runs(restarts.max(1))
        .max_n_iterations(ITERATIONS)
        .tolerance(1e-4)
        .check()
        .map_err(KMeansError::from)?;
    let model = params.fit(&DatasetBase::from(points.view()))?;
    Ok(model.predict(points).to_vec())
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
    points
        .rows()
        .into_iter()
        .zip(assignment)
        .map(|(point, &group)| {
            let off = &point - &means.row(group);
            off.dot(&off)
        })
        .sum()
}
