//! `cargo xtask bench`: what a step costs, beside the peers if asked.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;

use crate::backend::Backend;
use crate::{cargo, program};

/// Where the peers' Python packages are installed, from the root of the workspace.
const ENVIRONMENT: &str = "target/bench-venv";

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
    /// Models, separated by commas: mlp, convnet, decoder, mlp-WIDTH
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
    /// The backend to build the lab with: a feature of gradual-lab
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
}

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let backend = Backend::choose(self.backend.as_deref())?;
        let lab = program::build("gradual-lab", &backend.cargo_arguments())?;
        let mut arguments = self.lab_arguments();
        if self.peers {
            let root = cargo::root();
            arguments.push(assigned("peers", install(&root)?.as_os_str()));
            let script = root.join("bench/peers.py");
            arguments.push(assigned("peers-script", script.as_os_str()));
        }
        match program::become_program(lab, arguments)? {}
    }

    /// The command line of the lab, but for the peers' interpreter.
    pub(crate) fn lab_arguments(&self) -> Vec<OsString> {
        let values = [
            ("endurance", &self.endurance),
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
fn install(root: &Path) -> anyhow::Result<PathBuf> {
    let environment = root.join(ENVIRONMENT);
    let (ready, python) = (environment.join("ready"), environment.join("bin/python"));
    if ready.exists() {
        return Ok(python);
    }
    println!("installing the peers into {ENVIRONMENT}: about 3.5 GB to download, 6 GB on disk");
    call(root, "python3", "-m venv", ENVIRONMENT)?;
    let install = "-m pip install --no-deps -r";
    call(root, &python, install, "bench/requirements.txt")?;
    std::fs::write(&ready, "").with_context(|| format!("cannot write {}", ready.display()))?;
    Ok(python)
}

/// Runs a program in the root of the workspace: words apart by spaces, then a path from the root.
fn call(root: &Path, program: impl AsRef<Path>, words: &str, path: &str) -> anyhow::Result<()> {
    let program = program.as_ref();
    let line = format!("{} {words} {path}", program.display());
    let mut command = Command::new(program);
    command.current_dir(root).args(words.split(' ')).arg(path);
    let status = command.status();
    let status = status.with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}
