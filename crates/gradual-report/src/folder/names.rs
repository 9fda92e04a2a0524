//! Names that somebody gave to found groups.

use std::path::Path;

use gradual_runs::GroupNames;

use super::{Arm, Run};
use crate::ReportError;

/// Gives the groups of the runs in `dir` the names of its `names.toml`, and notes the names of groups that no run has.
pub(super) fn give(
    dir: &Path,
    arms: &mut [Arm],
    notes: &mut Vec<String>,
) -> Result<(), ReportError> {
    let known: Vec<String> = arms.iter().map(|arm| arm.name.clone()).collect();
    let names = GroupNames::read(dir, known.iter().map(String::as_str))?;
    for (arm, seed, group) in names.named() {
        let runs = arms.iter_mut().filter(|each| each.name == arm);
        let mut runs = runs.flat_map(|each| &mut each.runs);
        let run = runs.find(|run| run.seed == seed && has(run, group));
        match (run, names.of(arm, seed, group)) {
            (Some(run), Some(name)) => {
                run.names.insert(group, name.to_owned());
            }
            _ => notes.push(format!(
                "names.toml names group {group} of arm `{arm}`, seed {seed}, which no run has found."
            )),
        }
    }
    Ok(())
}

fn has(run: &Run, group: u64) -> bool {
    let mut found = run.members.iter().flat_map(|record| &record.found);
    found.any(|members| members.group == group)
}
