//! Which new group is which old one.
//!
//! # The idea
//!
//! Clusters come out in any order. To say that a group stays, grows or dies, each new group is given
//! to at most one old group so that the pairs have the most in common in sum: the assignment problem,
//! solved exactly by the Hungarian method (Kuhn 1955, Munkres 1957). In common may mean examples
//! ([`follow`]), the similarity of centroids, or the cosine of directions
//! ([`match_directions`](crate::match_directions)).

use pathfinding::kuhn_munkres::kuhn_munkres;
use pathfinding::matrix::Matrix;

use crate::grouping::churn::Churn;
use crate::quality::recovery::adjusted_rand;

/// Scores are compared as whole numbers of this fraction of the largest one.
const RESOLUTION: f64 = (1u64 << 40) as f64;

/// The one-to-one matching of rows to columns with the largest sum of `score(row, column)`: the
/// column of each row, if it got one. Pairs whose score is not above zero (or not a number) are not
/// matched.
///
/// About max(rows, columns)³ operations.
pub fn best_matching(
    rows: usize,
    columns: usize,
    score: impl Fn(usize, usize) -> f64,
) -> Vec<Option<usize>> {
    if rows == 0 || columns == 0 {
        return vec![None; rows];
    }
    let score = |row, column| {
        let score = score(row, column);
        if score > 0.0 { score } else { 0.0 }
    };
    let pairs = || (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    let largest = pairs()
        .map(|(row, column)| score(row, column))
        .fold(0.0, f64::max);
    if largest <= 0.0 {
        return vec![None; rows];
    }
    // A square with zeros beyond the edges: no row has to be matched, and either side may be longer.
    let side = rows.max(columns);
    let weights = Matrix::from_fn(side, side, |(row, column)| {
        if row < rows && column < columns {
            // Infinite scores are as good as the largest number.
            ((score(row, column) / largest).min(1.0) * RESOLUTION) as i64
        } else {
            0
        }
    });
    let (_, matched) = kuhn_munkres(&weights);
    let real = |row: usize, column: usize| column < columns && score(row, column) > 0.0;
    matched
        .into_iter()
        .take(rows)
        .enumerate()
        .map(|(row, column)| real(row, column).then_some(column))
        .collect()
}

/// Gives new groups the numbers of the old ones that they continue, by examples in common, and says
/// what changed.
///
/// `previous` and `next` are two groupings of the same n examples.
/// New groups that continue none take the numbers of dead groups, the smallest first, and then new
/// ones. So numbers stay as few as groups, and an array with one entry for each keeps its meaning
/// for all groups that live on; `fresh` names those that don't.
///
/// n operations and one matching.
pub fn follow(previous: &[Option<usize>], next: &[Option<usize>]) -> Followed {
    let count = |groups: &[Option<usize>]| {
        let largest = groups.iter().flatten().max();
        largest.map_or(0, |largest| largest + 1)
    };
    let (old, new) = (count(previous), count(next));
    let mut common = vec![0u64; old * new];
    for (before, after) in previous.iter().zip(next) {
        if let (Some(before), Some(after)) = (before, after) {
            common[after * old + before] += 1;
        }
    }
    let filled = |groups: &[Option<usize>], count: usize| {
        let mut filled = vec![false; count];
        groups
            .iter()
            .flatten()
            .for_each(|&group| filled[group] = true);
        filled
    };
    let (lived, lives) = (filled(previous, old), filled(next, new));
    let matched = best_matching(new, old, |after, before| {
        common[after * old + before] as f64
    });

    let continued: Vec<bool> = {
        let mut continued = vec![false; old];
        matched
            .iter()
            .flatten()
            .for_each(|&before| continued[before] = true);
        continued
    };
    let mut free = (0..).filter(|&number| !continued.get(number).copied().unwrap_or(false));
    let mut fresh = Vec::new();
    let numbers: Vec<usize> = matched
        .iter()
        .zip(&lives)
        .map(|(matched, &lives)| match (matched, lives) {
            (Some(before), _) => *before,
            (None, true) => {
                let number = free.next().unwrap_or_default();
                fresh.push(number);
                number
            }
            // An empty group needs no number.
            (None, false) => 0,
        })
        .collect();
    let assignment: Vec<Option<usize>> = next
        .iter()
        .map(|group| group.map(|group| numbers[group]))
        .collect();

    let both = previous.iter().zip(&assignment);
    let shared = both.clone().filter(|(a, b)| a.is_some() && b.is_some());
    let moved = shared.clone().filter(|(a, b)| a != b).count();
    let births = fresh.len();
    let deaths = lived
        .iter()
        .zip(&continued)
        .filter(|(lived, continued)| **lived && !**continued)
        .count();
    let churn = Churn {
        births,
        deaths,
        changed: moved as f64 / shared.count().max(1) as f64,
        adjusted_rand: adjusted_rand(&assignment, previous),
    };
    Followed {
        assignment,
        fresh,
        churn,
    }
}

/// A grouping whose groups have the numbers of those that they continue.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The group of each example, `[n]`.
    pub assignment: Vec<Option<usize>>,
    /// The numbers of the groups that continue none.
    pub fresh: Vec<usize>,
    /// What changed.
    pub churn: Churn,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn groups(of: &[usize]) -> Vec<Option<usize>> {
        of.iter().copied().map(Some).collect()
    }

    #[test]
    fn the_best_sum_is_not_the_greedy_one() {
        let scores = [[3.0, 2.0], [2.5, 0.1]];
        let matched = best_matching(2, 2, |row, column| scores[row][column]);
        assert_eq!(matched, [Some(1), Some(0)]);
    }

    #[test]
    fn scores_of_any_kind_and_shape() {
        assert_eq!(best_matching(0, 3, |_, _| 1.0), []);
        assert_eq!(best_matching(2, 0, |_, _| 1.0), [None, None]);
        assert_eq!(best_matching(2, 2, |_, _| f64::NAN), [None, None]);
        assert_eq!(best_matching(1, 2, |_, column| column as f64), [Some(1)]);
        assert_eq!(
            best_matching(3, 1, |row, _| [0.1, 0.9, 0.5][row]),
            [None, Some(0), None]
        );
        let infinite = best_matching(1, 2, |_, column| [1.0, f64::INFINITY][column]);
        assert_eq!(infinite, [Some(1)]);
    }

    #[test]
    fn names_alone_change_nothing() {
        let followed = follow(&groups(&[0, 0, 1, 2, 2]), &groups(&[2, 2, 0, 1, 1]));
        assert_eq!(followed.assignment, groups(&[0, 0, 1, 2, 2]));
        assert!(followed.fresh.is_empty());
        let churn = Churn {
            births: 0,
            deaths: 0,
            changed: 0.0,
            adjusted_rand: Some(1.0),
        };
        assert_eq!(followed.churn, churn);
    }

    #[test]
    fn births_take_the_numbers_of_the_dead() {
        // Group 1 is gone; a part of group 0 is a group of its own.
        let previous = groups(&[0, 0, 0, 0, 1, 2, 2]);
        let next = groups(&[0, 0, 0, 1, 2, 2, 2]);
        let followed = follow(&previous, &next);
        assert_eq!(followed.assignment, groups(&[0, 0, 0, 1, 2, 2, 2]));
        assert_eq!(followed.fresh, [1]);
        assert_eq!((followed.churn.births, followed.churn.deaths), (1, 1));
        assert!((followed.churn.changed - 2.0 / 7.0).abs() < 1e-12);
    }

    #[test]
    fn a_split_makes_a_new_number() {
        let followed = follow(&groups(&[0, 0, 0, 1]), &groups(&[2, 2, 1, 0]));
        assert_eq!(followed.assignment, groups(&[0, 0, 2, 1]));
        assert_eq!((followed.churn.births, followed.churn.deaths), (1, 0));
    }

    #[test]
    fn nobody_in_a_group() {
        let followed = follow(&[None, None], &[None, Some(0)]);
        assert_eq!(followed.assignment, [None, Some(0)]);
        assert_eq!((followed.churn.births, followed.churn.changed), (1, 0.0));
        assert_eq!(follow(&[], &[]).churn.adjusted_rand, None);
    }

    proptest! {
        /// The partition stays what it was, and numbers stay as few as they can.
        #[test]
        fn following_only_renames(pairs in prop::collection::vec((0usize..5, 0usize..5), 1..30)) {
            let (previous, next): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
            let (previous, next) = (groups(&previous), groups(&next));
            let followed = follow(&previous, &next);
            for (a, x) in next.iter().zip(&followed.assignment) {
                for (b, y) in next.iter().zip(&followed.assignment) {
                    prop_assert_eq!(a == b, x == y);
                }
            }
            prop_assert!(followed.assignment.iter().flatten().all(|&group| group < 10));
            prop_assert_eq!(follow(&next, &next).assignment, next);
        }
    }
}
