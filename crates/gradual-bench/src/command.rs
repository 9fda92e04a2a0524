//! The command `bench`.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use gradual::runs::streams::{say, tell};
use gradual_backends::backend::Backend;

use crate::case::{self, Case};
use crate::method::Method;
use crate::model::{Kind, MOST_WIDTH};
use crate::turns::{Peers, Turns};
use crate::whole::Whole;
use crate::{endurance, groupings, largest, scaling, table};

/// Draws of `--quick`: those that have a target.
const QUICK_DRAWS: [usize; 2] = [64, 128];

/// What can be asked for at most.
const MOST_EXAMPLES: u64 = 65_536;
const MOST_STEPS: u64 = 1_000_000_000;
const MOST_REPETITIONS: u64 = 100_000;
const MOST_THREADS: u64 = 1_024;

/// What can be asked for.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Models: mlp, convnet, decoder, decoder-50257, decoder-100m, or mlp-W for hidden layers of width W
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        conflicts_with = "scaling"
    )]
    models: Vec<String>,
    /// Examples per step, for every model [default: 32,128,512,1024; decoder 16,64]
    #[arg(long, value_name = "N,M", value_delimiter = ',', value_parser = clap::value_parser!(u64).range(1..=MOST_EXAMPLES))]
    draws: Vec<u64>,
    /// How cost grows with the draw and with the number of parameters, in place of the table
    #[arg(long)]
    scaling: bool,
    /// Whether memory grows over a run of so many steps, in place of the table
    #[arg(long, value_name = "STEPS", conflicts_with_all = ["scaling", "models"], value_parser = clap::value_parser!(u64).range(1..=MOST_STEPS))]
    endurance: Option<u64>,
    /// What a step costs under each grouping, in place of the table
    #[arg(long, conflicts_with_all = ["scaling", "endurance", "models"])]
    groupings: bool,
    /// The largest draws that fit into so many GiB, in place of the table
    #[arg(long, value_name = "GIB", conflicts_with_all = ["scaling", "endurance", "groupings", "draws", "quick", "repetitions"], value_parser = gibibytes)]
    largest: Option<f64>,
    /// Whole experiments, files and evaluations included, in place of the table: sparse-parity, skills and a table under
    /// the mean loss and the grouped one; --peers times the same written in PyTorch and JAX
    #[arg(long, conflicts_with_all = ["scaling", "endurance", "groupings", "largest", "models", "draws"])]
    whole: bool,
    /// One run of --endurance, as the command itself asks for it
    #[arg(long, hide = true, requires = "endurance")]
    endurance_arm: Option<String>,
    /// Widths of the MLPs of --scaling [default: 128,256,512,1024,2048]
    #[arg(long, value_name = "W,V", value_delimiter = ',', requires = "scaling", value_parser = clap::value_parser!(u64).range(1..=MOST_WIDTH))]
    widths: Vec<u64>,
    /// A short version: 5 repetitions, draws 64 and 128; with --scaling three draws and three widths; with --whole one
    /// repetition of a tenth of the steps
    #[arg(long)]
    quick: bool,
    /// Repetitions of each method [default: 30; with --whole 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_REPETITIONS))]
    repetitions: Option<u64>,
    /// Threads of each side
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MOST_THREADS))]
    threads: u64,
    /// Time PyTorch, Opacus, TorchJD and JAX on the same work as well, with a Python that has the packages of
    /// bench/requirements.txt; `cargo xtask bench --peers` makes one
    #[arg(long, value_name = "PYTHON", num_args = 0..=1, require_equals = true, default_missing_value = "python3")]
    peers: Option<PathBuf>,
    /// The script that times the peers
    #[arg(long, value_name = "FILE", default_value = "bench/peers.py")]
    peers_script: PathBuf,
    /// What the PyTorch peers run on: cpu or cuda
    #[arg(long, value_name = "DEVICE", default_value = "cpu")]
    peers_device: String,
    /// Where the tables go; those of --scaling, --endurance and --largest into folders in it
    #[arg(long, value_name = "DIR", default_value = "runs/bench")]
    out: PathBuf,
    /// One of the backends that are compiled in, NAME or NAME:INDEX for one of its devices
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// One case, as the command itself asks for it
    #[arg(long, hide = true)]
    case: Option<String>,
}

