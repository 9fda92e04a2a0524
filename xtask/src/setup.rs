//! `cargo xtask setup`: installs what is needed beyond Rust, where it is not there.

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use xshell::cmd;

use crate::{book, machine, shell, torch, venv};

/// What to install.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    #[arg(value_enum)]
    what: Installable,
}

/// What can be installed.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Installable {
    /// Mesa's Vulkan drivers, the software driver among them, for the backend wgpu; with apt-get, as root
    Wgpu,
    /// strace, for the test of what the program writes; with apt-get, as root
    Strace,
    /// PyTorch, whose wheel holds LibTorch, for the backend tch; with pip, under the target folder
    Tch,
    /// mdBook, which `cargo xtask docs` builds the book with; with cargo, under the target folder
    Mdbook,
    /// pandas and polars, for the code of docs/python.md; with pip, under the target folder
    Python,
}

impl Setup {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self.what {
            Installable::Wgpu => vulkan().context("setup wgpu"),
            Installable::Strace => strace().context("setup strace"),
            Installable::Mdbook => mdbook().context("setup mdbook"),
            Installable::Tch => torch::install().context("setup tch"),
            Installable::Python => python().context("setup python"),
        }
    }
}

/// Makes sure that continuous integration can check all that it has to.
pub(crate) fn continuous_integration() -> anyhow::Result<()> {
    vulkan()?;
    strace()?;
    python()
}

/// mdBook, without its server and what watches files.
fn mdbook() -> anyhow::Result<()> {
    if book::program().is_err() {
        let sh = shell::shell()?;
        let version = book::MDBOOK;
        let install = [
            "install",
            "--quiet",
            "--locked",
            "--no-default-features",
            "--features=search",
            "mdbook",
            "--version",
            version,
        ];
        let folder = shell::target().join("tools-build");
        let install = shell::cargo(&sh, &install).arg("--root").arg(book::tools());
        install.env("CARGO_TARGET_DIR", &folder).run()?;
        sh.remove_path(folder)?;
    }
    println!("{}", book::program()?.display());
    Ok(())
}

/// The program that shows another's system calls, on Debian and what comes of it; there is none elsewhere than on Linux.
fn strace() -> anyhow::Result<()> {
    let there = || {
        let sh = shell::shell()?;
        let said = cmd!(sh, "strace --version")
            .quiet()
            .ignore_stderr()
            .read()?;
        anyhow::Ok(said.lines().next().unwrap_or_default().to_owned())
    };
    if cfg!(target_os = "linux") {
        if there().is_err() {
            debian_package("strace")?;
        }
        println!("{}", there().context("after the installation")?);
    }
    Ok(())
}

/// A Vulkan driver, on Debian and what comes of it.
fn vulkan() -> anyhow::Result<()> {
    if machine::vulkan().is_err() {
        debian_package("mesa-vulkan-drivers")?;
    }
    match machine::vulkan() {
        Ok(found) => println!("{found}"),
        Err(missing) => bail!("after the installation: {missing}"),
    }
    Ok(())
}

/// Python itself, and the environment.
fn python() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let has_venv = cmd!(sh, "python3 -m ensurepip --version")
        .quiet()
        .ignore_stderr();
    if cfg!(target_os = "linux") && has_venv.read().is_err() {
        debian_package("python3-venv")?;
    }
    println!("{}", venv::tables()?.display());
    Ok(())
}

fn debian_package(name: &str) -> anyhow::Result<()> {
    let sh = shell::shell()?;
    sh.set_var("DEBIAN_FRONTEND", "noninteractive");
    let install = || {
        cmd!(sh, "apt-get update --quiet --quiet").run()?;
        cmd!(
            sh,
            "apt-get install --quiet --yes --no-install-recommends {name}"
        )
        .run()
    };
    install().with_context(|| {
        format!("apt-get can't install {name} (it must run as root, on Debian or what comes of it)")
    })
}
