//! Whether an experiment is whole: all runs of every arm, each to its last step, and grouping before that.

use super::{Arm, Run};
use crate::numbers::count;
use crate::text::{first_of, shorten};

/// Arms that are told of one by one, and letters of their names.
const TOLD: usize = 6;
const NAME: usize = 40;

/// A sentence on runs that were stopped, one on runs that ended before they grouped, one on runs of another draw than they
/// say, and one on runs that have not begun, where there are such.
pub(super) fn notes(arms: &[Arm]) -> Vec<String> {
    let of = |some: &dyn Fn(&Arm) -> Option<String>| -> Option<String> {
        let told: Vec<String> = arms.iter().filter_map(some).collect();
        (!told.is_empty()).then(|| first_of(&told, TOLD))
    };
    let stopped = of(&|arm| {
        let short = arm.runs.iter().filter(|run| run.is_short()).count();
        let runs = count(arm.runs.len(), "run", "runs");
        (short > 0).then(|| format!("{short} of {runs} of `{}`", shorten(&arm.name, NAME)))
    });
    let late = of(&|arm| {
        let late = |run: &Run| Some((run.begins_too_late()?, run.config.steps));
        let (after, steps) = arm.runs.iter().find_map(late)?;
        let name = shorten(&arm.name, NAME);
        Some(format!("`{name}` after {after} steps of {steps}"))
    });
    let draws = of(&|arm| {
        let (said, shown) = arm.runs.iter().find_map(Run::other_draw)?;
        let name = shorten(&arm.name, NAME);
        Some(format!("`{name}` {said}, and {shown:.1} in curves.jsonl"))
    });
    let absent = of(&|arm| {
        let there = arm.runs.len() as u64;
        let planned = arm
            .planned
            .filter(|&planned| there > 0 && planned > there)?;
        let name = shorten(&arm.name, NAME);
        Some(format!("{} of {planned} of `{name}`", planned - there))
    });
    let stopped = stopped.map(|arms| {
        format!("Stopped before their last step: {arms}. Claims on such arms are not judged.")
    });
    let late = late.map(|arms| {
        format!(
            "Groups that would begin only after the end of a run: {arms}. Such an arm is the same without them, and claims on \
             it are not judged."
        )
    });
    let draws = draws
        .map(|arms| format!("Examples of a step are not those that configurations say: {arms}."));
    let absent = absent.map(|arms| format!("Runs that are not there: {arms}."));
    [stopped, late, draws, absent]
        .into_iter()
        .flatten()
        .collect()
}
