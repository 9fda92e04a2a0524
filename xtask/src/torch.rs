//! LibTorch for the backend `tch`: where it is, and how to come by it.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::venv;

/// The version that burn-tch 0.22 goes with.
const VERSION: &str = "2.9.0";

/// Variables by which torch-sys is told of a LibTorch; its libraries are then their owner's affair.
const FOLDER: &str = "LIBTORCH";
const PYTORCH: &str = "LIBTORCH_USE_PYTORCH";

/// A LibTorch of this machine, in words, or what to do about it.
pub(crate) fn can_run() -> Result<String, String> {
    match (env::var_os(FOLDER), env::var_os(PYTORCH)) {
        (Some(folder), _) => match Path::new(&folder).join("lib").is_dir() {
            true => Ok(format!("{FOLDER}={}", folder.display())),
            false => Err(format!(
                "{FOLDER} is {}, which has no folder lib",
                folder.display()
            )),
        },
        (None, Some(_)) => Ok(PYTORCH.to_owned()),
        (None, None) => match installed() {
            Some(torch) => Ok(torch.display().to_string()),
            None => Err(format!(
                "LibTorch {VERSION} was not found; `cargo xtask setup tch` installs it under target, or {FOLDER} \
                 tells where it is"
            )),
        },
    }
}

/// The folder of PyTorch, whose wheel holds LibTorch, in our own environment.
fn installed() -> Option<PathBuf> {
    let torch = venv::packages("tch")?.join("torch");
    torch.join("lib").is_dir().then_some(torch)
}

/// What a build of `tch` and a program with it find in their environment.
pub(crate) fn environment() -> Vec<(&'static str, OsString)> {
    match installed() {
        Some(torch) if env::var_os(FOLDER).or(env::var_os(PYTORCH)).is_none() => variables(&torch),
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
    let nvidia = torch
        .with_file_name("nvidia")
        .read_dir()
        .into_iter()
        .flatten();
    let nvidia = nvidia.filter_map(|wheel| Some(wheel.ok()?.path()));
    let libraries = std::iter::once(torch.to_owned()).chain(nvidia);
    let libraries = libraries
        .map(|folder| folder.join("lib"))
        .filter(|lib| lib.is_dir());
    let before = env::var_os(search).unwrap_or_default();
    let all = env::join_paths(libraries.chain(env::split_paths(&before)));
    let mut variables = vec![(FOLDER, torch.into())];
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
