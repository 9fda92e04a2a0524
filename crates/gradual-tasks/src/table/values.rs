//! The distinct values of a column.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::number::Decimal;

/// Distinct numbers in the order in which they were first seen, each with the decimal number that stood there.
#[derive(Debug, Default)]
pub(super) struct Values {
    of: HashMap<u64, u32>,
    seen: Vec<(f64, Option<Decimal>)>,
}

impl Values {
    /// The place of a number among those seen so far.
    pub(super) fn place(&mut self, value: f64) -> u32 {
        self.put(value, None).0
    }

    /// The place of a number that was read from a text; none if another decimal number was read as the same.
    pub(super) fn place_of(&mut self, value: f64, text: &str) -> Option<u32> {
        let decimal = Decimal::new(text);
        let (place, there) = self.put(value, Some(&decimal));
        (there.as_ref() == Some(&decimal)).then_some(place)
    }

    fn put(&mut self, value: f64, decimal: Option<&Decimal>) -> (u32, &Option<Decimal>) {
        let place = match self.of.entry(value.to_bits()) {
            Entry::Occupied(there) => *there.get(),
            Entry::Vacant(free) => {
                let place = self.seen.len() as u32;
                self.seen.push((value, decimal.cloned()));
                *free.insert(place)
            }
        };
        (place, &self.seen[place as usize].1)
    }

    pub(super) fn len(&self) -> usize {
        self.seen.len()
    }

    /// The values in order, and the rank in that order of each place.
    pub(super) fn ranked(self) -> (Vec<f64>, Vec<u32>) {
        let mut order: Vec<usize> = (0..self.seen.len()).collect();
        order.sort_by(|&a, &b| self.seen[a].0.total_cmp(&self.seen[b].0));
        let mut ranks = vec![0; order.len()];
        for (rank, &place) in order.iter().enumerate() {
            ranks[place] = rank as u32;
        }
        (
            order.into_iter().map(|place| self.seen[place].0).collect(),
            ranks,
        )
    }
}
