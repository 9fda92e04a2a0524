//! What the groups under a lens are to those of the lens before it.

use gradual_group::{Churn, Followed, Groups};
use serde::{Deserialize, Serialize};

/// Groups under a lens that has taken the place of another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Matched {
    /// The identity of each group.
    identities: Vec<u64>,
    /// The next one.
    next: u64,
    churn: Churn,
}

impl Matched {
    /// The groups of the same examples under the lens of `before`, with their identities, and under that of now.
    pub(crate) fn new(before: (&[Option<usize>], &[u64]), now: &[Option<usize>]) -> Self {
        let (before, identities) = before;
        let Followed {
            assignment,
            fresh,
            churn,
        } = gradual_group::follow(before, now);
        let groups = now.iter().flatten().max().map_or(0, |most| most + 1);
        let count = before.iter().flatten().max().map_or(0, |most| most + 1);
        let old = |group: usize| identities.get(group).copied().unwrap_or(group as u64);
        let mut next = (0..count).map(old).chain(identities.iter().copied()).max();
        let mut new = || {
            let free = next.map_or(0, |last| last + 1);
            next = Some(free);
            free
        };
        let identity = |group: usize| {
            let pair = now.iter().zip(&assignment);
            let number = pair.clone().find(|(own, _)| **own == Some(group));
            match number.and_then(|(_, number)| *number) {
                Some(number) if !fresh.contains(&number) => old(number),
                _ => new(),
            }
        };
        let identities: Vec<u64> = (0..groups).map(identity).collect();
        Self {
            identities,
            next: next.map_or(0, |last| last + 1),
            churn,
        }
    }

    /// These groups with their identities and with what has changed.
    pub(crate) fn mark(&self, groups: Groups) -> Groups {
        // Without any examples at the change, a group was not matched.
        let known = self.identities.iter().copied().chain(self.next..);
        let identities = known.take(groups.num_groups()).collect();
        groups.with_identities(identities).with_churn(self.churn)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(of: &[usize]) -> Vec<Option<usize>> {
        of.iter().copied().map(Some).collect()
    }

    #[test]
    fn groups_of_a_new_lens_keep_identities() {
        let before = groups(&[0, 0, 0, 1, 1, 1, 2, 2, 2]);
        // The first two have changed places, the third has become two.
        let now = groups(&[1, 1, 1, 0, 0, 0, 2, 2, 3]);
        let matched = Matched::new((&before, &[]), &now);
        assert_eq!(matched.identities, [1, 0, 2, 3]);
        assert_eq!((matched.churn.births, matched.churn.deaths), (1, 0));
        // And later, with one that is gone for good.
        let later = groups(&[0, 0, 0, 0, 0, 1, 1, 1, 2]);
        let again = Matched::new((&now, &matched.identities), &later);
        assert_eq!(again.identities, [0, 2, 3]);
        let last = groups(&[0, 1, 2, 3, 4, 4, 4, 4, 4]);
        let last = Matched::new((&later, &again.identities), &last);
        assert!(last.identities.iter().filter(|&&one| one > 3).count() >= 2);
    }
}
