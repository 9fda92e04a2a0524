//! How much of what differs between examples is known with their group.

/// The share of the variance of one number for each example that is between groups, corrected for the number of groups:
/// ε² = 1 − (1 − η²)(n − 1) / (n − k), with η² = 1 − Σ_j (x_j − x̄_g(j))² / Σ_j (x_j − x̄)² and k groups that are not empty
/// (Kelley 1935, doi:10.1073/pnas.21.9.554). 1 when examples of a group have the same number, 0 on average for groups that
/// have nothing to do with it, and a little below 0 at times.
///
/// Examples without a group are a group of their own. None where there is no variance, where no two examples are
/// together, and for numbers that are not finite.
///
/// ```
/// use gradual_group::explained_share;
///
/// let groups = [Some(0), Some(0), Some(1), Some(1)];
/// assert_eq!(explained_share(&groups, &[1.0, 1.0, 3.0, 3.0]), Some(1.0));
/// // 1 − 3/2 · 1
/// assert_eq!(explained_share(&groups, &[1.0, 3.0, 1.0, 3.0]), Some(-0.5));
/// ```
pub fn explained_share(groups: &[Option<usize>], numbers: &[f64]) -> Option<f64> {
    let n = groups.len().min(numbers.len());
    let numbers = &numbers[..n];
    let around = |numbers: &[f64]| -> f64 {
        let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
        numbers.iter().map(|number| (number - mean).powi(2)).sum()
    };
    let mut members: Vec<(Option<usize>, f64)> = groups
        .iter()
        .copied()
        .zip(numbers.iter().copied())
        .collect();
    members.sort_by_key(|(group, _)| *group);
    let (mut within, mut k) = (0.0, 0);
    for group in members.chunk_by(|one, other| one.0 == other.0) {
        let own: Vec<f64> = group.iter().map(|(_, number)| *number).collect();
        within += around(&own);
        k += 1;
    }
    let all = around(numbers);
    let share = within / all * (n as f64 - 1.0) / (n as f64 - f64::from(k));
    (all > 0.0 && share.is_finite()).then_some(1.0 - share)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The correction is that of the expectation: over all ways to deal numbers out, the mean is 0.
        #[test]
        fn groups_that_tell_nothing_have_zero_on_average(
            numbers in prop::collection::vec(-3.0f64..3.0, 4..7),
            groups in 2usize..4,
        ) {
            let labels: Vec<Option<usize>> = (0..numbers.len()).map(|j| Some(j % groups)).collect();
            let (mut sum, mut count) = (0.0, 0.0);
            let mut order: Vec<usize> = (0..numbers.len()).collect();
            permutations(&mut order, 0, &mut |order| {
                let dealt: Vec<f64> = order.iter().map(|&at| numbers[at]).collect();
                if let Some(share) = explained_share(&labels, &dealt) {
                    sum += share;
                    count += 1.0;
                }
            });
            prop_assume!(count > 0.0);
            prop_assert!((sum / count).abs() < 1e-9, "{}", sum / count);
        }
    }

    fn permutations(order: &mut Vec<usize>, from: usize, see: &mut impl FnMut(&[usize])) {
        if from == order.len() {
            return see(order);
        }
        for other in from..order.len() {
            order.swap(from, other);
            permutations(order, from + 1, see);
            order.swap(from, other);
        }
    }

    #[test]
    fn what_has_no_variance_is_not_explained() {
        assert_eq!(explained_share(&[Some(0), Some(1)], &[2.0, 2.0]), None);
        // Each example by itself.
        assert_eq!(explained_share(&[Some(0), Some(1)], &[1.0, 2.0]), None);
        assert_eq!(explained_share(&[Some(0), Some(0)], &[1.0, f64::NAN]), None);
        assert_eq!(explained_share(&[], &[]), None);
        // Those in no group are together.
        assert_eq!(
            explained_share(&[Some(0), None, Some(0), None], &[0.0, 5.0, 0.0, 5.0]),
            Some(1.0)
        );
    }
}
