//! Spherical k-means and diametrical clustering on points of the host.

use ndarray::{Array1, Array2, ArrayView1, Axis};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::clustering::seeding::seeds;
use crate::clustering::sign::Sign;

/// Most iterations of one run.
const ITERATIONS: usize = 50;

/// The best of `restarts` runs: its sum of (squared) lengths along the clusters' directions, and the
/// cluster of each row of `points` `[n, d]`.
pub(crate) fn directions(
    points: &Array2<f64>,
    groups: usize,
    sign: Sign,
    restarts: usize,
    seed: u64,
) -> (f64, Vec<usize>) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut best = (f64::NEG_INFINITY, vec![0; points.nrows()]);
    for _ in 0..restarts.max(1) {
        let run = run(points, groups, sign, &mut random);
        // Rounding alone must not choose between equal runs.
        if run.0 > best.0 + 1e-9 * best.0.abs() || best.0 == f64::NEG_INFINITY {
            best = run;
        }
    }
    best
}

/// One run: the sum of (squared) cosines, and the clusters.
fn run(
    points: &Array2<f64>,
    groups: usize,
    sign: Sign,
    random: &mut ChaCha8Rng,
) -> (f64, Vec<usize>) {
    let mut means = start(points, groups, sign, random);
    let mut nearest = assign(points, &means, sign);
    for _ in 0..ITERATIONS {
        let mut moved = Array2::<f64>::zeros(means.dim());
        for (point, &(group, along)) in points.rows().into_iter().zip(&nearest) {
            let by = match sign {
                Sign::Kept => 1.0,
                Sign::Ignored => along,
            };
            moved.row_mut(group).scaled_add(by, &point);
        }
        for (mut mean, moved) in means.rows_mut().into_iter().zip(moved.rows()) {
            // An empty cluster stays where it is; it may be filled again.
            if let Some(unit) = unit(moved) {
                mean.assign(&unit);
            }
        }
        let before = nearest;
        nearest = assign(points, &means, sign);
        let same = |(a, b): (&(usize, f64), &(usize, f64))| a.0 == b.0;
        if sign == Sign::Kept && nearest.iter().zip(&before).all(same) {
            break;
        }
        // The power method goes on turning an axis after its examples are settled.
        let (value, last) = (objective(&nearest, sign), objective(&before, sign));
        if value - last <= 1e-9 * value.abs() {
            break;
        }
    }
    let value = objective(&nearest, sign);
    (value, nearest.into_iter().map(|(group, _)| group).collect())
}

/// For each point the cluster that it points along most, and how far along.
fn assign(points: &Array2<f64>, means: &Array2<f64>, sign: Sign) -> Vec<(usize, f64)> {
    let strength = |along: f64| match sign {
        Sign::Kept => along,
        Sign::Ignored => along.abs(),
    };
    let most = |along: ArrayView1<'_, f64>| {
        let along = along.iter().copied().enumerate();
        along
            .reduce(|best, next| match strength(next.1) > strength(best.1) {
                true => next,
                false => best,
            })
            .unwrap_or((0, 0.0))
    };
    let along = points.dot(&means.t());
    along.rows().into_iter().map(most).collect()
}

fn objective(nearest: &[(usize, f64)], sign: Sign) -> f64 {
    let along = nearest.iter().map(|&(_, along)| along);
    match sign {
        Sign::Kept => along.sum(),
        Sign::Ignored => along.map(|along| along * along).sum(),
    }
}

/// Unit vectors to start from, `[groups, d]`: [seeds] by how far points are from each other (1 minus the cosine, or
/// the squared cosine).
fn start(points: &Array2<f64>, groups: usize, sign: Sign, random: &mut ChaCha8Rng) -> Array2<f64> {
    let found: Vec<Array1<f64>> = points.rows().into_iter().filter_map(unit).collect();
    if found.is_empty() {
        return Array2::zeros((groups, points.ncols()));
    }
    let mut units = Array2::zeros((found.len(), points.ncols()));
    for (mut row, unit) in units.rows_mut().into_iter().zip(&found) {
        row.assign(unit);
    }
    let chosen = seeds(found.len(), groups, random, |to| {
        let cosines = units.dot(&units.select(Axis(0), to).t());
        cosines.mapv_into(|cosine| {
            let distance = match sign {
                Sign::Kept => (1.0 - cosine) / 2.0,
                Sign::Ignored => 1.0 - cosine * cosine,
            };
            // Rounding leaves a small distance where there is none.
            if distance > 1e-6 { distance } else { 0.0 }
        })
    });
    units.select(Axis(0), &chosen)
}

fn unit(vector: ArrayView1<'_, f64>) -> Option<Array1<f64>> {
    let norm = vector.dot(&vector).sqrt();
    (norm > 0.0).then(|| vector.to_owned() / norm)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::quality::recovery::adjusted_rand;

    fn some(groups: &[usize]) -> Vec<Option<usize>> {
        groups.iter().copied().map(Some).collect()
    }

    #[test]
    fn opposite_points_part_or_meet() {
        let points = array![[2.0, 0.1], [-1.0, 0.0], [0.0, 1.0], [0.1, -3.0], [1.0, 0.0]];
        let axes = directions(&points, 2, Sign::Ignored, 5, 1).1;
        assert_eq!(
            adjusted_rand(&some(&axes), &some(&[0, 0, 1, 1, 0])),
            Some(1.0)
        );
        let ways = directions(&points, 4, Sign::Kept, 5, 1).1;
        assert_eq!(
            adjusted_rand(&some(&ways), &some(&[0, 1, 2, 3, 0])),
            Some(1.0)
        );
    }

    /// The sum of squared cosines of one cluster is the largest eigenvalue of Σ x xᵀ.
    #[test]
    fn an_axis_is_the_leading_direction() {
        let points = array![[3.0, 0.0], [0.0, 1.0], [-2.0, 1.0]];
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let (value, _) = run(&points, 1, Sign::Ignored, &mut random);
        // Σ x xᵀ = [[13, −2], [−2, 2]].
        let expected = (15.0 + (121.0f64 + 16.0).sqrt()) / 2.0;
        assert!(
            (value - expected).abs() < 1e-6,
            "{value} against {expected}"
        );
    }

    #[test]
    fn points_without_a_direction_are_no_trouble() {
        let points = Array2::zeros((4, 2));
        assert_eq!(directions(&points, 2, Sign::Kept, 3, 0).1, [0; 4]);
        assert_eq!(directions(&points, 2, Sign::Ignored, 3, 0).1, [0; 4]);
    }
}
