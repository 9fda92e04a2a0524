//! What was claimed only once there were runs.

use std::path::PathBuf;

use gradual::measure::Claim;
use gradual::runs::files::{self, CURVES};
use gradual::runs::{ExperimentRecord, Place};
use gradual_registry::excerpt;

use crate::runner::Plan;

/// How many notes are kept.
const TOLD: usize = 20;
/// How a note on claims that were not there from the start begins.
const LATE: &str = "Not all was claimed before the first runs: ";

/// What to tell a reader of claims, a baseline or a reference that are others than before, once there were runs; and what was told of it
/// before.
pub(super) fn late_claims(
    plan: &Plan<'_>,
    before: Option<&ExperimentRecord>,
) -> anyhow::Result<Vec<String>> {
    let Some(before) = before else {
        return Ok(Vec::new());
    };
    let told = before.notes.iter().filter(|note| note.starts_with(LATE));
    let mut told: Vec<String> = told.cloned().collect();
    let changes = changes(plan, before);
    if !changes.is_empty() && has_begun(plan)? {
        let note = format!("{LATE}{}.", changes.join("; "));
        if !told.contains(&note) {
            told.push(note);
        }
    }
    told.drain(..told.len().saturating_sub(TOLD));
    Ok(told)
}

/// What is claimed otherwise than before.
fn changes(plan: &Plan<'_>, before: &ExperimentRecord) -> Vec<String> {
    let now = plan.experiment;
    let of = |all: &[Claim], others: &[Claim], what: &str| {
        let mut changed = all.iter().filter(|claim| !others.contains(claim));
        let first = changed.next()?;
        let more = match changed.count() {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let statement = excerpt(&first.statement, 200);
        Some(format!("\"{statement}\" was {what} later{more}"))
    };
    let mut changes: Vec<String> = [
        of(&now.claims, &before.claims, "changed or added"),
        of(&before.claims, &now.claims, "changed or taken out"),
    ]
    .into_iter()
    .flatten()
    .collect();
    if now.baseline != before.baseline {
        changes.push(format!(
            "the baseline was {} and became {}",
            before.baseline, now.baseline
        ));
    }
    if now.reference != before.reference {
        let named = |arm: &Option<String>| arm.clone().unwrap_or_else(|| String::from("none"));
        changes.push(format!(
            "the reference was {} and became {}",
            named(&before.reference),
            named(&now.reference)
        ));
    }
    changes
}

/// Whether there is, or was, any run of the experiment: those that --fresh has moved aside were seen, too.
fn has_begun(plan: &Plan<'_>) -> anyhow::Result<bool> {
    let places = Place::all(&plan.folder)?.runs;
    let is_aside = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().starts_with(".old-")
    };
    let there = places
        .iter()
        .any(|place| place.folder.join(CURVES).is_file());
    Ok(there || files::entries(&plan.folder)?.iter().any(is_aside))
}
