//! Identities of groups, none of which is ever given twice.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The identity of each group number, and the next one to give.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identities {
    of: Vec<u64>,
    born: u64,
}

impl Identities {
    /// The identities of the numbers `0..count`.
    pub(crate) fn current(&self, count: usize) -> Vec<u64> {
        self.of.iter().copied().take(count).collect()
    }

    /// Gives new identities to those of the numbers `0..count` that are `fresh` and to those that never
    /// had one.
    pub(crate) fn renew(&mut self, count: usize, fresh: &BTreeSet<usize>) {
        let unknown = (self.of.len()..count).filter(|number| !fresh.contains(number));
        let unknown: Vec<usize> = unknown.collect();
        let fresh = fresh.iter().copied().filter(|&number| number < count);
        self.of.resize(self.of.len().max(count), u64::MAX);
        for number in fresh.chain(unknown) {
            self.of[number] = self.born;
            self.born += 1;
        }
    }
}
