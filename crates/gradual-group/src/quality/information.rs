//! How well found groups match known ones, by mutual information.

use std::collections::HashMap;
use std::hash::Hash;

use crate::quality::recovery::both;

/// Normalised mutual information of two groupings of the same examples: 2 I / (H_found + H_known), 1
/// when they agree up to names, 0 when they are independent (Strehl & Ghosh 2002, normalised by the
/// arithmetic mean like scikit-learn's default).
///
/// Examples without a group in either grouping are left out. None when no example is left. 1 when
/// both put all examples together, 0 when only one does. Not corrected for chance: many small groups
/// score above 0 by themselves.
pub fn normalised_mutual_information(
    found: &[Option<usize>],
    known: &[Option<usize>],
) -> Option<f64> {
    let terms = Entropies::of(found, known)?;
    let sum = terms.found + terms.known;
    Some(if sum > 0.0 {
        2.0 * terms.mutual() / sum
    } else {
        1.0
    })
}

/// Homogeneity: I / H_known, the share of what there is to know about an example's label that its
/// found group tells (Rosenberg & Hirschberg 2007). 1 when every group holds one label only, however
/// many groups share it; 0 when groups tell nothing.
///
/// Examples without a group in either grouping are left out. None when no example is left; 1 when
/// there is one label only.
pub fn homogeneity(found: &[Option<usize>], known: &[Option<usize>]) -> Option<f64> {
    let terms = Entropies::of(found, known)?;
    Some(if terms.known > 0.0 {
        terms.mutual() / terms.known
    } else {
        1.0
    })
}

/// Entropies in nats.
struct Entropies {
    found: f64,
    known: f64,
    joint: f64,
}

impl Entropies {
    fn of(found: &[Option<usize>], known: &[Option<usize>]) -> Option<Self> {
        let pairs = both(found, known);
        (!pairs.is_empty()).then(|| Self {
            found: entropy(pairs.iter().map(|pair| pair.0)),
            known: entropy(pairs.iter().map(|pair| pair.1)),
            joint: entropy(pairs.iter().copied()),
        })
    }

    /// Mutual information I.
    fn mutual(&self) -> f64 {
        // Rounding may leave less than nothing, or more than there is.
        (self.found + self.known - self.joint).clamp(0.0, self.found.min(self.known))
    }
}

fn entropy<K: Eq + Hash + Ord>(keys: impl Iterator<Item = K>) -> f64 {
    let mut counts = HashMap::new();
    keys.for_each(|key| *counts.entry(key).or_insert(0u64) += 1);
    // In a fixed order, so that equal groupings have equal sums.
    let mut counts: Vec<u64> = counts.into_values().collect();
    counts.sort_unstable();
    let total = counts.iter().sum::<u64>() as f64;
    let share = |count: u64| count as f64 / total;
    -counts
        .into_iter()
        .map(|count| share(count) * share(count).ln())
        .sum::<f64>()
}
