//! The numbers of every arm over its seeds, and `summary.json`.

use std::collections::BTreeMap;

use gradual_measure::{Effect, Metric, RunSummary, Sample, Share, paired_ratio, share};
use gradual_runs::{CommandRecord, SCHEMA};
use serde::Serialize;

use crate::ReportError;
use crate::column::Column;
use crate::folder::{Arm, Folder, Run};
use crate::verdicts::{self, JudgedClaim};

/// Everything that the report says, as written to `summary.json`.
#[derive(Serialize)]
pub(crate) struct Results {
    schema: u32,
    experiment: String,
    title: String,
    claims: Vec<String>,
    baseline: String,
    pub(crate) verdicts: Vec<JudgedClaim>,
    pub(crate) arms: Vec<ArmResult>,
    /// What made the runs, oldest first.
    commands: Vec<CommandRecord>,
    notes: Vec<String>,
}

/// One arm over its seeds.
#[derive(Serialize)]
pub(crate) struct ArmResult {
    pub(crate) name: String,
    #[serde(skip)]
    pub(crate) label: String,
    pub(crate) about: String,
    /// What it is a control for.
    pub(crate) control: Option<String>,
    pub(crate) baseline: String,
    pub(crate) runs: usize,
    pub(crate) finished: usize,
    /// Whether the numbers come from unfinished runs, because there are no others.
    pub(crate) provisional: bool,
    /// Whether it is compared with the baseline.
    #[serde(skip)]
    pub(crate) compared: bool,
    pub(crate) metrics: Vec<MetricResult>,
    /// The arm whose effect is the whole, and what share of it this arm has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reference: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) shares: Vec<ShareResult>,
    pub(crate) seeds: Vec<SeedResult>,
}

/// The share that an arm has of the effect of the reference on one number.
#[derive(Serialize)]
pub(crate) struct ShareResult {
    pub(crate) metric: Metric,
    #[serde(flatten)]
    pub(crate) share: Share,
}

/// The numbers of whose effect arms have a share: whether capabilities rise together, and how good the worst becomes.
pub(crate) const SHARED: [Metric; 3] = [Metric::Spread, Metric::Gap, Metric::WorstAccuracy];

/// One number of an arm over its seeds.
#[derive(Serialize)]
pub(crate) struct MetricResult {
    pub(crate) metric: &'static str,
    #[serde(skip)]
    pub(crate) column: Column,
    /// Runs looked at; `sample.count` of them have the number.
    pub(crate) runs: usize,
    pub(crate) sample: Option<Sample>,
    /// Against the baseline, over paired seeds of finished runs; `None` for the baseline itself, and where a
    /// number is not positive.
    pub(crate) effect: Option<Effect>,
}

/// One run.
#[derive(Serialize)]
pub(crate) struct SeedResult {
    pub(crate) seed: u64,
    pub(crate) finished: bool,
    /// The same numbers as those of the arm, by name.
    pub(crate) metrics: BTreeMap<&'static str, Option<f64>>,
    pub(crate) summary: RunSummary,
}

impl Results {
    pub(crate) fn of(folder: &Folder) -> Self {
        let columns: Vec<Column> = Column::of(folder).collect();
        Self {
            schema: SCHEMA,
            experiment: folder.name.clone(),
            title: folder.title.clone(),
            claims: folder.claims.clone(),
            baseline: folder.baseline.clone(),
            verdicts: verdicts::of(folder),
            arms: folder
                .arms
                .iter()
                .map(|one| arm(folder, one, &columns))
                .collect(),
            commands: folder.commands.clone(),
            notes: [folder.notes.as_slice(), &folder.said].concat(),
        }
    }

    /// The content of `summary.json`.
    pub(crate) fn to_json(&self) -> Result<String, ReportError> {
        let mut text =
            serde_json::to_string_pretty(self).map_err(|source| ReportError::Summary { source })?;
        text.push('\n');
        Ok(text)
    }

