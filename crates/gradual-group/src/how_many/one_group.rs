//! Whether there is more than one group at all.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::clustering::partition::CutProblem;
use crate::clustering::sign::Sign;
use crate::clustering::spherical::directions;
use crate::error::GroupError;
use crate::linalg::eigenvalues::within;

/// Clouds of either kind that the clusters are compared with: one like them passes for groups one time in twenty-one.
const CLOUDS: usize = 20;

/// Runs of each clustering.
const RESTARTS: usize = 3;

/// The k of the eigengap, if the examples lie closer to k directions than those of a cloud without groups do; 1 if not.
///
/// The examples are unit vectors in the k leading directions of their cosines, and a cloud has a normal or a uniform
/// distribution there with the same mean and standard deviation along each: a uniform one has more at its edges, which
/// clusters make use of. Where signs mean nothing all are turned first to point along the leading direction, or one
/// axis would have two ends.
pub(crate) fn choose(problem: &CutProblem, at_most: usize, seed: u64) -> Result<usize, GroupError> {
    let groups = within(problem.eigenvalues().eigengap(at_most), at_most);
    if groups < 2 {
        return Ok(1);
    }
    let (mut points, sign) = problem.directions_of_cosines(groups)?;
    if sign == Sign::Ignored {
        for mut row in points.rows_mut() {
            if row[0] < 0.0 {
                row.mapv_inplace(|entry| -entry);
            }
        }
    }
    let moments: Vec<(f64, f64)> = points.columns().into_iter().map(moments).collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut most = 0.0f64;
    for draw in [normal, uniform].into_iter().cycle().take(2 * CLOUDS) {
        let mut cloud = points.clone();
        for (mut column, (mean, deviation)) in cloud.columns_mut().into_iter().zip(&moments) {
            column.mapv_inplace(|_| mean + deviation * draw(&mut random));
        }
        most = most.max(nearness(cloud, groups, sign, seed));
    }
    // Rounding alone must not tell them apart.
    match nearness(points, groups, sign, seed) > most * (1.0 + 1e-6) {
        true => Ok(groups),
        false => Ok(1),
    }
}

/// The sum of the (squared) cosines of points with the directions of their clusters.
fn nearness(mut points: Array2<f64>, groups: usize, sign: Sign, seed: u64) -> f64 {
    for mut row in points.rows_mut() {
        let norm = row.dot(&row).sqrt();
        if norm > 0.0 {
            row /= norm;
        }
    }
    directions(&points, groups, sign, RESTARTS, seed).0
}

/// Mean and standard deviation.
fn moments(values: ndarray::ArrayView1<'_, f64>) -> (f64, f64) {
    let n = values.len().max(1) as f64;
    let mean = values.sum() / n;
    let squares = values.iter().map(|value| (value - mean).powi(2));
    (mean, (squares.sum::<f64>() / n).sqrt())
}

/// A number of the standard normal distribution (Box & Muller 1958).
fn normal(random: &mut ChaCha8Rng) -> f64 {
    // From above 0, of which there is a logarithm.
    let radius = (-2.0 * (1.0 - random.random_range(0.0..1.0f64)).ln()).sqrt();
    radius * (std::f64::consts::TAU * random.random_range(0.0..1.0)).cos()
}

/// A number of the uniform distribution with mean 0 and variance 1.
fn uniform(random: &mut ChaCha8Rng) -> f64 {
    3.0f64.sqrt() * random.random_range(-1.0..1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_have_their_moments() {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let values: Vec<f64> = (0..20_000).map(|_| uniform(&mut random)).collect();
        let (mean, deviation) = moments(ndarray::ArrayView1::from(&values));
        assert!(
            mean.abs() < 0.02 && (deviation - 1.0).abs() < 0.02,
            "{mean}, {deviation}"
        );
        let values: Vec<f64> = (0..20_000).map(|_| normal(&mut random)).collect();
        let (mean, deviation) = moments(ndarray::ArrayView1::from(&values));
        assert!(
            mean.abs() < 0.02 && (deviation - 1.0).abs() < 0.02,
            "{mean}, {deviation}"
        );
        let fourth = values.iter().map(|value| value.powi(4)).sum::<f64>() / 20_000.0;
        assert!((fourth - 3.0).abs() < 0.2, "{fourth}");
    }
}
