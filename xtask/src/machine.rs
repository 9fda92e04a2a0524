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
    let drivers = vulkan_drivers();
    match cfg!(target_os = "linux") {
        false => Ok(format!("the graphics interface of {}", env::consts::OS)),
        true if has_library("libvulkan.so.1") && !drivers.is_empty() => {
            Ok(format!("Vulkan with {}", drivers.join(", ")))
        }
        true => Err(
            "no Vulkan loader or no driver was found; install the driver of the GPU, or for a machine without one \
             Mesa's software driver: `cargo xtask setup wgpu`"
                .to_owned(),
        ),
    }
}

/// The manifests of the installed Vulkan drivers, from where the loader looks for them first (Vulkan-Loader,
/// LoaderDriverInterface.md, "Driver discovery").
fn vulkan_drivers() -> Vec<String> {
    let named = env::var_os("VK_DRIVER_FILES").or_else(|| env::var_os("VK_ICD_FILENAMES"));
    let files: Vec<PathBuf> = match named {
        Some(files) => env::split_paths(&files).collect(),
        None => {
            let roots = ["/etc", "/usr/local/share", "/usr/share"]
                .map(Path::new)
                .into_iter();
            let folders = roots.filter_map(|root| root.join("vulkan/icd.d").read_dir().ok());
            folders
                .flatten()
                .flatten()
                .map(|file| file.path())
                .collect()
        }
    };
    let files = files.iter().filter(|file| file.is_file());
    let names = files.filter_map(|file| Some(file.file_stem()?.to_string_lossy().into_owned()));
    names.collect()
}

/// The driver of an NVIDIA GPU, and the compiler that kernels are made with at run time.
pub(crate) fn cuda() -> Result<String, String> {
    let gpus = Command::new("nvidia-smi").arg("--list-gpus").output();
    let gpus = gpus.map_or_else(|_| Vec::new(), |output| output.stdout);
    let gpus = String::from_utf8_lossy(&gpus);
    let gpu = gpus.lines().find(|line| line.starts_with("GPU"));
    let gpu =
        gpu.ok_or("`nvidia-smi --list-gpus` lists no NVIDIA GPU; it needs a GPU and its driver")?;
    let toolkit = env::var_os("CUDA_PATH").unwrap_or_else(|| "/usr/local/cuda".into());
    match Path::new(&toolkit).is_dir() || has_library("libnvrtc.so") {
        true => Ok(gpu.to_owned()),
        false => Err(
            "there is a GPU, but no CUDA toolkit 12 or later (NVRTC); install it, or set CUDA_PATH"
                .to_owned(),
        ),
    }
}

/// Whether the system's loader finds a library whose name starts like this; yes where it can't be asked.
fn has_library(name: &str) -> bool {
    let Ok(known) = Command::new("ldconfig").arg("-p").output() else {
        return true;
    };
    let known = String::from_utf8_lossy(&known.stdout);
    let own = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    known
        .lines()
        .any(|line| line.trim_start().starts_with(name))
        || env::split_paths(&own).any(|folder| folder.join(name).exists())
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
