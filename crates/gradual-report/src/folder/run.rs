//! One run with at least one evaluation, summarised.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gradual_measure::{Evaluation, RunCurves, RunSummary, Timing};
use gradual_runs::{GroupingRecord, LooksRecord, MembersRecord, RunConfig};
use serde_json::Value;

use crate::ReportError;

/// Steps a second that no machine makes: the seconds are no measure of time then.
const FASTEST: f64 = 1e12;

/// One run with at least one evaluation.
pub(crate) struct Run {
    pub(crate) path: PathBuf,
    pub(crate) seed: u64,
    pub(crate) config: RunConfig,
    pub(crate) finished: bool,
    pub(crate) evaluations: Vec<Evaluation>,
    pub(crate) groupings: Vec<GroupingRecord>,
    pub(crate) members: Vec<MembersRecord>,
    pub(crate) looks: Vec<LooksRecord>,
    /// Names that somebody gave to found groups, by their number.
    pub(crate) names: BTreeMap<u64, String>,
    pub(crate) timings: Vec<Timing>,
    pub(crate) curves: RunCurves,
    pub(crate) summary: RunSummary,
}

impl Run {
    /// Whether it counts as finished and has no evaluation of its last step: it was stopped.
    pub(crate) fn is_short(&self) -> bool {
        let last = self.evaluations.last().map_or(0, |last| last.step);
        self.finished && last < self.config.steps
    }

    /// The examples of a step that its configuration says, and those that its evaluations show, where these are others. The last
    /// step of an epoch may have had fewer; runs with a recipe are refused instead.
    pub(crate) fn other_draw(&self) -> Option<(u64, f64)> {
        let said = Some(self.config.draw).filter(|&draw| draw > 0)?;
        let last = self.evaluations.last().filter(|last| last.step > 0)?;
        let shown = last.examples as f64 / last.step as f64;
        let near = (0.5..=1.01).contains(&(shown / said as f64));
        (!near).then_some((said, shown))
    }

    /// After how many steps its lens opens or its grouping begins, where that is not before its end: it is the same run without.
    pub(crate) fn begins_too_late(&self) -> Option<u64> {
        let recipe = &self.config.recipe;
        // A proxy learns before the run begins.
        let lens = recipe.get("lens").filter(|_| recipe["proxy"].is_null());
        let opens = lens.and_then(|lens| {
            let steps = lens.get("steps").and_then(Value::as_array);
            let first = steps.into_iter().flatten().filter_map(Value::as_f64);
            let first = first.reduce(f64::min).map(|first| first as u64);
            first.or_else(|| lens.get("after").and_then(Value::as_u64))
        });
        let wrappers = recipe.get("wrappers").and_then(Value::as_array);
        let waiting = wrappers.into_iter().flatten();
        let waiting = waiting.filter(|wrapper| wrapper["name"] == "after");
        let waits = waiting.filter_map(|wrapper| wrapper["draws"].as_u64());
        opens
            .into_iter()
            .chain(waits)
            .find(|&after| after >= self.config.steps)
    }

    pub(super) fn new(run: gradual_runs::Run) -> Result<Self, ReportError> {
        let failed = |source| ReportError::Run {
            path: run.folder.clone(),
            source,
        };
        let curves = RunCurves::from_evaluations(&run.evaluations).map_err(failed)?;
        let summary = RunSummary::from_curves(&curves).map_err(failed)?;
        Ok(Self {
            seed: run.config.seed,
            finished: run.finished(),
            summary: summary.with_timings(&run.timings),
            curves,
            path: run.folder,
            config: run.config,
            evaluations: run.evaluations,
            groupings: run.groupings,
            members: run.members,
            looks: run.looks,
            names: BTreeMap::new(),
            timings: run.timings,
        })
    }

    /// Steps per second of training, from the first timing to the last.
    pub(crate) fn speed(&self) -> Option<f64> {
        let (first, last) = (self.timings.first()?, self.timings.last()?);
        let (steps, seconds) = if self.timings.len() > 1 && last.seconds > first.seconds {
            (
                last.step.saturating_sub(first.step),
                last.seconds - first.seconds,
            )
        } else {
            (last.step, last.seconds)
        };
        let speed = (steps > 0 && seconds > 0.0).then(|| steps as f64 / seconds);
        speed.filter(|&speed| speed <= FASTEST)
    }
}
