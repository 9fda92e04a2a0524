//! When a group becomes two, and two become one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clustering::partition::{CutProblem, Partition};
use crate::clustering::similarity::SimilarityMatrix;
use crate::error::GroupError;

const OPERATION: &str = "split and merge";

/// Runs of k-means of a cut in two.
const RESTARTS: usize = 5;

/// Splits groups that fall into two and merges groups that are one, with hysteresis.
///
/// # The idea
///
/// As ISODATA (Ball & Hall 1965), but with one measure for both, so that a split and a merge can't
/// contradict each other. With mean similarities w_g and w_h of the examples within two groups, to
/// others than themselves, and b between the groups, their likeness is
///
/// ```text
/// κ(g, h) = b / √(w_g w_h)
/// ```
///
/// 0 where they have nothing in common, 1 where they can't be told apart. The matrix [[1, κ], [κ, 1]],
/// the similarities as the two groups see them, has the eigenvalues 1 ± κ: that κ is small says that
/// the second is not far below the first. Two groups merge when κ was above `merge_above` in
/// `patience` regroupings in a row. One group splits when its two parts, by [`Spectral`] clustering
/// of its own similarities, had κ below `split_below` as often. What was split is thus further apart
/// than what is merged, by the gap of the two thresholds, and chance has to push it across that gap
/// `patience` times in a row before it flickers.
///
/// [`Spectral`]: crate::Spectral
///
/// # Steps and cost
///
/// For n examples in k groups: n² sums, and k spectral problems of n/k examples, 9 n³/k².
///
/// # When to use it
///
/// With [`Landmarks`](crate::Landmarks) where capabilities part or join as the model learns. The cut
/// is the best of many, so that even a group of mere noise has parts with κ below 1; how far below
/// falls with its size. Similarities of a floor well above zero ([`Similarity::Angular`]) bring all κ
/// near 1, and nothing splits.
///
/// [`Similarity::Angular`]: crate::Similarity::Angular
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SplitMerge {
    split_below: f64,
    merge_above: f64,
    patience: usize,
    least_size: usize,
    at_most: usize,
}

/// Splits below 0.3, merges above 0.7, three regroupings in a row.
impl Default for SplitMerge {
    fn default() -> Self {
        Self {
            split_below: 0.3,
            merge_above: 0.7,
            patience: 3,
            least_size: 8,
            at_most: 64,
        }
    }
}

/// How often in a row groups would have been split, or merged.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PendingChanges {
    splits: BTreeMap<usize, usize>,
    /// The smaller number of a pair first.
    merges: Vec<((usize, usize), usize)>,
}

impl SplitMerge {
    /// Other thresholds of κ.
    ///
    /// # Errors
    ///
    /// [`GroupError::Hysteresis`] unless 0 ≤ `split_below` < `merge_above`.
    pub fn new(split_below: f64, merge_above: f64) -> Result<Self, GroupError> {
        match 0.0 <= split_below && split_below < merge_above {
            true => Ok(Self {
                split_below,
                merge_above,
                ..Self::default()
            }),
            false => Err(GroupError::Hysteresis {
                split_below,
                merge_above,
            }),
        }
    }

    /// How many regroupings in a row must agree (3 by default).
    ///
    /// # Errors
    ///
    /// Like the other settings [`GroupError::Parameter`]: here for none.
    pub fn with_patience(self, patience: usize) -> Result<Self, GroupError> {
        let patience = GroupError::at_least(OPERATION, "the patience", 1, patience)?;
        Ok(Self { patience, ..self })
    }

    /// The fewest examples that a part may have (8 by default).
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for less than two.
    pub fn with_least_size(self, examples: usize) -> Result<Self, GroupError> {
        let least_size = GroupError::at_least(OPERATION, "the least size", 2, examples)?;
        Ok(Self { least_size, ..self })
    }

    /// The most groups that splitting may lead to (64 by default).
    ///
    /// # Errors
    ///
    /// [`GroupError::Parameter`] for none.
    pub fn with_at_most(self, groups: usize) -> Result<Self, GroupError> {
        let at_most = GroupError::at_least(OPERATION, "the most groups", 1, groups)?;
        Ok(Self { at_most, ..self })
    }

