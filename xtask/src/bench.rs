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

/// Flags of the lab, passed on; only the peers' environment is this command's.
#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// Time PyTorch, Opacus, TorchJD and JAX on the same work as well; installs them on first use
    #[arg(long)]
    peers: bool,
    /// The backend to build the lab with: a feature of gradual-lab
    #[arg(long, value_name = "NAME")]
    backend: Option<String>,
    /// Further arguments of the lab: --models, --draws, --repetitions, --threads, --out
    #[arg(allow_hyphen_values = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,
}

impl Bench {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        let backend = Backend::choose(self.backend.as_deref())?;
        let lab = program::build("gradual-lab", &backend.cargo_arguments())?;
        let mut arguments = vec![OsString::from("bench")];
        if self.peers {
            arguments.push("--peers".into());
            arguments.push(install()?.into());
        }
        arguments.extend(self.arguments.iter().cloned());
        match program::become_program(lab, arguments)? {}
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
