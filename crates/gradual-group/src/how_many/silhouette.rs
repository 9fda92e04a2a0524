//! The number of groups by how much nearer examples are to their own group than to the next.

use crate::clustering::partition::CutProblem;
use crate::error::GroupError;

/// The k from 2 to `at_most` with the largest mean silhouette; 1 if none is positive.
pub(crate) fn choose(problem: &CutProblem, at_most: usize, seed: u64) -> Result<usize, GroupError> {
    let n = problem.num_examples();
    let mut best = (1, 0.0);
    // With every example alone in a group all silhouettes are 0 by definition.
    for k in 2..=at_most.min(n.saturating_sub(1)) {
        let assignment = problem.cut(k, seed)?;
        let value = silhouette(&assignment, k, |one, other| {
            1.0 - problem.similarity(one, other)
        });
        if value > best.1 + 1e-9 {
            best = (k, value);
        }
    }
    Ok(best.0)
}

/// Mean silhouette of n examples at distances `distance`, −1 to 1: (b − a) / max(a, b), with a the
/// mean distance to the others of the same group and b that to the nearest other group (Rousseeuw
/// 1987). 0 for an example alone in its group, and where all distances are 0.
pub(crate) fn silhouette(
    assignment: &[usize],
    groups: usize,
    distance: impl Fn(usize, usize) -> f64,
) -> f64 {
    let mut sizes = vec![0usize; groups];
    for &group in assignment {
        sizes[group] += 1;
    }
    let mut sums = vec![0.0; groups];
    let mut total = 0.0;
    for (one, &own) in assignment.iter().enumerate() {
        if sizes[own] < 2 {
            continue;
        }
        sums.fill(0.0);
        for (other, &group) in assignment.iter().enumerate() {
            if other != one {
                sums[group] += distance(one, other);
            }
        }
        let within = sums[own] / (sizes[own] - 1) as f64;
        let nearest = (0..groups)
            .filter(|&group| group != own && sizes[group] > 0)
            .map(|group| sums[group] / sizes[group] as f64)
            .fold(f64::INFINITY, f64::min);
        let scale = within.max(nearest);
        if scale > 0.0 && scale.is_finite() {
            total += (nearest - within) / scale;
        }
    }
    total / assignment.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::silhouette;

    /// Worked out by hand: points 0, 1 | 3 on a line. s = (3 − 1)/3, (2 − 1)/2, 0.
    #[test]
    fn known_value() {
        let points = [0.0f64, 1.0, 3.0];
        let value = silhouette(&[0, 0, 1], 2, |a, b| (points[a] - points[b]).abs());
        assert!((value - (2.0 / 3.0 + 0.5) / 3.0).abs() < 1e-12, "{value}");
    }

    #[test]
    fn one_group_and_no_distance_have_none() {
        assert_eq!(silhouette(&[0, 0, 0], 2, |_, _| 1.0), 0.0);
        assert_eq!(silhouette(&[0, 1, 0], 2, |_, _| 0.0), 0.0);
        assert_eq!(silhouette(&[], 2, |_, _| 0.0), 0.0);
    }
}
