//! Python environments, under the target folder.

use std::path::{Path, PathBuf};

use anyhow::Context;
use xshell::cmd;

use crate::shell;

/// The interpreter of the environment `name`, in which `pip install` was told `packages`; made anew where it was told
/// something else, or its first installation did not end.
fn environment(name: &str, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let folder = shell::target().join(name);
    let python = folder.join(match cfg!(windows) {
        true => "Scripts/python.exe",
        false => "bin/python",
    });
    let sh = shell::shell()?;
    let done = folder.join("installed");
    let packages_text = packages.join(" ");
    if sh
        .read_file(&done)
        .is_ok_and(|before| before == packages_text)
    {
        return Ok(python);
    }
    let host = if cfg!(windows) { "python" } else { "python3" };
    cmd!(sh, "{host} -m venv --clear {folder}")
        .run()
        .context("python3 with the module venv is needed (Debian: python3-venv)")?;
    cmd!(
        sh,
        "{python} -m pip install --quiet --disable-pip-version-check {packages...}"
    )
    .run()?;
    sh.write_file(&done, packages_text)?;
    Ok(python)
}

/// For the blocks of `docs/python.md`.
pub(crate) fn tables() -> anyhow::Result<PathBuf> {
    environment("python", &["pandas", "polars"])
}

/// For `bench/peers.py`: about 3.5 GB to download, 6 GB on disk.
pub(crate) fn peers() -> anyhow::Result<PathBuf> {
    environment("bench-venv", &["--no-deps", "-r", "bench/requirements.txt"])
}

/// With PyTorch, whose wheel holds LibTorch: about 3 GB to download, 7 GB on disk.
pub(crate) fn torch(version: &str) -> anyhow::Result<PathBuf> {
    environment("tch", &[&format!("torch=={version}")])
}

/// The folder of the packages of the environment `name`, where it was made.
pub(crate) fn packages(name: &str) -> Option<PathBuf> {
    let folder = shell::target().join(name);
    if cfg!(windows) {
        return Some(folder.join("Lib/site-packages"));
    }
    let versions = folder.join("lib").read_dir().ok()?;
    let packages = versions.filter_map(|one| Some(one.ok()?.path().join("site-packages")));
    packages.filter(|path: &PathBuf| Path::is_dir(path)).last()
}