    /// The groups `assignment` `[n]` of examples of known similarities, with merges and splits that
    /// are due; None where none is. Merged groups have the number of either, the part of a split
    /// that has a number of its own one that was not in use.
    pub(crate) fn regroup(
        &self,
        pending: &mut PendingChanges,
        similarities: &SimilarityMatrix,
        assignment: &[Option<usize>],
    ) -> Result<Option<Vec<Option<usize>>>, GroupError> {
        let groups = assignment.iter().flatten().max().map_or(0, |most| most + 1);
        let mut members = vec![Vec::new(); groups];
        for example in similarities.present() {
            if let Some(group) = assignment.get(example).copied().flatten() {
                members[group].push(example);
            }
        }
        let mut next = assignment.to_vec();
        let merged = self.merge(pending, similarities, &members, &mut next);
        let mut living = members.iter().filter(|group| !group.is_empty()).count();
        living -= merged.len() / 2;
        let mut free = groups..;
        let mut changed = !merged.is_empty();
        for (group, members) in members.iter().enumerate() {
            let part = match merged.contains(&group) {
                true => None,
                false => self.part(similarities, members)?,
            };
            let Some(part) = part else {
                pending.splits.remove(&group);
                continue;
            };
            let times = pending.splits.entry(group).or_insert(0);
            *times += 1;
            if *times < self.patience || living >= self.at_most {
                continue;
            }
            pending.splits.remove(&group);
            let concerns = |pair: &(usize, usize)| pair.0 == group || pair.1 == group;
            pending.merges.retain(|(pair, _)| !concerns(pair));
            let number = free.next();
            part.into_iter().for_each(|example| next[example] = number);
            living += 1;
            changed = true;
        }
        Ok(changed.then_some(next))
    }

    /// Merges the pairs that are due, the most alike first, each group once; the groups concerned.
    fn merge(
        &self,
        pending: &mut PendingChanges,
        similarities: &SimilarityMatrix,
        members: &[Vec<usize>],
        next: &mut [Option<usize>],
    ) -> Vec<usize> {
        let before = std::mem::take(&mut pending.merges);
        let within: Vec<f64> = members
            .iter()
            .map(|members| within(similarities, members))
            .collect();
        let mut due = Vec::new();
        for one in 0..members.len() {
            for other in one + 1..members.len() {
                let between = between(similarities, &members[one], &members[other]);
                let alike = likeness(between, within[one], within[other]);
                if !alike.is_some_and(|alike| alike > self.merge_above) {
                    continue;
                }
                let known = before.iter().find(|(pair, _)| *pair == (one, other));
                let times = known.map_or(0, |(_, times)| *times) + 1;
                match times >= self.patience {
                    true => due.push((alike, one, other)),
                    false => pending.merges.push(((one, other), times)),
                }
            }
        }
        due.sort_by(|a, b| b.0.partial_cmp(&a.0).unwrap_or(std::cmp::Ordering::Equal));
        let mut merged: Vec<usize> = Vec::new();
        for (_, one, other) in due {
            if merged.contains(&one) || merged.contains(&other) {
                // Next time, if it is still so.
                pending.merges.push(((one, other), self.patience));
                continue;
            }
            merged.extend([one, other]);
            for group in next.iter_mut().filter(|group| **group == Some(other)) {
                *group = Some(one);
            }
        }
        let concerned = |group: usize| merged.contains(&group);
        pending
            .merges
            .retain(|((one, other), _)| !concerned(*one) && !concerned(*other));
        merged
    }

    /// The smaller part of a group that falls into two.
    fn part(
        &self,
        similarities: &SimilarityMatrix,
        members: &[usize],
    ) -> Result<Option<Vec<usize>>, GroupError> {
        if members.len() < 2 * self.least_size {
            return Ok(None);
        }
        let own = similarities.restricted(members);
        let problem = CutProblem::new(own, Partition::Spectral, RESTARTS, None, 3)?;
        let cut = problem.cut(2, 0)?;
        let side = |side: usize| -> Vec<usize> {
            let of = members.iter().zip(&cut).filter(|(_, cut)| **cut == side);
            of.map(|(&example, _)| example).collect()
        };
        let (one, other) = (side(0), side(1));
        let alike = likeness(
            between(similarities, &one, &other),
            within(similarities, &one),
            within(similarities, &other),
        );
        let apart = alike.is_some_and(|alike| alike < self.split_below);
        let smaller = if one.len() < other.len() { one } else { other };
        Ok((apart && smaller.len() >= self.least_size).then_some(smaller))
    }
}

/// κ, where both groups have similarities.
fn likeness(between: f64, one: f64, other: f64) -> Option<f64> {
    let scale = (one * other).sqrt();
    (scale > 0.0).then(|| between / scale)
}

/// Mean similarity of examples to others of their group; 1 for a single one, 0 for none.
fn within(similarities: &SimilarityMatrix, members: &[usize]) -> f64 {
    let n = members.len();
    if n < 2 {
        return n as f64;
    }
    let sum: f64 = members
        .iter()
        .map(|&one| {
            let row = similarities.row(one);
            let all: f64 = members.iter().map(|&other| f64::from(row[other])).sum();
            all - f64::from(row[one])
        })
        .sum();
    sum / (n * (n - 1)) as f64
}

/// Mean similarity of the examples of one group to those of another; 0 without any.
fn between(similarities: &SimilarityMatrix, one: &[usize], other: &[usize]) -> f64 {
    let pairs = one.len() * other.len();
    let sum: f64 = one
        .iter()
        .map(|&example| {
            let row = similarities.row(example);
            other
                .iter()
                .map(|&other| f64::from(row[other]))
                .sum::<f64>()
        })
        .sum();
    if pairs > 0 { sum / pairs as f64 } else { 0.0 }
}
