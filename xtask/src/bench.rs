//! `cargo xtask bench`: what a step costs, beside the peers if asked.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::backend::Backends;
use crate::cargo;
use crate::venv::Venv;

/// Where the peers' Python packages are installed, from the target folder.
const ENVIRONMENT: &str = "bench-venv";

/// What `--quick` asks for, where nothing else is: few rounds, and draws with a target of their own.
const QUICK: [(&str, &str); 2] = [("repetitions", "5"), ("draws", "64,128")];

/// What `--scaling --quick` asks for: few rounds, and enough sizes for a slope.
const QUICK_SCALING: [(&str, &str); 3] = [
    ("repetitions", "5"),
    ("draws", "64,256,1024"),
    ("widths", "128,512,1024"),
];

/// Flags of the lab, passed on unread: the lab knows its models, and explains what is wrong.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Time PyTorch, Opacus, TorchJD and JAX on the same work as well; installs them on first use
    #[arg(long)]
    peers: bool,
    /// How time and memory grow with the draw and with the number of parameters, as plots
    #[arg(long)]
    scaling: bool,
    /// A short version: 5 rounds, draws 64 and 128; with --scaling three draws and three widths
    #[arg(long)]
    quick: bool,
    /// Whether memory grows over a run of so many steps
    #[arg(long, value_name = "STEPS", allow_negative_numbers = true)]
    endurance: Option<OsString>,
    /// What the PyTorch peers run on: cpu or cuda
    #[arg(long, value_name = "DEVICE")]
    peers_device: Option<OsString>,
    /// Models, separated by commas: mlp, convnet, decoder, decoder-100m, mlp-WIDTH
    #[arg(long, value_name = "A,B")]
    models: Option<OsString>,
    /// Examples per step, for every model [default: 32,128,512,1024; decoder 16,64]
    #[arg(long, value_name = "N,M", allow_negative_numbers = true)]
    draws: Option<OsString>,
    /// Hidden widths of the MLPs of --scaling [default: 128,256,512,1024,2048]
    #[arg(long, value_name = "W,V", allow_negative_numbers = true)]
    widths: Option<OsString>,
    /// How many times each method is timed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    repetitions: Option<OsString>,
    /// Threads of each side
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    threads: Option<OsString>,
    /// Where the tables go, those of --scaling into the folder scaling in it [default: runs/bench]
    #[arg(long, value_name = "DIR")]
    out: Option<OsString>,
    /// The backend to run on, NAME or NAME:INDEX for one of its devices: a feature of gradual-lab
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
}

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let backends = Backends::choose_one(self.backend.as_deref())?;
        let mut arguments = self.lab_arguments();
        if self.peers {
            arguments.push(assigned("peers", install()?.as_os_str()));
            let script = cargo::root().join("bench/peers.py");
            arguments.push(assigned("peers-script", script.as_os_str()));
        }
        match backends.become_lab(arguments)? {}
    }

    /// The command line of the lab, but for the peers' interpreter.
    pub(crate) fn lab_arguments(&self) -> Vec<OsString> {
        let values = [
            ("endurance", &self.endurance),
            ("peers-device", &self.peers_device),
            ("models", &self.models),
            ("draws", &self.draws),
            ("widths", &self.widths),
            ("repetitions", &self.repetitions),
            ("threads", &self.threads),
            ("out", &self.out),
        ];
        let mut arguments = vec![OsString::from("bench")];
        if self.scaling {
            arguments.push("--scaling".into());
        }
        let short: &[(&str, &str)] = match (self.quick, self.scaling) {
            (false, _) => &[],
            (true, false) => &QUICK,
            (true, true) => &QUICK_SCALING,
        };
        for (flag, value) in values {
            let short = short.iter().find(|(name, _)| *name == flag);
            let value = value.clone().or(short.map(|(_, value)| value.into()));
            if let Some(value) = value {
                arguments.push(assigned(flag, &value));
            }
        }
        arguments
    }
}

/// One argument, not two: a value that starts with a hyphen stays a value.
fn assigned(flag: &str, value: &OsStr) -> OsString {
    let mut argument = OsString::from(format!("--{flag}="));
    argument.push(value);
    argument
}

/// The interpreter of an environment that holds the peers, made if it is not there.
fn install() -> anyhow::Result<PathBuf> {
    let folder = cargo::target().join(ENVIRONMENT);
    let ready = folder.join("ready");
    let venv = Venv::new(folder);
    if !ready.exists() {
        println!(
            "installing the peers into target/{ENVIRONMENT}: about 3.5 GB to download, 6 GB on disk"
        );
        venv.install(&["--no-deps", "-r", "bench/requirements.txt"])?;
        std::fs::write(&ready, "").with_context(|| format!("cannot write {}", ready.display()))?;
    }
    Ok(venv.python())
}
