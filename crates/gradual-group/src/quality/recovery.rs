//! How well found groups match known ones, by pairs of examples.

use std::collections::HashMap;
use std::hash::Hash;

/// Adjusted Rand index of two groupings of the same examples (Hubert & Arabie 1985): 1 when they
/// agree up to names, 0 on average for groupings that have nothing to do with each other.
///
/// Examples without a group in either grouping are left out. None when fewer than two examples
/// are left, or when both groupings are trivial in the same way (all together, or all apart).
pub fn adjusted_rand(found: &[Option<usize>], known: &[Option<usize>]) -> Option<f64> {
    let pairs = both(found, known);
    if pairs.len() < 2 {
        return None;
    }
    let both = together(pairs.iter().copied());
    let in_found = together(pairs.iter().map(|&(group, _)| group));
    let in_known = together(pairs.iter().map(|&(_, group)| group));
    let all = pairs.len() as f64 * (pairs.len() as f64 - 1.0) / 2.0;
    let expected = in_found * in_known / all;
    let most = (in_found + in_known) / 2.0;
    (most != expected).then(|| (both - expected) / (most - expected))
}

/// The groups of the examples that have one in both groupings.
pub(crate) fn both(found: &[Option<usize>], known: &[Option<usize>]) -> Vec<(usize, usize)> {
    let pairs = found.iter().zip(known);
    pairs.filter_map(|(a, b)| Some(((*a)?, (*b)?))).collect()
}

/// Number of pairs of examples that have the same key.
fn together<K: Eq + Hash>(keys: impl Iterator<Item = K>) -> f64 {
    let mut counts = HashMap::new();
    keys.for_each(|key| *counts.entry(key).or_insert(0u64) += 1);
    counts
        .values()
        .map(|&count| count as f64 * (count as f64 - 1.0) / 2.0)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::adjusted_rand;

    fn groups(of: &[usize]) -> Vec<Option<usize>> {
        of.iter().copied().map(Some).collect()
    }

    /// Worked out by hand from the definition.
    #[test]
    fn known_values() {
        let known = groups(&[0, 0, 1, 1, 2, 2]);
        assert_eq!(
            adjusted_rand(&groups(&[5, 5, 3, 3, 1, 1]), &known),
            Some(1.0)
        );
        let near = adjusted_rand(&groups(&[0, 0, 1, 2, 2, 2]), &known).unwrap();
        assert!((near - 0.444_444_444_444).abs() < 1e-9, "{near}");
        let crossed = adjusted_rand(&groups(&[0, 1, 0, 1]), &groups(&[0, 0, 1, 1])).unwrap();
        assert!((crossed + 0.5).abs() < 1e-9, "{crossed}");
    }

    #[test]
    fn without_groups_there_is_no_index() {
        assert_eq!(adjusted_rand(&[None, Some(1)], &groups(&[0, 1])), None);
        assert_eq!(adjusted_rand(&groups(&[0, 0]), &groups(&[1, 1])), None);
    }
}
