//! LibTorch for the backend `tch`: where it is, and how to come by it.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::bail;

use crate::cargo;
use crate::program::Environment;
use crate::venv::Venv;

/// The version that burn-tch 0.22 goes with.
const VERSION: &str = "2.9.0";

/// A LibTorch.
#[derive(Debug)]
pub(crate) enum Found {
    /// What `LIBTORCH` or `LIBTORCH_USE_PYTORCH` says; its libraries are its owner's affair.
    Named(String),
    /// PyTorch in our own environment: its folder, and the folders of the libraries that it loads.
    Installed {
        torch: PathBuf,
        libraries: Vec<PathBuf>,
    },
}

/// The environment that `cargo xtask setup tch` makes.
fn own() -> Venv {
    Venv::new(cargo::target().join("tch"))
}

/// A LibTorch of this machine, or what to do about it.
pub(crate) fn find() -> Result<Found, String> {
    if let Some(folder) = env::var_os("LIBTORCH") {
        let folder = Path::new(&folder);
        return match folder.join("lib").is_dir() {
            true => Ok(Found::Named(format!("LIBTORCH={}", folder.display()))),
            false => Err(format!(
                "LIBTORCH is {}, which has no folder lib",
                folder.display()
            )),
        };
    }
    if env::var_os("LIBTORCH_USE_PYTORCH").is_some() {
        return Ok(Found::Named("LIBTORCH_USE_PYTORCH".to_owned()));
    }
    let packages = own().packages().unwrap_or_default();
    let torch = packages.join("torch");
    if !torch.join("lib").is_dir() {
        return Err(format!(
            "LibTorch {VERSION} was not found; `cargo xtask setup tch` installs it under target, or LIBTORCH \
             tells where it is"
        ));
    }
    // The wheels of its libraries are folders beside it, each with a folder lib.
    let mut libraries = vec![torch.join("lib")];
    let beside = std::fs::read_dir(packages.join("nvidia"));
    let beside = beside.into_iter().flatten().flatten();
    libraries.extend(
        beside
            .map(|one| one.path().join("lib"))
            .filter(|lib| lib.is_dir()),
    );
    Ok(Found::Installed { torch, libraries })
}

impl Found {
    /// What a build of `tch` and a program with it have to be told.
    pub(crate) fn environment(&self) -> Environment {
        let Self::Installed { torch, libraries } = self else {
            return Vec::new();
        };
        let variable = match env::consts::OS {
            "macos" => "DYLD_LIBRARY_PATH",
            "windows" => "PATH",
            _ => "LD_LIBRARY_PATH",
        };
        let before = env::var_os(variable).unwrap_or_default();
        let all = libraries.iter().cloned().chain(env::split_paths(&before));
        let mut told = vec![("LIBTORCH", torch.clone().into_os_string())];
        told.extend(env::join_paths(all).map(|all| (variable, all)));
        told
    }

    /// What it is, in words.
    pub(crate) fn what(&self) -> String {
        match self {
            Self::Named(what) => what.clone(),
            Self::Installed { torch, .. } => torch.display().to_string(),
        }
    }
}

/// Installs PyTorch, whose wheel holds LibTorch, under the target folder.
pub(crate) fn install() -> anyhow::Result<()> {
    if let Ok(found) = find() {
        println!("LibTorch is there: {}", found.what());
        return Ok(());
    }
    println!("installing PyTorch {VERSION} into target/tch: about 3 GB to download, 7 GB on disk");
    own().install(&[&format!("torch=={VERSION}")])?;
    match find() {
        Ok(found) => println!("LibTorch is there: {}", found.what()),
        Err(problem) => bail!("after the installation: {problem}"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_told_the_folder_and_all_libraries() {
        let found = Found::Installed {
            torch: PathBuf::from("/t/torch"),
            libraries: vec![
                PathBuf::from("/t/torch/lib"),
                PathBuf::from("/t/nvidia/x/lib"),
            ],
        };
        let told = found.environment();
        assert_eq!(told[0], ("LIBTORCH", "/t/torch".into()));
        let libraries: Vec<PathBuf> = env::split_paths(&told[1].1).collect();
        assert_eq!(libraries[0], Path::new("/t/torch/lib"));
        assert_eq!(libraries[1], Path::new("/t/nvidia/x/lib"));
        assert!(Found::Named("LIBTORCH=/x".into()).environment().is_empty());
    }
}
