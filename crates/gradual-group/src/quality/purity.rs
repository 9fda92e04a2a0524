//! How well found groups match known ones, by the majority in each.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use crate::quality::recovery::both;

/// Permutations that the chance level is averaged over.
const PERMUTATIONS: u32 = 200;

/// Purity of a grouping, and what chance gives.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Purity {
    /// Share of the examples whose label is the most frequent one in their group, above 0 to 1.
    pub purity: f64,
    /// The mean purity of groups of the same sizes with the labels dealt out at random.
    pub chance: f64,
}

/// Purity of `found` against `known`: Σ_g max_c n_gc / n (Zhao & Karypis 2001), with its chance level.
///
/// Many small groups are pure whatever they are, and a frequent label makes any group pure: so a
/// purity means nothing without its chance level, the mean over 200 random permutations of the
/// labels (the same ones every time; its standard error is that of one permutation over 14).
///
/// Examples without a group in either grouping are left out. None when no example is left.
pub fn purity(found: &[Option<usize>], known: &[Option<usize>]) -> Option<Purity> {
    let pairs = both(found, known);
    if pairs.is_empty() {
        return None;
    }
    let groups: Vec<usize> = pairs.iter().map(|pair| pair.0).collect();
    let mut labels: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
    let purity = majority(&groups, &labels);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut sum = 0.0;
    for _ in 0..PERMUTATIONS {
        labels.shuffle(&mut random);
        sum += majority(&groups, &labels);
    }
    let chance = sum / f64::from(PERMUTATIONS);
    Some(Purity { purity, chance })
}

/// Share of the examples with the most frequent label of their group.
fn majority(groups: &[usize], labels: &[usize]) -> f64 {
    let mut counts: HashMap<(usize, usize), usize> = HashMap::new();
    for pair in groups.iter().copied().zip(labels.iter().copied()) {
        *counts.entry(pair).or_default() += 1;
    }
    let mut most: HashMap<usize, usize> = HashMap::new();
    for ((group, _), count) in counts {
        let most = most.entry(group).or_default();
        *most = count.max(*most);
    }
    most.values().sum::<usize>() as f64 / groups.len() as f64
}
