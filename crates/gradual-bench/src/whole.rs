//! Whole experiments, as a user waits for them, beside the same ones written in PyTorch and JAX.
//!
//! A run here is everything: draws, steps, evaluations, journals, checkpoints. Each is a process of its own, and in every
//! round all sides run once, one after the other. The peers read sizes and evaluated steps from the folder of our run, so
//! that all do the same work; their last accuracy shows that they learn the same.

mod case;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use std::{fs, io};

use anyhow::{Context, bail};
use gradual::runs::streams::tell;
use gradual_backends::backend::Backend;
use serde::Deserialize;

use case::{CASES, WholeCase, write_table};

/// What the peers are called in `bench/whole.py`.
const FRAMEWORKS: [&str; 3] = ["eager", "compile", "jax"];

/// How whole experiments are timed.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) backend: Backend,
    pub(crate) threads: usize,
    /// How often each side runs.
    pub(crate) rounds: usize,
    /// Whether runs are a tenth as long.
    pub(crate) quick: bool,
    /// A Python that has the peers, and the folder of their scripts.
    pub(crate) peers: Option<(PathBuf, PathBuf)>,
}

/// One run of one side.
#[derive(Debug)]
struct Timed {
    experiment: String,
    arm: String,
    steps: u64,
    side: String,
    round: usize,
    /// Training, evaluations and files, without the start, a compiler and the report.
    seconds: f64,
    /// The whole command.
    command_seconds: f64,
    /// Mean over capabilities at the end.
    accuracy: f64,
}

/// What a run says of its end: ours in its journals, a peer's as what `bench/whole.py` prints.
#[derive(Debug, Deserialize)]
struct Ended {
    seconds: f64,
    accuracy: f64,
}

impl Whole {
    /// Times everything, and writes `whole.csv` and `whole.md` to `out`, which are there from the first round on.
    pub(crate) fn run(&self, out: &Path) -> anyhow::Result<()> {
        let home = tempfile::tempdir().context("could not create a folder for runs")?;
        let data = home.path().join("table.csv");
        write_table(&data)?;
        let mut all = Vec::new();
        for case in CASES {
            let steps = match self.quick {
                true => case.steps / 10,
                false => case.steps,
            };
            for round in 0..self.rounds {
                let place = format!("{}-{}-{round}", case.experiment, case.arm);
                let place = home.path().join(place);
                tell(format_args!(
                    "{} {}: {steps} steps, round {} of {} …",
                    case.experiment,
                    case.arm,
                    round + 1,
                    self.rounds
                ));
                let timed = |side: &str, command_seconds, ended: Ended| Timed {
                    experiment: case.experiment.to_owned(),
                    arm: case.arm.to_owned(),
                    steps,
                    side: side.to_owned(),
                    round,
                    seconds: ended.seconds,
                    command_seconds,
                    accuracy: ended.accuracy,
                };
                let began = Instant::now();
                let run = self.ours(&case, steps, &data, &place)?;
                let command_seconds = began.elapsed().as_secs_f64();
                all.push(timed("gradual", command_seconds, ended(&run)?));
                for framework in FRAMEWORKS.iter().filter(|_| self.peers.is_some()) {
                    let began = Instant::now();
                    let answer = self.theirs(&case, framework, &data, &run, &place)?;
                    let command_seconds = began.elapsed().as_secs_f64();
                    all.push(timed(framework, command_seconds, answer));
                }
                fs::remove_dir_all(&place).with_context(|| place.display().to_string())?;
                table::write(out, &all)?;
            }
        }
        table::show(out, &all)
    }

    /// A run of ours in `place`; its folder.
    fn ours(
        &self,
        case: &WholeCase,
        steps: u64,
        data: &Path,
        place: &Path,
    ) -> anyhow::Result<PathBuf> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["experiment", case.experiment, "--arms", case.arm])
            .args(["--seeds", "1", "--jobs", "1"])
            .args(["--steps", &steps.to_string()])
            .args(["--backend", &self.backend.argument()])
            .arg("--out")
            .arg(place)
            .env("RAYON_NUM_THREADS", self.threads.to_string());
        if case.has_data {
            command.arg("--data").arg(data);
            command.args(["--label", "label", "--group", "group"]);
        }
        finished(&mut command)?;
        Ok(place.join(case.experiment).join(case.arm).join("seed-0"))
    }

    fn theirs(
        &self,
        case: &WholeCase,
        framework: &str,
        data: &Path,
        run: &Path,
        place: &Path,
    ) -> anyhow::Result<Ended> {
        let (python, scripts) = self.peers.as_ref().context("no Python was given")?;
        let mut command = Command::new(python);
        command
            .arg(scripts.join("whole.py"))
            .arg("--run")
            .arg(run)
            .args(["--framework", framework])
            .args(["--threads", &self.threads.to_string()])
            .arg("--out")
            .arg(place.join(framework));
        if case.has_data {
            command.arg("--data").arg(data);
        }
        let output = finished(&mut command)?;
        serde_json::from_slice(&output).with_context(|| format!("{framework}: unexpected output"))
    }
}

/// The standard output of a command that has to succeed.
fn finished(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let name = command.get_program().display().to_string();
    let output = command.stdin(Stdio::null()).output();
    let output = output.with_context(|| format!("could not start {name}"))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{name} failed ({}): {}", output.status, said.trim_end());
    }
    Ok(output.stdout)
}

/// What the journals of a run of ours say of its end.
fn ended(run: &Path) -> anyhow::Result<Ended> {
    let last = |name: &str| -> anyhow::Result<serde_json::Value> {
        let path = run.join(name);
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let line = text.lines().last().ok_or(io::ErrorKind::UnexpectedEof);
        Ok(serde_json::from_str(line.map_err(io::Error::from)?)?)
    };
    let (timing, curves) = (last("timing.jsonl")?, last("curves.jsonl")?);
    let capabilities = curves["capabilities"].as_object();
    let each = capabilities.into_iter().flatten();
    let each: Vec<f64> = each
        .filter_map(|(_, one)| one["accuracy"].as_f64())
        .collect();
    let seconds = timing["seconds"].as_f64().context("timing.jsonl")?;
    Ok(Ended {
        seconds,
        accuracy: each.iter().sum::<f64>() / each.len() as f64,
    })
}