impl Arguments {
    /// Measures what was asked for, and writes and prints the tables.
    ///
    /// # Errors
    ///
    /// Where a backend, a model or the peers can't be used, a step fails, or a file can't be written.
    pub fn run(self) -> anyhow::Result<()> {
        let backend = Backend::choose(self.backend.as_deref())?;
        if let Some(case) = &self.case {
            let case: Case = serde_json::from_str(case).context("--case")?;
            for measured in case::measure(&case, &backend.device)? {
                say(serde_json::to_string(&measured)?)?;
            }
            return Ok(());
        }
        match (self.endurance, &self.endurance_arm) {
            (Some(steps), Some(arm)) => return endurance::one(arm, steps, &backend),
            (Some(steps), None) => {
                return endurance::run(steps, &backend, &self.out.join("endurance"));
            }
            (None, _) => {}
        }
        if self.groupings {
            let (threads, rounds) = (self.threads as usize, self.repetitions());
            return groupings::run(&backend, threads, rounds, &self.out);
        }
        if self.whole {
            let scripts = self
                .peers_script
                .parent()
                .unwrap_or(Path::new(""))
                .to_owned();
            let rounds = if self.quick { 1 } else { 3 };
            let whole = Whole {
                rounds: self.repetitions.map_or(rounds, |given| given as usize),
                threads: self.threads as usize,
                quick: self.quick,
                peers: self.peers.map(|python| (python, scripts)),
                backend,
            };
            return whole.run(&self.out);
        }
        let turns = Turns {
            backend,
            threads: self.threads as usize,
            repetitions: self.repetitions(),
            peers: self.peers.clone().map(|python| Peers {
                python,
                script: self.peers_script.clone(),
                device: self.peers_device.clone(),
            }),
        };
        if let Some(gib) = self.largest {
            return largest::run(&turns, &self.kinds()?, gib, &self.out.join("largest"));
        }
        let sizes = |given: &[u64], default: &[usize]| match given {
            [] => default.to_vec(),
            given => given.iter().map(|&size| size as usize).collect(),
        };
        if self.scaling {
            let (draws, widths) = match self.quick {
                true => (&scaling::QUICK_DRAWS[..], &scaling::QUICK_WIDTHS[..]),
                false => (&scaling::DRAWS[..], &scaling::WIDTHS[..]),
            };
            let (draws, widths) = (sizes(&self.draws, draws), sizes(&self.widths, widths));
            return scaling::run(&turns, &draws, &widths, &self.out.join("scaling"));
        }
        let mut all = Vec::new();
        for kind in self.kinds()? {
            let draws = if self.quick {
                &QUICK_DRAWS
            } else {
                kind.draws()
            };
            for draw in sizes(&self.draws, draws) {
                tell(format_args!("{kind} at draw {draw} …"));
                all.extend(turns.measure(kind, draw, &Method::ALL, &[])?);
            }
        }
        table::write(&self.out, &all)
    }

    fn repetitions(&self) -> usize {
        let default = if self.quick { 5 } else { 30 };
        self.repetitions.map_or(default, |given| given as usize)
    }

    fn kinds(&self) -> anyhow::Result<Vec<Kind>> {
        if self.models.is_empty() {
            return Ok(Kind::ALL.to_vec());
        }
        self.models.iter().map(|name| name.parse()).collect()
    }
}

/// A limit of memory.
fn gibibytes(text: &str) -> Result<f64, String> {
    let gib = text.parse::<f64>().ok();
    gib.filter(|gib| (0.05..=1024.0).contains(gib))
        .ok_or_else(|| String::from("it is a number of GiB from 0.05 to 1024"))
}
