//! The number of groups by how much better k-means does than on points without groups.

use ndarray::Array2;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::clustering::lloyd::{kmeans, within_sum};
use crate::clustering::partition::{CutProblem, Partition};
use crate::clustering::sign::Sign;
use crate::clustering::spherical::directions;
use crate::error::GroupError;

/// Sets of points without groups that the data are compared with.
const REFERENCES: usize = 10;

/// Runs of k-means for each number and set.
const RESTARTS: usize = 3;

/// The smallest k below `at_most` with Gap(k) ≥ Gap(k+1) − s_{k+1}; `at_most` if there is none.
///
/// The points are those of the `at_most` leading directions. k-means clusters them whatever the
/// partition, as the statistic compares sums of squares; but where signs are ignored, clusters by
/// axis do, with the squares of what is off the axis.
pub(crate) fn choose(problem: &CutProblem, at_most: usize, seed: u64) -> Result<usize, GroupError> {
    let points = problem.points(at_most);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let references: Vec<_> = (0..REFERENCES)
        .map(|_| uniform(&points, &mut random))
        .collect();
    let total: f64 = points.iter().map(|entry| entry * entry).sum();
    let mut before: Option<f64> = None;
    for k in 1..=at_most.min(points.nrows()) {
        let own = logarithm(problem, &points, k, seed)?;
        // Groups without any spread inside can't be improved on.
        if own <= (total * 1e-9).ln() || total == 0.0 {
            return Ok(k);
        }
        let logs = references
            .iter()
            .map(|reference| logarithm(problem, reference, k, seed))
            .collect::<Result<Vec<f64>, _>>()?;
        let mean = logs.iter().sum::<f64>() / REFERENCES as f64;
        let squares = logs.iter().map(|log| (log - mean).powi(2)).sum::<f64>();
        let error = (squares / REFERENCES as f64 * (1.0 + 1.0 / REFERENCES as f64)).sqrt();
        let gap = mean - own;
        if before.is_some_and(|before| before >= gap - error) {
            return Ok(k - 1);
        }
        before = Some(gap);
    }
    Ok(at_most)
}

/// ln W_k: the logarithm of the sum of squares within k groups.
fn logarithm(
    problem: &CutProblem,
    points: &Array2<f64>,
    groups: usize,
    seed: u64,
) -> Result<f64, GroupError> {
    let within = if problem.partition() == Partition::Spherical(Sign::Ignored) {
        let (along, _) = directions(points, groups, Sign::Ignored, RESTARTS, seed);
        points.iter().map(|entry| entry * entry).sum::<f64>() - along
    } else {
        let assignment = match groups {
            1 => vec![0; points.nrows()],
            _ => kmeans(points, groups, RESTARTS, seed),
        };
        within_sum(points, &assignment, groups)
    };
    // Rounding may leave less than nothing.
    Ok(within.max(0.0).ln())
}

/// As many points, uniform in the box that the data fill. The columns are principal axes already.
fn uniform(points: &Array2<f64>, random: &mut ChaCha8Rng) -> Array2<f64> {
    let mut reference = points.clone();
    for mut column in reference.columns_mut() {
        let low = column.iter().copied().fold(f64::INFINITY, f64::min);
        let high = column.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for entry in &mut column {
            *entry = low + (high - low) * random.random_range(0.0..1.0);
        }
    }
    reference
}
