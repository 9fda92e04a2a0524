//! The numbers of groups that arms found by themselves.

use gradual_measure::statistics::median;

use crate::folder::{Arm, Folder, Run};

/// The arms that came to one number of groups.
pub(super) struct Found {
    pub(super) groups: f64,
    pub(super) arms: Vec<String>,
}

/// The number of groups that a run was told to find.
pub(super) fn number_of_groups(run: &Run) -> Option<f64> {
    run.config.recipe.get("grouping")?.get("k")?.as_f64()
}

/// By number of groups, the arms that were told none: a rule found it, or it was that of the known groups.
pub(super) fn found(folder: &Folder) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for arm in folder.shown() {
        let Some(groups) = by_a_rule(arm) else {
            continue;
        };
        match all.iter_mut().find(|one| one.groups == groups) {
            Some(one) => one.arms.push(arm.label.clone()),
            None => all.push(Found {
                groups,
                arms: vec![arm.label.clone()],
            }),
        }
    }
    all.sort_by(|one, other| one.groups.total_cmp(&other.groups));
    all
}

/// The median over the runs of an arm, if it is one of those.
fn by_a_rule(arm: &Arm) -> Option<f64> {
    let runs = arm.counted();
    let named = |run: &&Run| {
        let grouping = run.config.recipe.get("grouping");
        let k = grouping.and_then(|grouping| grouping.get("k"));
        k.is_some_and(serde_json::Value::is_string)
    };
    let last = |run: &&Run| Some(run.groupings.last()?.groups as f64);
    let groups: Vec<f64> = runs
        .iter()
        .copied()
        .filter(named)
        .filter_map(|run| last(&run))
        .collect();
    median(&groups).filter(|&groups| groups > 0.0)
}
