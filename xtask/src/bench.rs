//! `cargo xtask bench`: what a step costs, beside the peers if asked.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use clap::Args;

use crate::backend::Backend;
use crate::program;

/// Where the peers' Python packages are installed.
const ENVIRONMENT: &str = "target/bench-venv";

/// What `--quick` asks for, where nothing else is: few rounds, and draws with a target of their own.
const QUICK: [(&str, &str); 2] = [("repetitions", "5"), ("draws", "64,128")];

/// Flags of the lab, passed on unread: the lab knows its models, and explains what is wrong.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Time PyTorch, Opacus, TorchJD and JAX on the same work as well; installs them on first use
    #[arg(long)]
    peers: bool,
    /// A short version: 5 rounds, draws 64 and 128
    #[arg(long)]
    quick: bool,
    /// Models, separated by commas: mlp, convnet, decoder
    #[arg(long, value_name = "A,B")]
    models: Option<OsString>,
    /// Examples per step, for every model [default: 32,128,512,1024; decoder 16,64]
    #[arg(long, value_name = "N,M", allow_negative_numbers = true)]
    draws: Option<OsString>,
    /// How many times each method is timed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    repetitions: Option<OsString>,
    /// Threads of each side
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    threads: Option<OsString>,
    /// Where the tables go [default: runs/bench]
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
            arguments.push("--peers".into());
            arguments.push(install()?.into());
        }
        match program::become_program(lab, arguments)? {}
    }

    /// The command line of the lab, but for the peers' interpreter.
    pub(crate) fn lab_arguments(&self) -> Vec<OsString> {
        let values = [
            ("models", &self.models),
            ("draws", &self.draws),
            ("repetitions", &self.repetitions),
            ("threads", &self.threads),
            ("out", &self.out),
        ];
        let mut arguments = vec![OsString::from("bench")];
        for (flag, value) in values {
            let short = QUICK.iter().find(|(name, _)| self.quick && *name == flag);
            let value = value.clone().or(short.map(|(_, value)| value.into()));
            if let Some(value) = value {
                // One argument, not two: a value that starts with a hyphen stays a value.
                let mut argument = OsString::from(format!("--{flag}="));
                argument.push(value);
                arguments.push(argument);
            }
        }
        arguments
    }
}

/// The interpreter of an environment that holds the peers, made if it is not there.
fn install() -> anyhow::Result<String> {
    let (ready, python) = (
        format!("{ENVIRONMENT}/ready"),
        format!("{ENVIRONMENT}/bin/python"),
    );
    if Path::new(&ready).exists() {
        return Ok(python);
    }
    println!("installing the peers into {ENVIRONMENT}: about 3.5 GB to download, 6 GB on disk");
    call("python3", &["-m", "venv", ENVIRONMENT])?;
    let packages = [
        "-m",
        "pip",
        "install",
        "--no-deps",
        "-r",
        "bench/requirements.txt",
    ];
    call(&python, &packages)?;
    std::fs::write(&ready, "").with_context(|| format!("cannot write {ready}"))?;
    Ok(python)
}

fn call(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let line = format!("{program} {}", arguments.join(" "));
    let status = Command::new(program).args(arguments).status();
    let status = status.with_context(|| format!("cannot start `{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed: {status}");
    }
    Ok(())
}
