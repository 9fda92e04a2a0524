//! Whether a long run's memory grows: a training of many steps, with checkpoints, watched from inside.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use gradual::runs::{RunConfig, SCHEMA};
use gradual::train::{
    Flow, GO_ON, Keep, Observer, RunFolder, SeenStep, TrainError, Trainer, TrainerConfig, When,
};
use gradual_report::{Line, LinePlot, Stroke};
use gradual_tasks::{SparseParity, SparseParityConfig};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::method::memory;
use crate::arms;
use crate::backend::Backend;
use crate::experiment::adam;

/// The arms that run: without gradients, with a Gram matrix each step, with standing examples.
const ARMS: [&str; 3] = ["erm", "svd", "whitened"];

/// Looks at the memory in one run.
const LOOKS: u64 = 200;

/// Memory after some steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Look {
    step: u64,
    bytes: u64,
}

/// Runs all arms, each in a process of its own, and writes what they took to `out`.
pub(super) fn run(steps: u64, backend: &Backend, out: &Path) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("which program is this?")?;
    let mut lines = Vec::new();
    let mut text = String::from(
        "| arm | steps | memory after a tenth (MiB) | at the end (MiB) | growth (MiB per 100 000 steps) |\n\
         |---|---|---|---|---|\n",
    );
    fs::create_dir_all(out).with_context(|| format!("could not create {}", out.display()))?;
    for arm in ARMS {
        eprintln!("{arm}: {steps} steps …");
        let output = Command::new(&program)
            .args(["bench", "--backend", &backend.argument()])
            .args(["--endurance", &steps.to_string(), "--endurance-arm", arm])
            .stderr(Stdio::inherit())
            .output()
            .context("could not start a run")?;
        if !output.status.success() {
            bail!("{arm}: the run failed");
        }
        let looks: Vec<Look> = serde_json::from_slice(&output.stdout).context(arm)?;
        text += &row(arm, &looks);
        lines.push(Line {
            label: arm.to_owned(),
            stroke: Stroke::Solid,
            points: looks
                .iter()
                .map(|look| (look.step as f64, mebibytes(look.bytes)))
                .collect(),
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
    println!("{text}");
    println!("{}", out.join("memory.svg").display());
    Ok(())
}

/// A row of the table; the growth is the slope of a line through all looks after the first tenth.
fn row(arm: &str, looks: &[Look]) -> String {
    let Some(last) = looks.last() else {
        return format!("| {arm} | – | – | – | – |\n");
    };
    let later: Vec<&Look> = looks
        .iter()
        .filter(|look| look.step * 10 >= last.step)
        .collect();
    let n = later.len() as f64;
    let x = later.iter().map(|look| look.step as f64).sum::<f64>() / n;
    let y = later.iter().map(|look| mebibytes(look.bytes)).sum::<f64>() / n;
    let (mut product, mut square) = (0.0, 0.0);
    for look in &later {
        let dx = look.step as f64 - x;
        product += dx * (mebibytes(look.bytes) - y);
        square += dx * dx;
    }
    let slope = if square > 0.0 {
        product / square * 1e5
    } else {
        0.0
    };
    format!(
        "| {arm} | {} | {:.1} | {:.1} | {slope:+.2} |\n",
        last.step,
        mebibytes(later[0].bytes),
        mebibytes(last.bytes)
    )
}

fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// One arm, in this process; what it took goes to standard output.
pub(super) fn one(arm: &str, steps: u64, backend: &Backend) -> anyhow::Result<()> {
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
    let every = (steps / LOOKS).max(1);
    let folder = RunFolder::create(&home.path().join(arm), &record, &json!({}))?;
    let mut watched = Watched(Vec::new());
    let tasks = config.tasks;
    let task = SparseParity::new(config, 0)?;
    let objective = arms::objective(arm, tasks, &["layers.0.weight"], 0)?;
    let settings = TrainerConfig {
        steps,
        draw: 64,
        every,
        ..TrainerConfig::default()
    };
    Trainer::new(&task, objective, adam(), &backend.device, settings)
        .with_rate(1e-3)
        .observe(folder.with_checkpoints(every, Keep::default()))
        .observe_when(When::Every(every), &mut watched)
        .run()?;
    serde_json::to_writer(io::stdout(), &watched.0).context("could not write what was seen")
}

struct Watched(Vec<Look>);

impl Observer for Watched {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        if let Some(bytes) = memory("VmRSS:") {
            self.0.push(Look {
                step: seen.step,
                bytes,
            });
        }
        Ok(GO_ON)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growth_is_a_slope() {
        let look = |step: u64| Look {
            step,
            bytes: (100 << 20) + step * 10,
        };
        let looks: Vec<Look> = (1..=100).map(|i| look(i * 1_000)).collect();
        let text = row("erm", &looks);
        // 10 bytes a step are a mebibyte, less 5 percent, for 100 000 steps.
        assert_eq!(text, "| erm | 100000 | 100.1 | 101.0 | +0.95 |\n");
        assert!(row("erm", &[]).contains('–'));
    }
}
