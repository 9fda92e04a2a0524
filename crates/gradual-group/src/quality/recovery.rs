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

/// The adjusted Rand index of a soft grouping: `together` `[n, n]`, row-major and symmetric, says how far two examples are in
/// one group, 0 to 1, in the place of the yes or no of [`adjusted_rand`], which it equals for hard groups (after Campello
/// 2007, doi:10.1016/j.patrec.2006.11.010).
///
/// Examples of no known group are left out, and the diagonal is not looked at. None when fewer than two are left, when both
/// groupings are trivial in the same way, and unless there are n² entries.
pub fn soft_adjusted_rand(together: &[f64], known: &[Option<usize>]) -> Option<f64> {
    let n = known.len();
    let examples: Vec<usize> = (0..n).filter(|&j| known[j].is_some()).collect();
    if together.len() != n * n || examples.len() < 2 {
        return None;
    }
    let (mut both, mut in_found, mut in_known) = (0.0, 0.0, 0.0);
    for (at, &one) in examples.iter().enumerate() {
        for &other in &examples[at + 1..] {
            let found = together[one * n + other];
            in_found += found;
            if known[one] == known[other] {
                in_known += 1.0;
                both += found;
            }
        }
    }
    let all = examples.len() as f64 * (examples.len() as f64 - 1.0) / 2.0;
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
    use proptest::prelude::*;

    use super::{adjusted_rand, soft_adjusted_rand};

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

    proptest! {
        #[test]
        fn hard_groups_are_soft_ones(
            examples in prop::collection::vec((0usize..4, prop::option::of(0usize..4)), 0..20),
        ) {
            let (found, known): (Vec<usize>, Vec<Option<usize>>) = examples.into_iter().unzip();
            let pairs = found.iter().flat_map(|a| found.iter().map(move |b| f64::from(u8::from(a == b))));
            let soft = soft_adjusted_rand(&pairs.collect::<Vec<_>>(), &known);
            match (soft, adjusted_rand(&groups(&found), &known)) {
                (Some(soft), Some(hard)) => prop_assert!((soft - hard).abs() < 1e-9),
                (soft, hard) => prop_assert_eq!(soft, hard),
            }
        }
    }

    /// Two groups of two that are a quarter together, by hand.
    #[test]
    fn groups_that_leak() {
        let known = groups(&[0, 0, 1, 1]);
        let together = |a: usize, b: usize| if a / 2 == b / 2 { 1.0 } else { 0.25 };
        let pairs = (0..4).flat_map(|a| (0..4).map(move |b| together(a, b)));
        // Both 2, found 2 + 4/4 = 3, known 2: expected 6/6 = 1, most 5/2.
        let index = soft_adjusted_rand(&pairs.collect::<Vec<_>>(), &known).unwrap();
        assert!((index - 2.0 / 3.0).abs() < 1e-12, "{index}");
        assert_eq!(soft_adjusted_rand(&[1.0], &known), None);
    }
}
