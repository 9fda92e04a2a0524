//! A virtual environment of Python packages, under the target folder.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;

use crate::cargo;

/// A virtual environment, made or not.
#[derive(Debug)]
pub(crate) struct Venv {
    folder: PathBuf,
}

impl Venv {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Its interpreter.
    pub(crate) fn python(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) {
            "Scripts/python.exe"
        } else {
            "bin/python"
        })
    }

    /// The folder of its packages, where it was made.
    pub(crate) fn packages(&self) -> Option<PathBuf> {
        if cfg!(windows) {
            return Some(self.folder.join("Lib/site-packages"));
        }
        let versions = std::fs::read_dir(self.folder.join("lib")).ok()?;
        let packages = versions
            .flatten()
            .map(|one| one.path().join("site-packages"));
        packages.filter(|path| path.is_dir()).last()
    }

    /// Makes it if need be, and installs what `pip install` is told.
    pub(crate) fn install(&self, arguments: &[&str]) -> anyhow::Result<()> {
        let mut make = Command::new("python3");
        make.args(["-m", "venv"]).arg(&self.folder);
        cargo::run(&mut make).context("python3 with venv is needed")?;
        let mut pip = Command::new(self.python());
        pip.current_dir(cargo::root());
        pip.args(["-m", "pip", "install", "--disable-pip-version-check"]);
        cargo::run(pip.args(arguments)).context("pip install")
    }
}
