//! Whether an experiment is whole: all runs of every arm, each to its last step.

use super::Arm;
use crate::numbers::count;
use crate::text::{first_of, shorten};

/// Arms that are told of one by one, and letters of their names.
const TOLD: usize = 6;
const NAME: usize = 40;

/// A sentence on runs that were stopped, and one on runs that have not begun, where there are such.
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
    let absent = of(&|arm| {
        let there = arm.runs.len() as u64;
        let planned = arm
            .planned
            .filter(|&planned| there > 0 && planned > there)?;
        let name = shorten(&arm.name, NAME);
        Some(format!("{} of {planned} of `{name}`", planned - there))
    });
    let stopped = stopped.map(|arms| {
        format!("Stopped before their last step: {arms}. Claims on these arms are not judged.")
    });
    let absent = absent.map(|arms| format!("Runs that are not there: {arms}."));
    stopped.into_iter().chain(absent).collect()
}