    pub(crate) fn arm(&self, name: &str) -> Option<&ArmResult> {
        self.arms.iter().find(|arm| arm.name == name)
    }
}

impl ArmResult {
    pub(crate) fn metric(&self, column: Column) -> Option<&MetricResult> {
        self.metrics.iter().find(|one| one.column == column)
    }

    pub(crate) fn sample(&self, metric: Metric) -> Option<&Sample> {
        self.metric(Column::Of(metric))?.sample.as_ref()
    }

    /// Capabilities that reached a skill of 0.5, and all, summed over the seeds that count.
    pub(crate) fn reached(&self) -> (usize, usize) {
        self.seeds
            .iter()
            .filter(|seed| seed.finished || self.provisional)
            .fold((0, 0), |(reached, of), seed| {
                let spread = seed.summary.spread;
                (reached + spread.reached, of + spread.of)
            })
    }
}

fn arm(folder: &Folder, arm: &Arm, columns: &[Column]) -> ArmResult {
    let counted = arm.counted();
    let paired: BTreeMap<u64, &Run> = arm
        .runs
        .iter()
        .filter_map(|run| Some((run.seed, folder.paired(arm, run.seed)?)))
        .collect();
    let value = |column: Column, run: &Run| column.value(run, paired.get(&run.seed).copied());
    let metrics = columns
        .iter()
        .map(|&column| {
            let values: Vec<f64> = counted
                .iter()
                .filter_map(|run| value(column, run))
                .collect();
            MetricResult {
                metric: column.key(),
                column,
                runs: counted.len(),
                sample: Sample::from_values(&values),
                effect: effect(folder, arm, column),
            }
        })
        .collect();
    ArmResult {
        name: arm.name.clone(),
        label: arm.label.clone(),
        about: arm.about.clone(),
        control: arm.control.clone(),
        baseline: arm.baseline.clone(),
        runs: arm.runs.len(),
        finished: arm.runs.iter().filter(|run| run.finished).count(),
        provisional: arm.unfinished(),
        compared: folder.judged,
        metrics,
        reference: arm.reference.clone(),
        shares: SHARED
            .into_iter()
            .filter_map(|metric| shared(folder, arm, metric))
            .collect(),
        seeds: arm
            .runs
            .iter()
            .map(|run| SeedResult {
                seed: run.seed,
                finished: run.finished,
                metrics: columns
                    .iter()
                    .map(|&column| (column.key(), value(column, run)))
                    .collect(),
                summary: run.summary.clone(),
            })
            .collect(),
    }
}

/// The number of an arm against that of its baseline, where all finished runs of both have it.
fn effect(folder: &Folder, arm: &Arm, column: Column) -> Option<Effect> {
    if arm.name == arm.baseline || !folder.judged {
        return None;
    }
    paired_ratio(
        &values(arm, column)?,
        &values(folder.arm(&arm.baseline)?, column)?,
    )
}

/// The share of an arm in the effect of the reference, where all finished runs of both and of the baseline have the number.
fn shared(folder: &Folder, arm: &Arm, metric: Metric) -> Option<ShareResult> {
    let reference = arm.reference.as_ref().filter(|_| folder.judged)?;
    if [&arm.baseline, reference].contains(&&arm.name) {
        return None;
    }
    let of = |arm: &Arm| values(arm, Column::Of(metric));
    let baseline = of(folder.arm(&arm.baseline)?)?;
    let share = share(&of(arm)?, &of(folder.arm(reference)?)?, &baseline)?;
    Some(ShareResult { metric, share })
}

/// A number of all finished runs of an arm, by seed; `None` where one lacks it.
fn values(arm: &Arm, column: Column) -> Option<BTreeMap<u64, f64>> {
    let finished = arm.runs.iter().filter(|run| run.finished);
    finished
        .map(|run| Some((run.seed, column.value(run, None)?)))
        .collect()
}
