//! When capabilities emerge, against their frequency, beside what the solvable model says: the figure of `docs/theory.md`.
//!
//!     cargo run --release -p gradual-report --example frequencies -- runs/exact erm,grouped docs/figures/frequencies.svg
//!
//! Each point is the geometric mean over seeds of a capability's t50. The dotted lines are the model, fitted to each run:
//! with the frequencies as weights for the baseline, with equal weights for all other arms.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;

use gradual_measure::{RunSummary, Solvable};
use gradual_report::{Line, LinePlot, Stroke};
use gradual_runs::{ExperimentFolder, Run};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, arms, out] = arguments.as_slice() else {
        return Err("three arguments: the folder of an experiment, arms with commas between them, an SVG file".into());
    };
    let experiment = ExperimentFolder::read(Path::new(folder))?;
    let mut lines = Vec::new();
    for arm in arms.split(',') {
        let is_baseline = arm == experiment.record.baseline;
        let runs = experiment.runs.iter().filter(|run| run.config.arm == arm);
        let times = runs
            .map(|run| times(run, is_baseline))
            .collect::<Result<Vec<_>, _>>()?;
        let of = |which: fn(&Times) -> (f64, f64)| along(times.iter().flatten().map(which));
        lines.push(Line {
            label: arm.to_owned(),
            stroke: Stroke::Solid,
            points: of(|one| (one.frequency, one.measured)),
        });
        lines.push(Line {
            label: format!("{arm}, model"),
            stroke: Stroke::Dotted,
            points: of(|one| (one.frequency, one.predicted)),
        });
    }
    let plot = LinePlot {
        name: "frequencies".to_owned(),
        title: "When capabilities are half learned".to_owned(),
        x_label: "frequency".to_owned(),
        y_label: "t50 (steps)".to_owned(),
        lines,
    };
    std::fs::write(out, plot.svg()?)?;
    Ok(())
}

/// When one capability of one run is half learned.
struct Times {
    frequency: f64,
    measured: f64,
    predicted: f64,
}

fn times(run: &Run, by_frequency: bool) -> Result<Vec<Times>, Box<dyn Error>> {
    let summary = RunSummary::from_evaluations(&run.evaluations)?;
    let capabilities: Vec<_> = summary.counted().collect();
    let weights = capabilities.iter().map(|one| match by_frequency {
        true => one.frequency,
        false => 1.0 / capabilities.len() as f64,
    });
    let weights: Vec<f64> = weights.collect();
    let model = Solvable::fit(&summary.curves().skills(), &weights);
    let model = model.ok_or("a run in which fewer than two capabilities emerge")?;
    let each = capabilities.iter().zip(&weights);
    let each = each.filter_map(|(one, &weight)| {
        Some(Times {
            frequency: one.frequency,
            measured: one.emergence.t50?,
            predicted: model.t50(weight),
        })
    });
    Ok(each.collect())
}

/// Geometric means over points of one frequency, the rarest first.
fn along(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut by_frequency: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (frequency, time) in points {
        by_frequency
            .entry(frequency.to_bits())
            .or_default()
            .push(time.ln());
    }
    let mean = |logs: &[f64]| (logs.iter().sum::<f64>() / logs.len() as f64).exp();
    let points = by_frequency.iter();
    points
        .map(|(bits, logs)| (f64::from_bits(*bits), mean(logs)))
        .collect()
}
