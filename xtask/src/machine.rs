//! What this machine can run, as far as files tell: nothing is built and no driver is loaded.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

/// Every machine has one.
pub(crate) fn processor() -> Result<String, String> {
    let threads = thread::available_parallelism().map_or(1, usize::from);
    Ok(format!("the processor, {threads} threads"))
}

/// On Linux Vulkan: its loader and at least one driver. Elsewhere the system brings what wgpu needs.
pub(crate) fn vulkan() -> Result<String, String> {
    if !cfg!(target_os = "linux") {
        return Ok(format!("the graphics interface of {}", env::consts::OS));
    }
    let drivers = vulkan_drivers();
    let missing = if !has_library("libvulkan.so.1") {
        "the Vulkan loader libvulkan.so.1"
    } else if drivers.is_empty() {
        "a Vulkan driver"
    } else {
        return Ok(format!("Vulkan with {}", drivers.join(", ")));
    };
    Err(format!(
        "{missing} was not found; install the Vulkan driver of the GPU, or for a machine without one Mesa's software \
         driver: `cargo xtask setup wgpu`"
    ))
}

/// The manifests of the installed Vulkan drivers, from where the loader looks for them first (Vulkan-Loader,
/// LoaderDriverInterface.md, "Driver discovery").
fn vulkan_drivers() -> Vec<String> {
    let named = env::var_os("VK_DRIVER_FILES").or_else(|| env::var_os("VK_ICD_FILENAMES"));
    let files: Vec<PathBuf> = match named {
        Some(files) => env::split_paths(&files).collect(),
        None => ["/etc", "/usr/local/share", "/usr/share"]
            .iter()
            .filter_map(|root| Path::new(root).join("vulkan/icd.d").read_dir().ok())
            .flatten()
            .filter_map(|file| Some(file.ok()?.path()))
            .collect(),
    };
    let files = files.iter().filter(|file| file.is_file());
    let mut names: Vec<String> = files
        .filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()))
        .collect();
    names.sort();
    names
}

/// The driver of an NVIDIA GPU, and the compiler that kernels are made with at run time.
pub(crate) fn cuda() -> Result<String, String> {
    let gpus = Command::new("nvidia-smi").arg("--list-gpus").output();
    let gpus = gpus.map_or_else(|_| Vec::new(), |output| output.stdout);
    let gpus = String::from_utf8_lossy(&gpus);
    let Some(gpu) = gpus.lines().find(|line| line.starts_with("GPU")) else {
        return Err(
            "`nvidia-smi --list-gpus` lists no NVIDIA GPU; it needs a GPU and its driver"
                .to_owned(),
        );
    };
    let toolkit = env::var_os("CUDA_PATH").unwrap_or_else(|| "/usr/local/cuda".into());
    match Path::new(&toolkit).is_dir() || has_library("libnvrtc.so") {
        true => Ok(gpu.to_owned()),
        false => Err("there is a GPU, but no CUDA toolkit 12 or later (NVRTC); install it, or set CUDA_PATH to where it is".to_owned()),
    }
}

/// Whether the system's loader finds a library whose name starts like this; yes where it can't be asked.
fn has_library(name: &str) -> bool {
    let Ok(known) = Command::new("ldconfig").arg("-p").output() else {
        return true;
    };
    let known = String::from_utf8_lossy(&known.stdout);
    let own = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let in_own = |folder: PathBuf| folder.join(name).exists();
    known
        .lines()
        .any(|line| line.trim_start().starts_with(name))
        || env::split_paths(&own).any(in_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_is_always_there() {
        assert!(processor().unwrap().contains("threads"));
    }

    #[test]
    fn what_is_missing_says_what_to_do() {
        for (found, hint) in [(vulkan(), "setup wgpu"), (cuda(), "NVRTC GPU")] {
            if let Err(missing) = found {
                assert!(
                    hint.split(' ').any(|hint| missing.contains(hint)),
                    "{missing}"
                );
            }
        }
    }
}
