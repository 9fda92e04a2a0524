//! Found groups that keep their numbers from record to record of what they hold.

use std::collections::BTreeSet;

use gradual_group::follow;
use serde::{Deserialize, Serialize};

/// The groups of the last record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Followed {
    /// Steps done.
    pub(crate) step: Option<u64>,
    /// The group of each example, by a number that a later group may take over.
    assignment: Vec<Option<usize>>,
    /// The number of the record for each of these, which no later group gets.
    numbers: Vec<u64>,
    /// The next one.
    next: u64,
}

impl Followed {
    /// The number for the record of each group that these examples are in: that of the group that it continues.
    pub(crate) fn numbers(&mut self, assignment: &[Option<usize>]) -> Vec<Option<u64>> {
        let followed = follow(&self.assignment, assignment);
        let groups = followed.assignment.iter().flatten().max();
        let groups = groups.map_or(0, |most| most + 1);
        let fresh: BTreeSet<usize> = followed.fresh.into_iter().collect();
        self.numbers
            .resize(groups.max(self.numbers.len()), u64::MAX);
        for group in 0..groups {
            if fresh.contains(&group) || self.numbers[group] == u64::MAX {
                self.numbers[group] = self.next;
                self.next += 1;
            }
        }
        let number = |group: &Option<usize>| group.map(|group| self.numbers[group]);
        let numbers = followed.assignment.iter().map(number).collect();
        self.assignment = followed.assignment;
        numbers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_with_their_examples_and_are_never_given_twice() {
        let groups = |of: &[usize]| of.iter().copied().map(Some).collect::<Vec<_>>();
        let mut followed = Followed::default();
        let mut next = |of: &[usize]| {
            let numbers = followed.numbers(&groups(of));
            numbers.into_iter().flatten().collect::<Vec<u64>>()
        };
        assert_eq!(next(&[0, 0, 1, 1, 2, 2]), [0, 0, 1, 1, 2, 2]);
        // Other names alone.
        assert_eq!(next(&[2, 2, 0, 0, 1, 1]), [0, 0, 1, 1, 2, 2]);
        // One is gone, ...
        assert_eq!(next(&[0, 0, 0, 0, 1, 1]), [0, 0, 0, 0, 2, 2]);
        // ... and what comes is another.
        assert_eq!(next(&[0, 0, 2, 2, 1, 1]), [0, 0, 3, 3, 2, 2]);
    }
}
