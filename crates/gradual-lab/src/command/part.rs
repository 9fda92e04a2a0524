//! Flags for a part of an experiment's runs: its plan, one of its runs, and the report of them all.

use std::collections::VecDeque;

use anyhow::bail;
use clap::Args;
use gradual::runs::Record as _;
use gradual::train::FolderState;
use serde_json::{Value, json};

use super::print_json;
use crate::runner::{Job, Plan, Share};

/// Missing runs that a message names.
const NAMED: usize = 10;

/// Which part.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Part {
    /// Print a line of JSON for every run (its number, arm, seed, state and configuration), and run nothing
    #[arg(long, conflicts_with_all = ["only", "shard", "collect", "fresh", "json"])]
    pub(crate) plan: bool,
    /// Run these alone, by their numbers in --plan, with commas between them; without a number, the one that the scheduler
    /// gives in SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX. --collect then writes the report
    #[arg(long, value_name = "INDEX", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["shard", "collect", "fresh"])]
    only: Option<String>,
    /// Run one of N equal shares of the runs, numbered from 0; without I/N, the one that the scheduler gives. --collect then
    /// writes the report
    #[arg(long, value_name = "I/N", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["collect", "fresh"])]
    shard: Option<String>,
    /// Run nothing: check that every run is done, and write the report
    #[arg(long, conflicts_with = "fresh")]
    pub(crate) collect: bool,
}

impl Part {
    /// Whether a flag of these was given.
    pub(super) fn is_given(&self) -> bool {
        self.plan || self.collect || self.only.is_some() || self.shard.is_some()
    }

    /// Which runs are this program's.
    pub(super) fn share(&self) -> anyhow::Result<Share> {
        let environment = |name: &str| {
            let value = std::env::var_os(name);
            value.map(|value| value.to_string_lossy().into_owned())
        };
        match (&self.only, &self.shard) {
            (Some(text), _) => Share::only(text, &environment),
            (None, Some(text)) => Share::shard(text, &environment),
            (None, None) => Ok(Share::All),
        }
    }
}

/// Prints the plan, a line for each run.
pub(super) fn print_lines(plan: &Plan<'_>) -> anyhow::Result<()> {
    // First each with the run in its own folder, which says best what differs.
    let runs: Vec<Job<'_>> = plan.runs().collect::<anyhow::Result<_>>()?;
    plan.check_comparable(&[])?;
    for run in runs {
        let config: Value = serde_json::from_str(&run.config.to_line()?)?;
        let line = json!({
            "index": run.number,
            "arm": run.arm.name,
            "seed": run.seed,
            "state": state(run.state),
            "folder": run.place.folder.to_string_lossy(),
            "config": config,
        });
        print_json(&line)?;
    }
    Ok(())
}

fn state(state: FolderState) -> &'static str {
    match state {
        FolderState::Empty => "not begun",
        FolderState::Unfinished => "unfinished",
        FolderState::Done => "done",
        FolderState::Locked => "running",
    }
}

/// Refuses runs that are not all done.
pub(super) fn check_collected(plan: &Plan<'_>) -> anyhow::Result<()> {
    let runs: Vec<Job<'_>> = plan.runs().collect::<anyhow::Result<_>>()?;
    plan.check_comparable(&[])?;
    let is_open = |run: &Job<'_>| run.state != FolderState::Done;
    let open: Vec<Job<'_>> = runs.into_iter().filter(is_open).collect();
    if open.is_empty() {
        return plan.check_kept(&VecDeque::new());
    }
    let named = open.iter().take(NAMED).map(|run| {
        format!(
            "{} ({}/seed-{}, {})",
            run.number,
            run.arm.name,
            run.seed,
            state(run.state)
        )
    });
    let more = match open.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    bail!(
        "{} of {} runs {} not done: {}{more}; --only with these numbers runs them",
        open.len(),
        plan.count(),
        if open.len() == 1 { "is" } else { "are" },
        named.collect::<Vec<_>>().join(", ")
    )
}
