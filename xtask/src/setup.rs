//! `cargo xtask setup`: installs what a backend needs beyond Rust.

use std::process::Command;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use crate::{cargo, machine, torch};

/// What to install.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// The backend
    #[arg(value_enum)]
    backend: Installable,
}

/// What can be installed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Installable {
    /// PyTorch, whose wheel holds LibTorch, with pip, under the target folder
    Tch,
    /// Mesa's Vulkan drivers, the software driver among them, with apt-get; as root
    Wgpu,
}

impl Setup {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self.backend {
            Installable::Tch => torch::install().context("setup tch"),
            Installable::Wgpu => vulkan().context("setup wgpu"),
        }
    }
}

/// Makes sure that there is a Vulkan driver, on Debian and what comes of it.
pub(crate) fn vulkan() -> anyhow::Result<()> {
    if machine::can_run("wgpu").is_err() {
        let get = |arguments: &[&str]| {
            let mut command = Command::new("apt-get");
            command.env("DEBIAN_FRONTEND", "noninteractive");
            cargo::run(command.args(arguments)).context("apt-get, as root")
        };
        get(&["update", "--quiet", "--quiet"])?;
        get(&[
            "install",
            "--quiet",
            "--yes",
            "--no-install-recommends",
            "mesa-vulkan-drivers",
        ])?;
    }
    match machine::can_run("wgpu") {
        Ok(found) => println!("{found}"),
        Err(missing) => bail!("after the installation: {missing}"),
    }
    Ok(())
}
