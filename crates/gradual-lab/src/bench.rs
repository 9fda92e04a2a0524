//! The command `bench`: what a step costs, as ratios to an ordinary step, beside the peers.
//!
//! Each (model, draw) runs in a process of its own, its methods in turn, so that a drift of the
//! machine's speed hits all alike. Peaks of memory are taken one method per process.

mod method;
mod model;
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use method::Method;
use model::Kind;

/// What can be asked for.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Models: mlp, convnet, decoder
    #[arg(long, value_name = "A,B", value_delimiter = ',')]
    models: Vec<String>,
    /// Examples per step, for every model [default: 32,128,512,1024; decoder 16,64]
    #[arg(long, value_name = "N,M", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..))]
    draws: Vec<u64>,
    /// Repetitions of each method
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    repetitions: u64,
    /// Threads of each side
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    threads: u64,
    /// A Python interpreter with the packages of bench/requirements.txt: times the peers as well
    #[arg(long, value_name = "PYTHON")]
    peers: Option<PathBuf>,
    /// Where the tables go
    #[arg(long, value_name = "DIR", default_value = "runs/bench")]
    out: PathBuf,
    /// One case, as the command itself asks for it
    #[arg(long, hide = true)]
    case: Option<String>,
}

/// One (model, draw), and the methods to run on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Case {
    model: Kind,
    draw: usize,
    threads: usize,
    repetitions: usize,
    methods: Vec<Method>,
}

/// The result of one method (ours) or peer (theirs) on one case.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Measured {
    #[serde(alias = "peer")]
    method: String,
    model: String,
    draw: usize,
    #[serde(default)]
    ours: bool,
    #[serde(default)]
    seconds: Vec<f64>,
    #[serde(default)]
    peak_memory_bytes: Option<u64>,
    #[serde(default)]
    start_memory_bytes: Option<u64>,
    #[serde(default)]
    skipped: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        if let Some(case) = &self.case {
            let case: Case = serde_json::from_str(case).context("--case")?;
            for measured in method::measure(&case)? {
                println!("{}", serde_json::to_string(&measured)?);
            }
            return Ok(());
        }
        let known = Kind::ALL.map(Kind::name);
        if let Some(unknown) = self
            .models
            .iter()
            .find(|name| !known.contains(&name.as_str()))
        {
            bail!(
                "there is no model '{unknown}'; there are {}",
                known.join(", ")
            );
        }
        let wanted =
            |kind: &Kind| self.models.is_empty() || self.models.iter().any(|n| n == kind.name());
        let mut all = Vec::new();
        for kind in Kind::ALL.into_iter().filter(wanted) {
            let default = kind.draws().iter().map(|&draw| draw as u64).collect();
            let draws = if self.draws.is_empty() {
                default
            } else {
                self.draws.clone()
            };
            for draw in draws {
                eprintln!("{} at draw {draw} …", kind.name());
                let theirs = self
                    .peers
                    .as_deref()
                    .map(|python| self.peers(python, kind, draw));
                all.extend(theirs.transpose()?.unwrap_or_default());
                all.extend(self.ours(kind, draw as usize)?);
            }
        }
        table::write(&self.out, &all)
    }

    /// Our methods: times in one process, then memory in one each.
    fn ours(&self, model: Kind, draw: usize) -> anyhow::Result<Vec<Measured>> {
        let child = |methods: Vec<Method>, repetitions: usize| {
            let case = Case {
                model,
                draw,
                threads: self.threads as usize,
                repetitions,
                methods,
            };
            let mut command = Command::new(std::env::current_exe()?);
            command
                .args(["bench", "--case"])
                .arg(serde_json::to_string(&case)?);
            lines(&mut command)
        };
        let mut timed = child(Method::ALL.to_vec(), self.repetitions as usize)?;
        for (measured, method) in timed.iter_mut().zip(Method::ALL) {
            if let Some(alone) = child(vec![method], 3)?.pop() {
                measured.peak_memory_bytes = alone.peak_memory_bytes;
                measured.start_memory_bytes = alone.start_memory_bytes;
            }
        }
        Ok(timed)
    }

    /// The peers, by the script that knows them.
    fn peers(&self, python: &Path, model: Kind, draw: u64) -> anyhow::Result<Vec<Measured>> {
        let mut command = Command::new(python);
        command
            .arg("bench/peers.py")
            .args(["--models", model.name()]);
        command.args([
            "--draws",
            &draw.to_string(),
            "--threads",
            &self.threads.to_string(),
        ]);
        lines(&mut command)
    }
}

/// Runs a command that prints one measurement per line.
fn lines(command: &mut Command) -> anyhow::Result<Vec<Measured>> {
    let name = command.get_program().display().to_string();
    let output = command.stderr(Stdio::inherit()).output();
    let output = output.with_context(|| format!("could not start {name}"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let each = text
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()));
    each.collect::<anyhow::Result<_>>()
        .with_context(|| format!("unexpected output of {name}"))
}
