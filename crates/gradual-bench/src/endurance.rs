//! Whether a long run's memory grows: a training of many steps, with checkpoints, watched from inside.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use burn::optim::AdamConfig;
use gradual::measure::slope;
use gradual::prelude::*;
use gradual::runs::streams::{say, tell};
use gradual::runs::{RunConfig, SCHEMA, process};
use gradual::train::{
    Flow, Keep, Observer, RunFolder, SeenStep, TrainError, Trainer, TrainerConfig, When,
};
use gradual_backends::backend::Backend;
use gradual_report::{Line, LinePlot, Stroke};
use gradual_tasks::{SparseParity, SparseParityConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The arms that run: without gradients, with a Gram matrix each step, with standing examples.
const ARMS: [&str; 3] = ["erm", "svd", "whitened"];

/// Samples of the memory in one run.
const SAMPLES: u64 = 200;

/// Resident memory after some steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct MemorySample {
    step: u64,
    bytes: u64,
}

impl MemorySample {
    /// (step, MiB).
    fn point(&self) -> (f64, f64) {
        (self.step as f64, self.bytes as f64 / f64::from(1 << 20))
    }
}

/// Runs all arms, each in a process of its own, and writes what they took to `out`.
pub(crate) fn run(steps: u64, backend: &Backend, out: &Path) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("which program is this?")?;
    let mut lines = Vec::new();
    let mut text = String::from(
        "| arm | steps | memory after a tenth (MiB) | at the end (MiB) | growth (MiB per 100 000 steps) |\n\
         |---|---|---|---|---|\n",
    );
    fs::create_dir_all(out).with_context(|| format!("could not create {}", out.display()))?;
    for arm in ARMS {
        tell(format_args!("{arm}: {steps} steps …"));
        let output = Command::new(&program)
            .args(["bench", "--backend", &backend.argument()])
            .args(["--endurance", &steps.to_string(), "--endurance-arm", arm])
            .stderr(Stdio::inherit())
            .output()
            .context("could not start a run")?;
        if !output.status.success() {
            bail!("{arm}: the run failed");
        }
        let samples: Vec<MemorySample> = serde_json::from_slice(&output.stdout).context(arm)?;
        text += &row(arm, &samples);
        lines.push(Line {
            label: arm.to_owned(),
            stroke: Stroke::Solid,
            points: samples.iter().map(MemorySample::point).collect(),
        });
    }
    let plot = LinePlot {
        name: "memory".to_owned(),
        title: "Memory of a long run".to_owned(),
        x_label: "steps".to_owned(),
        y_label: "resident memory (MiB)".to_owned(),
        lines,
    };
    let write = |name: &str, content: &str| {
        let file = out.join(name);
        fs::write(&file, content).with_context(|| format!("could not write {}", file.display()))
    };
    write("memory.svg", &plot.svg()?)?;
    write("memory.md", &text)?;
    say(&text)?;
    say(out.join("memory.svg").display())?;
    Ok(())
}

/// A row of the table; the growth is the slope of a line through all samples after the first tenth.
fn row(arm: &str, samples: &[MemorySample]) -> String {
    let Some(last) = samples.last() else {
        return format!("| {arm} | – | – | – | – |\n");
    };
    let later = samples
        .iter()
        .filter(|sample| sample.step * 10 >= last.step);
    let points: Vec<(f64, f64)> = later.map(MemorySample::point).collect();
    let growth = slope(&points).unwrap_or(0.0) * 1e5;
    format!(
        "| {arm} | {} | {:.1} | {:.1} | {growth:+.2} |\n",
        last.step,
        points[0].1,
        last.point().1
    )
}

/// One arm, in this process; what it took goes to standard output.
pub(crate) fn one(arm: &str, steps: u64, backend: &Backend) -> anyhow::Result<()> {
    let home = tempfile::tempdir().context("could not create a folder for checkpoints")?;
    let config = SparseParityConfig {
        tasks: 8,
        bits: 20,
        hidden: 128,
        ..SparseParityConfig::default()
    };
    let record = RunConfig {
        schema: SCHEMA,
        experiment: "endurance".to_owned(),
        arm: arm.to_owned(),
        seed: 0,
        steps,
        draw: 64,
        backend: backend.name.to_owned(),
        task: Value::Null,
        recipe: Value::Null,
        settings: json!(config),
    };
    let every = (steps / SAMPLES).max(1);
    let folder = RunFolder::create(&home.path().join(arm), &record, &json!({}), &[])?;
    let mut watch = MemoryWatch(Vec::new());
    let task = SparseParity::new(config, 0)?;
    let objective = objective(arm)?;
    let settings = TrainerConfig {
        steps,
        draw: 64,
        every,
        ..TrainerConfig::default()
    };
    let adam = AdamConfig::new().with_epsilon(1e-8).init();
    Trainer::new(&task, objective, adam, &backend.device, settings)
        .with_rate(1e-3)
        .observe(folder.with_checkpoints(every, Keep::default()))
        .observe_when(When::Every(every), &mut watch)
        .run()?;
    serde_json::to_writer(io::stdout(), &watch.0).context("could not write what was seen")
}

/// What the arm called `arm` minimises.
fn objective(arm: &str) -> anyhow::Result<Objective> {
    Ok(match arm {
        "erm" => Objective::new(OneGroup, Mean),
        "svd" => Objective::new(SingularVectors::default(), SumOfSquares),
        "whitened" => {
            let metric = Metric::whitened().with_layers(&["layers.0.weight"])?;
            Objective::new(Landmarks::new(HowMany::Eigengap, metric, 0), SumOfSquares)
        }
        unknown => bail!("there is no arm '{unknown}'; there are {}", ARMS.join(", ")),
    })
}

/// Records the memory after each step that it sees.
struct MemoryWatch(Vec<MemorySample>);

impl Observer for MemoryWatch {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        if let Some(bytes) = process::memory() {
            self.0.push(MemorySample {
                step: seen.step,
                bytes,
            });
        }
        Ok(Flow::Continue(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_a_slope() {
        let sample = |step: u64| MemorySample {
            step,
            bytes: (100 << 20) + step * 10,
        };
        let samples: Vec<MemorySample> = (1..=100).map(|i| sample(i * 1_000)).collect();
        let text = row("erm", &samples);
        // 10 bytes a step are a mebibyte, less 5 percent, for 100 000 steps.
        assert_eq!(text, "| erm | 100000 | 100.1 | 101.0 | +0.95 |\n");
        assert!(row("erm", &[]).contains('–'));
    }
}
