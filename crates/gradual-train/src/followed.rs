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
