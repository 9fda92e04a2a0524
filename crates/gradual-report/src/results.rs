//! The numbers of every arm over its seeds, and `summary.json`.

use gradual_measure::{Metric, RunSummary, SCHEMA, Sample};
use serde::Serialize;

use crate::ReportError;
use crate::folder::{Arm, Folder, Run};
use crate::verdicts::{self, Held};

/// Everything that the report says, as written to `summary.json`.
#[derive(Serialize)]
pub(crate) struct Results {
    schema: u32,
    experiment: String,
    title: String,
    claim: String,
    baseline: String,
    pub(crate) verdicts: Vec<Held>,
    pub(crate) arms: Vec<ArmResult>,
    notes: Vec<String>,
}

/// One arm over its seeds.
#[derive(Serialize)]
pub(crate) struct ArmResult {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) runs: usize,
    pub(crate) finished: usize,
    /// Whether the numbers come from unfinished runs, because there are no others.
    pub(crate) provisional: bool,
    pub(crate) metrics: Vec<MetricResult>,
    pub(crate) seeds: Vec<SeedResult>,
}

/// One number of an arm over its seeds.
#[derive(Serialize)]
pub(crate) struct MetricResult {
    pub(crate) metric: &'static str,
    #[serde(skip)]
    pub(crate) column: Column,
    /// Runs looked at; `sample.count` of them have the number.
    pub(crate) runs: usize,
    pub(crate) sample: Option<Sample>,
}

/// One run.
#[derive(Serialize)]
pub(crate) struct SeedResult {
    pub(crate) seed: u64,
    pub(crate) finished: bool,
    pub(crate) steps_per_second: Option<f64>,
    pub(crate) summary: RunSummary,
}

/// A column of the table of metrics.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Claimed(Metric),
    LogWidth,
    LargestRise,
    WorstAccuracy,
    Speed,
}

impl Column {
    pub(crate) const ALL: [Self; 11] = [
        Self::Claimed(Metric::Spread),
        Self::Claimed(Metric::Gap),
        Self::Claimed(Metric::StepsTo90),
        Self::Claimed(Metric::StepsTo99),
        Self::Claimed(Metric::RelativeWidth),
        Self::LogWidth,
        Self::LargestRise,
        Self::Claimed(Metric::EffectiveIncrements),
        Self::Claimed(Metric::FinalAccuracy),
        Self::WorstAccuracy,
        Self::Speed,
    ];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Claimed(Metric::Spread) => "max t50 / min t50",
            Self::Claimed(Metric::Gap) => "gap at equal skill",
            Self::Claimed(Metric::StepsTo90) => "steps to 90 %",
            Self::Claimed(Metric::StepsTo99) => "steps to 99 %",
            Self::Claimed(Metric::EffectiveIncrements) => "N_eff / n",
            Self::Claimed(Metric::FinalAccuracy) => "final accuracy",
            Self::Claimed(metric) => metric.label(),
            Self::LogWidth => "log₂(t90 / t10)",
            Self::LargestRise => "largest rise",
            Self::WorstAccuracy => "worst accuracy",
            Self::Speed => "steps per second",
        }
    }

    /// The name in tables and `summary.json`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Self::Claimed(metric) => key(metric),
            Self::LogWidth => "log_width",
            Self::LargestRise => "largest_rise",
            Self::WorstAccuracy => "worst_accuracy",
            Self::Speed => "steps_per_second",
        }
    }

    pub(crate) fn value(self, run: &Run) -> Option<f64> {
        match self {
            Self::Claimed(metric) => run.summary.value(metric),
            Self::LogWidth => run.summary.log_width,
            Self::LargestRise => run.summary.largest_rise,
            Self::WorstAccuracy => Some(run.summary.worst_accuracy),
            Self::Speed => run.speed(),
        }
    }
}

fn key(metric: Metric) -> &'static str {
    match metric {
        Metric::Spread => "spread",
        Metric::Gap => "gap",
        Metric::StepsTo90 => "steps_to_90",
        Metric::StepsTo99 => "steps_to_99",
        Metric::RelativeWidth => "relative_width",
        Metric::EffectiveIncrements => "effective_increments",
        Metric::FinalAccuracy => "final_accuracy",
        other => other.label(),
    }
}

impl Results {
    pub(crate) fn of(folder: &Folder) -> Self {
        Self {
            schema: SCHEMA,
            experiment: folder.record.name.clone(),
            title: folder.record.title.clone(),
            claim: folder.record.claim.clone(),
            baseline: folder.record.baseline.clone(),
            verdicts: verdicts::hold(folder),
            arms: folder.arms.iter().map(arm).collect(),
            notes: folder.notes.clone(),
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
    pub(crate) fn sample(&self, metric: Metric) -> Option<&Sample> {
        let column = Column::Claimed(metric);
        let found = self.metrics.iter().find(|one| one.column == column)?;
        found.sample.as_ref()
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

fn arm(arm: &Arm) -> ArmResult {
    let counted = arm.counted();
    let metrics = Column::ALL
        .into_iter()
        .map(|column| {
            let values: Vec<f64> = counted.iter().filter_map(|run| column.value(run)).collect();
            MetricResult {
                metric: column.key(),
                column,
                runs: counted.len(),
                sample: Sample::of(&values),
            }
        })
        .collect();
    ArmResult {
        name: arm.name.clone(),
        about: arm.about.clone(),
        runs: arm.runs.len(),
        finished: arm.runs.iter().filter(|run| run.finished).count(),
        provisional: arm.unfinished(),
        metrics,
        seeds: arm
            .runs
            .iter()
            .map(|run| SeedResult {
                seed: run.seed,
                finished: run.finished,
                steps_per_second: run.speed(),
                summary: run.summary.clone(),
            })
            .collect(),
    }
}
