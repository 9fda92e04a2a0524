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
    /// Whether these were taken on the machine of the other runs.
    is_timed_alike: bool,
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

    /// After how many steps its lens opens or its grouping begins, where that is not before its end, or before that of its
    /// phase: it is the same run without.
    pub(crate) fn begins_too_late(&self) -> Option<u64> {
        let (recipe, steps) = (&self.config.recipe, self.config.steps);
        let Some(share) = recipe["then"]["after"].as_f64() else {
            return begins(recipe).find(|&after| after >= steps);
        };
        let end = (share * steps as f64).round() as u64;
        let first = begins(recipe).find(|&after| after >= end);
        let second = begins(&recipe["then"]["recipe"]).map(|after| after.saturating_add(end));
        first.or_else(|| second.into_iter().find(|&after| after >= steps))
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
            is_timed_alike: true,
        })
    }

    /// Takes out what its machine has a part in: other runs are of another one.
    pub(super) fn leave_times_out(&mut self) {
        self.is_timed_alike = false;
        (self.summary.seconds_to_90, self.summary.seconds_to_99) = (None, None);
    }

    /// Its timings, where they can be compared with those of other runs.
    pub(crate) fn clock(&self) -> &[Timing] {
        match self.is_timed_alike {
            true => &self.timings,
            false => &[],
        }
    }

    /// Steps per second of training, from the first timing to the last.
    pub(crate) fn speed(&self) -> Option<f64> {
        let clock = self.clock();
        let (first, last) = (clock.first()?, clock.last()?);
        let (steps, seconds) = if clock.len() > 1 && last.seconds > first.seconds {
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

/// After how many steps of its phase a recipe's lens opens, and its grouping begins, where these are not at once.
fn begins(recipe: &Value) -> impl Iterator<Item = u64> {
    // A proxy learns before the run begins.
    let lens = recipe.get("lens").filter(|_| recipe["proxy"].is_null());
    let opens = lens.and_then(|lens| {
        let steps = lens.get("steps").and_then(Value::as_array);
        let steps = steps.into_iter().flatten().filter_map(Value::as_f64);
        // A search that waits opens after its last look.
        let waits = lens["wait"] == true;
        let opens = steps.reduce(|a, b| if waits { a.max(b) } else { a.min(b) });
        let opens = opens.map(|step| step as u64);
        opens.or_else(|| lens.get("after").and_then(Value::as_u64))
    });
    let wrappers = recipe.get("wrappers").and_then(Value::as_array);
    let waiting = wrappers
        .into_iter()
        .flatten()
        .filter(|wrapper| wrapper["name"] == "after");
    // One that is around another counts draws before that one does.
    let draws = waiting.filter_map(|wrapper| wrapper["draws"].as_u64());
    opens.into_iter().chain(draws.reduce(u64::saturating_add))
}
