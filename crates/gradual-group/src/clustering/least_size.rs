//! Groups too small to be groups of their own.
//!
//! Where group losses are means, a group of three examples weighs as much as one of three hundred,
//! and its mean is mostly noise. Such a group joins the one that its examples are most alike to. It
//! is not left out: its examples would then never be trained on, and a rare capability is just what
//! grouped losses are for.

/// Joins each group of fewer than `least` examples, the smallest first, to the group with the
/// largest mean similarity between their examples. The groups keep their numbers; joined ones are
/// left empty. One group always stays.
///
/// n operations for each example of a group that is joined.
pub(crate) fn join_small(
    assignment: &mut [usize],
    groups: usize,
    least: usize,
    similarity: impl Fn(usize, usize) -> f64,
) {
    loop {
        let mut sizes = vec![0usize; groups];
        for &group in assignment.iter() {
            sizes[group] += 1;
        }
        let filled = || (0..groups).filter(|&group| sizes[group] > 0);
        let smallest = filled().min_by_key(|&group| sizes[group]);
        let Some(small) = smallest.filter(|&group| sizes[group] < least) else {
            return;
        };
        let mut alike = vec![0.0; groups];
        for (one, _) in assignment.iter().enumerate().filter(|(_, g)| **g == small) {
            for (other, &group) in assignment.iter().enumerate() {
                alike[group] += similarity(one, other) / sizes[group] as f64;
            }
        }
        let nearest = filled()
            .filter(|&group| group != small)
            .max_by(|&a, &b| alike[a].total_cmp(&alike[b]).then(b.cmp(&a)));
        let Some(nearest) = nearest else { return };
        for group in assignment.iter_mut().filter(|group| **group == small) {
            *group = nearest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::join_small;

    /// Examples on a line, alike by how near they are.
    fn near(one: usize, other: usize) -> f64 {
        -(one.abs_diff(other) as f64)
    }

    #[test]
    fn small_groups_join_their_nearest() {
        let mut assignment = vec![0, 0, 0, 1, 2, 2, 2];
        join_small(&mut assignment, 3, 2, near);
        // Example 3 is two steps from the mean of either; of equals the first is taken.
        assert_eq!(assignment, [0, 0, 0, 0, 2, 2, 2]);
    }

    #[test]
    fn joined_groups_may_still_be_small() {
        let mut assignment = vec![0, 1, 2, 2, 2, 2];
        join_small(&mut assignment, 3, 3, near);
        assert_eq!(assignment, [2; 6]);
    }

    #[test]
    fn one_group_stays_however_small() {
        let mut assignment = vec![1, 1];
        join_small(&mut assignment, 3, 10, near);
        assert_eq!(assignment, [1, 1]);
        join_small(&mut [], 3, 10, near);
    }
}
