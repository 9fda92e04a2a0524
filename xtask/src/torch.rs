//! LibTorch for the backend `tch`: where it is, and how to come by it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::venv;

/// The version that burn-tch 0.22 goes with.
const VERSION: &str = "2.9.0";

/// What torch-sys is told of a LibTorch by; its libraries are then their owner's affair.
fn named() -> Option<String> {
    let mut variables = ["LIBTORCH", "LIBTORCH_USE_PYTORCH"].into_iter();
    variables.find_map(|name| Some(format!("{name}={}", env::var_os(name)?.display())))
}

/// The folder of PyTorch, whose wheel holds LibTorch, in our own environment.
fn installed() -> Option<PathBuf> {
    let torch = venv::packages("tch")?.join("torch");
    torch.join("lib").is_dir().then_some(torch)
}

/// A LibTorch of this machine, in words, or what to do about it.
pub(crate) fn can_run() -> Result<String, String> {
    let installed = || installed().map(|torch| torch.display().to_string());
    named().or_else(installed).ok_or_else(|| {
        format!(
            "LibTorch {VERSION} was not found; `cargo xtask setup tch` installs it under target, or LIBTORCH tells \
             where it is"
        )
    })
}

/// What a build of `tch` and a program with it find in their environment.
pub(crate) fn environment() -> Vec<(&'static str, OsString)> {
    match (named(), installed()) {
        (None, Some(torch)) => variables(&torch),
        _ => Vec::new(),
    }
}

/// LibTorch's folder, and those of the libraries that it loads: their wheels are folders beside it.
fn variables(torch: &Path) -> Vec<(&'static str, OsString)> {
    let search = match env::consts::OS {
        "macos" => "DYLD_LIBRARY_PATH",
        "windows" => "PATH",
        _ => "LD_LIBRARY_PATH",
    };
    let beside = torch.with_file_name("nvidia").read_dir();
    let beside = beside.into_iter().flatten().flatten().map(|one| one.path());
    let folders = std::iter::once(torch.to_owned()).chain(beside);
    let libraries = folders
        .map(|folder| folder.join("lib"))
        .filter(|lib| lib.is_dir());
    let before = env::var_os(search).unwrap_or_default();
    let all = env::join_paths(libraries.chain(env::split_paths(&before)));
    let mut variables = vec![("LIBTORCH", torch.into())];
    variables.extend(all.map(|all| (search, all)));
    variables
}

/// Installs PyTorch under the target folder.
pub(crate) fn install() -> anyhow::Result<()> {
    if can_run().is_err() {
        venv::torch(VERSION)?;
    }
    match can_run() {
        Ok(found) => println!("LibTorch is there: {found}"),
        Err(problem) => bail!("after the installation: {problem}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_the_folder_and_all_libraries() {
        let packages = tempfile::tempdir().unwrap();
        let torch = packages.path().join("torch");
        let cublas = packages.path().join("nvidia/cublas");
        for folder in [&torch, &cublas] {
            std::fs::create_dir_all(folder.join("lib")).unwrap();
        }
        let told = variables(&torch);
        assert_eq!(told[0], ("LIBTORCH", torch.clone().into()));
        let libraries: Vec<PathBuf> = env::split_paths(&told[1].1).collect();
        assert_eq!(libraries[..2], [torch.join("lib"), cublas.join("lib")]);
    }
}
