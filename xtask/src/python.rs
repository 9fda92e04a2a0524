//! The page on Python, run by a Python of its own.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo;
use crate::ci::Outcome;
use crate::venv::Venv;

/// Runs the blocks of `docs/python.md` with pandas and polars, in a virtual environment under `target`.
///
/// Where there is no Python to make one with, or nothing to install from, the step is skipped with this reason: nothing
/// else needs Python.
pub(crate) fn run() -> anyhow::Result<Outcome> {
    let python = match environment() {
        Ok(python) => python,
        Err(reason) => return Ok(Outcome::Skipped(reason)),
    };
    let package = ["--package", "gradual-report", "--test", "python"];
    let mut test = cargo::checked_tests();
    test.args(package).args(["--", "--include-ignored"]);
    cargo::run(test.env("GRADUAL_PYTHON", python))?;
    Ok(Outcome::Passed)
}

/// The path of the Python, or why there is none.
fn environment() -> Result<PathBuf, String> {
    let folder = cargo::target().join("python");
    let python = Venv::new(folder.clone()).python();
    if works(Command::new(&python).args(["-c", "import pandas, polars"])) {
        return Ok(python);
    }
    let mut make = Command::new("python3");
    if !works(make.args(["-m", "venv", "--clear"]).arg(&folder)) {
        return Err("python3 with venv is not there".to_owned());
    }
    let install = ["-m", "pip", "install", "--quiet", "pandas", "polars"];
    if works(Command::new(&python).args(install)) {
        Ok(python)
    } else {
        Err("pip can't install pandas and polars".to_owned())
    }
}

/// Whether a program is there and succeeds; what it prints is nobody's business.
fn works(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}
