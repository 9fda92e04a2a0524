//! Whether all arms train the same capabilities: numbers over all capabilities are over those that an arm trains.

use std::collections::{BTreeMap, BTreeSet};

use super::{Arm, Run};
use crate::text::{first_of, shorten};

/// Names that are told one by one, and letters of them.
const TOLD: usize = 6;
const NAME: usize = 40;

/// A sentence on the arms whose runs do not train the same.
pub(super) fn note_of_seeds(arms: &[Arm]) -> Option<String> {
    let told: Vec<String> = arms
        .iter()
        .filter_map(|arm| {
            let trained = |run: &Run| -> BTreeSet<String> {
                run.curves.counted().map(|one| one.name.clone()).collect()
            };
            let first = arm.runs.first()?;
            let (set, mut others) = (trained(first), arm.runs.iter().skip(1));
            let other = others.find(|run| trained(run) != set)?;
            let name = shorten(&arm.name, NAME);
            Some(format!(
                "`{name}` in seeds {} and {}",
                first.seed, other.seed
            ))
        })
        .collect();
    (!told.is_empty()).then(|| {
        format!(
            "Seeds of an arm begin with different capabilities: {}. Means and verdicts over its seeds are over different \
             capabilities.",
            first_of(&told, TOLD)
        )
    })
}

/// A sentence on the arms that do not train what most arms train, where there are such.
pub(super) fn note(arms: &[Arm]) -> Option<String> {
    let mut sets: BTreeMap<BTreeSet<&str>, Vec<&str>> = BTreeMap::new();
    for arm in arms {
        if let Some(run) = arm.runs.first() {
            let counted = run.curves.counted().map(|one| one.name.as_str());
            sets.entry(counted.collect()).or_default().push(&arm.name);
        }
    }
    let most = sets
        .iter()
        .max_by_key(|(set, arms)| (arms.len(), set.len()))?;
    let others = sets.iter().filter(|(set, _)| *set != most.0);
    let told: Vec<String> = others
        .flat_map(|(set, arms)| arms.iter().map(move |arm| (arm, set.len())))
        .map(|(arm, trained)| format!("`{}` {trained}", shorten(arm, NAME)))
        .collect();
    if told.is_empty() {
        return None;
    }
    Some(format!(
        "Arms begin with different capabilities: most train {}, {}. Numbers over all capabilities are over those that an arm \
         trains from its first step on, so between these arms only numbers of one capability can be compared.",
        most.0.len(),
        first_of(&told, TOLD)
    ))
}
