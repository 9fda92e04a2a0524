//! What this machine can run, as far as files tell: nothing is built and no driver is loaded.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::torch;

/// Whether this machine has what a backend needs: what it has, or what is missing and where to get it.
///
/// That a driver is installed does not say that its hardware is there; only a program can tell, and
/// `cargo xtask doctor --backend NAME` asks it.
pub(crate) fn can_run(backend: &str) -> Result<String, String> {
    match backend {
        "flex" | "ndarray" => Ok(processor()),
        "wgpu" => graphics(),
        "tch" => torch::find().map(|found| found.what()),
        "cuda" => cuda(),
        other => Err(format!("nothing is known about what {other} needs")),
    }
}

fn processor() -> String {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    format!("the processor, {threads} threads{}", vectors())
}

/// The widest vectors that the processor has.
#[cfg(target_arch = "x86_64")]
fn vectors() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx512f") {
        ", AVX-512"
    } else if std::arch::is_x86_feature_detected!("avx2") {
        ", AVX2"
    } else {
        ""
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vectors() -> &'static str {
    ""
}

/// Vulkan on Linux: its loader and at least one driver. Elsewhere the system brings what wgpu needs.
fn graphics() -> Result<String, String> {
    if !cfg!(target_os = "linux") {
        return Ok(format!("the graphics interface of {}", env::consts::OS));
    }
    const PACKAGE: &str = "install the Vulkan driver of the GPU, or for a machine without one Mesa's software \
                           driver (Debian package mesa-vulkan-drivers)";
    if library("libvulkan.so.1").is_none() {
        return Err(format!(
            "the Vulkan loader libvulkan.so.1 was not found; {PACKAGE}"
        ));
    }
    let drivers = vulkan_drivers();
    match drivers.is_empty() {
        true => Err(format!("no Vulkan driver was found; {PACKAGE}")),
        false => Ok(format!("Vulkan with the drivers {}", drivers.join(", "))),
    }
}

/// The names of the installed Vulkan drivers, from where the loader looks for their manifests
/// (Vulkan-Loader, LoaderDriverInterface.md, "Driver discovery").
fn vulkan_drivers() -> Vec<String> {
    let named = env::var_os("VK_DRIVER_FILES").or_else(|| env::var_os("VK_ICD_FILENAMES"));
    let files: Vec<PathBuf> = match named {
        Some(files) => env::split_paths(&files).collect(),
        None => {
            let home = env::var_os("XDG_DATA_HOME").map(PathBuf::from);
            let home = home.or_else(|| env::home_dir().map(|home| home.join(".local/share")));
            let shared = env::var_os("XDG_DATA_DIRS")
                .unwrap_or_else(|| "/usr/local/share:/usr/share".into());
            let roots = ["/etc".into(), "/usr/local/etc".into()].into_iter();
            let roots = roots.chain(home).chain(env::split_paths(&shared));
            let folders = roots.map(|root: PathBuf| root.join("vulkan/icd.d"));
            let files = folders.filter_map(|folder| std::fs::read_dir(folder).ok());
            files.flatten().flatten().map(|file| file.path()).collect()
        }
    };
    let manifests = files.iter().filter(|file| file.is_file());
    let names = manifests.filter(|file| file.extension().is_some_and(|end| end == "json"));
    let mut names: Vec<String> = names
        .filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()))
        .map(|stem| stem.split(['.', '_']).next().unwrap_or_default().to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

/// The driver of an NVIDIA GPU, and the compiler that kernels are made with at run time.
fn cuda() -> Result<String, String> {
    let gpus = Command::new("nvidia-smi").arg("--list-gpus").output();
    let gpus = gpus.ok().filter(|output| output.status.success());
    let gpus = gpus.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let Some(gpus) = gpus.filter(|gpus| !gpus.is_empty()) else {
        return Err("no NVIDIA GPU was found: `nvidia-smi --list-gpus` lists none; it needs a GPU and its driver".to_owned());
    };
    let toolkit = env::var_os("CUDA_PATH").is_some_and(|path| Path::new(&path).is_dir());
    match toolkit || library("libnvrtc.so.12").or_else(|| library("libnvrtc.so.13")).is_some() || Path::new("/usr/local/cuda").is_dir() {
        true => Ok(gpus.lines().next().unwrap_or_default().to_owned()),
        false => Err("there is a GPU, but no CUDA toolkit (NVRTC); install it, or set CUDA_PATH to where it is".to_owned()),
    }
}

/// Where the system's loader would find a library.
fn library(name: &str) -> Option<PathBuf> {
    let own = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let usual = ["/usr/lib", "/usr/lib64", "/lib", "/lib64", "/usr/local/lib"].map(PathBuf::from);
    let triple = PathBuf::from(format!("/usr/lib/{}-linux-gnu", env::consts::ARCH));
    let folders = env::split_paths(&own).chain(usual).chain([triple]);
    let in_folder = folders
        .map(|folder| folder.join(name))
        .find(|path| path.exists());
    in_folder.or_else(|| {
        let cache = Command::new("ldconfig").arg("-p").output().ok()?;
        let cache = String::from_utf8_lossy(&cache.stdout);
        let line = cache
            .lines()
            .find(|line| line.trim_start().starts_with(name))?;
        line.split("=> ").nth(1).map(PathBuf::from)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_always_there() {
        assert!(can_run("flex").unwrap().contains("threads"));
        assert!(can_run("ndarray").is_ok());
    }

    #[test]
    fn what_is_missing_says_what_to_do() {
        for (backend, hint) in [
            ("wgpu", "install"),
            ("tch", "setup tch"),
            ("cuda", "NVIDIA"),
            ("x", "x"),
        ] {
            if let Err(missing) = can_run(backend) {
                assert!(
                    missing.contains(hint)
                        || missing.contains("LIBTORCH")
                        || missing.contains("CUDA"),
                    "{missing}"
                );
            }
        }
    }
}
