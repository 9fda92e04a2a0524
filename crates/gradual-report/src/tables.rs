//! The tables as CSV, with numbers in full.

use csv::Writer;

use crate::ReportError;
use crate::folder::Folder;
use crate::results::{Column, Results};

type Rows = Vec<Vec<String>>;

/// File names and contents.
pub(crate) fn all(
    folder: &Folder,
    results: &Results,
) -> Result<Vec<(&'static str, Vec<u8>)>, ReportError> {
    Ok(vec![
        (
            "verdicts.csv",
            table("verdicts.csv", verdict_rows(results))?,
        ),
        ("metrics.csv", table("metrics.csv", metric_rows(results))?),
        ("runs.csv", table("runs.csv", run_rows(folder))?),
        (
            "capabilities.csv",
            table("capabilities.csv", capability_rows(folder))?,
        ),
    ])
}

fn table(name: &'static str, rows: Rows) -> Result<Vec<u8>, ReportError> {
    let error = |reason: String| ReportError::Table {
        table: name,
        reason,
    };
    let mut writer = Writer::from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row)
            .map_err(|source| error(source.to_string()))?;
    }
    writer
        .into_inner()
        .map_err(|source| error(source.to_string()))
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn maybe(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn verdict_rows(results: &Results) -> Rows {
    let mut rows = vec![header(&[
        "statement",
        "source",
        "arm",
        "baseline",
        "metric",
        "direction",
        "smallest_effect",
        "ratio",
        "low",
        "high",
        "seeds",
        "verdict",
        "reason",
    ])];
    for held in &results.verdicts {
        let effect = held.effect.as_ref();
        rows.push(vec![
            held.claim.statement.clone(),
            held.claim.source.clone(),
            held.claim.arm.clone(),
            held.baseline.clone(),
            Column::Claimed(held.claim.metric).key().to_owned(),
            format!("{:?}", held.claim.direction).to_lowercase(),
            held.claim.smallest_effect.to_string(),
            maybe(effect.map(|effect| effect.ratio)),
            maybe(effect.and_then(|effect| effect.low)),
            maybe(effect.and_then(|effect| effect.high)),
            effect.map_or(0, |effect| effect.seeds).to_string(),
            held.verdict.label().to_owned(),
            held.reason.clone().unwrap_or_default(),
        ]);
    }
    rows
}

fn metric_rows(results: &Results) -> Rows {
    let mut rows = vec![header(&[
        "arm",
        "metric",
        "runs",
        "count",
        "mean",
        "deviation",
        "median",
        "low",
        "high",
    ])];
    for arm in &results.arms {
        for metric in &arm.metrics {
            let sample = metric.sample.as_ref();
            let interval = sample.and_then(|sample| sample.interval);
            rows.push(vec![
                arm.name.clone(),
                metric.metric.to_owned(),
                metric.runs.to_string(),
                sample.map_or(0, |sample| sample.count).to_string(),
                maybe(sample.map(|sample| sample.mean)),
                maybe(sample.and_then(|sample| sample.deviation)),
                maybe(sample.map(|sample| sample.median)),
                maybe(interval.map(|interval| interval.low)),
                maybe(interval.map(|interval| interval.high)),
            ]);
        }
    }
    rows
}

fn run_rows(folder: &Folder) -> Rows {
    let mut names = vec!["arm", "seed", "finished", "last_step", "reached", "of"];
    names.extend(Column::ALL.map(Column::key));
    let mut rows = vec![header(&names)];
    for arm in &folder.arms {
        for run in &arm.runs {
            let summary = &run.summary;
            let mut row = vec![
                arm.name.clone(),
                run.seed.to_string(),
                run.finished.to_string(),
                summary.last_step.to_string(),
                summary.spread.reached.to_string(),
                summary.spread.of.to_string(),
            ];
            row.extend(Column::ALL.map(|column| maybe(column.value(run))));
            rows.push(row);
        }
    }
    rows
}

fn capability_rows(folder: &Folder) -> Rows {
    let mut rows = vec![header(&[
        "arm",
        "seed",
        "capability",
        "frequency",
        "t10",
        "t50",
        "t90",
        "width",
        "relative_width",
        "log_width",
        "largest_rise",
        "effective_increments",
        "final_accuracy",
        "final_loss",
    ])];
    for arm in &folder.arms {
        for run in &arm.runs {
            for (name, capability) in &run.summary.capabilities {
                let one = capability.emergence;
                let mut row = vec![arm.name.clone(), run.seed.to_string(), name.clone()];
                row.push(capability.frequency.to_string());
                row.extend(
                    [
                        one.t10,
                        one.t50,
                        one.t90,
                        one.width,
                        one.relative_width,
                        one.log_width,
                        one.largest_rise,
                        one.effective_increments,
                        Some(capability.final_accuracy),
                        Some(capability.final_loss),
                    ]
                    .map(maybe),
                );
                rows.push(row);
            }
        }
    }
    rows
}
