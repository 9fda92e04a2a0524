//! The backends that are compiled in, and their devices.
//!
//! Each is a Cargo feature and a file here that finds its devices; nothing else in the workspace knows a backend
//! by name. Several may be compiled in: `--backend NAME` or `--backend NAME:INDEX` chooses at run time.

#[cfg(feature = "cuda")]
mod cuda;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "ndarray")]
mod ndarray;
#[cfg(feature = "tch")]
mod tch;
#[cfg(feature = "wgpu")]
mod wgpu;

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Context, anyhow, bail};
use burn::tensor::Device;

/// A backend by name, with a device to run on.
#[derive(Debug, Clone)]
pub(crate) struct Backend {
    pub(crate) name: &'static str,
    /// Which of its devices.
    index: usize,
    pub(crate) device: Device,
    /// What the device is, in words.
    pub(crate) what: String,
    /// Whether it computes in double precision.
    pub(crate) double: bool,
}

/// A backend that is compiled in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Compiled {
    pub(crate) name: &'static str,
    /// The devices that this machine has, the default one first.
    devices: fn() -> Vec<Found>,
    /// Whether it computes in double precision.
    double: bool,
    /// What is missing where there are none.
    missing: &'static str,
}

/// A device of this machine.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) device: Device,
    /// What it is, in words.
    pub(crate) what: String,
}

impl Compiled {
    /// All that are compiled in, the default one first.
    pub(crate) const ALL: &'static [Self] = &[
        #[cfg(feature = "flex")]
        flex::BACKEND,
        #[cfg(feature = "ndarray")]
        ndarray::BACKEND,
        #[cfg(feature = "wgpu")]
        wgpu::BACKEND,
        #[cfg(feature = "tch")]
        tch::BACKEND,
        #[cfg(feature = "cuda")]
        cuda::BACKEND,
    ];

    /// The devices of this machine, at least one.
    pub(crate) fn devices(&self) -> anyhow::Result<Vec<Found>> {
        // A driver library that can't be loaded is a panic in some backends.
        let found = catch_unwind(AssertUnwindSafe(self.devices)).unwrap_or_default();
        match found.is_empty() {
            false => Ok(found),
            true => bail!("no device: {}", self.missing),
        }
    }
}

impl Backend {
    /// The backend called `name` or `name:index`, or without a name the first that is compiled in.
    pub(crate) fn choose(name: Option<&str>) -> anyhow::Result<Self> {
        let names: Vec<&str> = Compiled::ALL.iter().map(|one| one.name).collect();
        let Some(text) = name else {
            let first = names
                .first()
                .context("no backend is compiled in; build with `--features flex`")?;
            return Self::choose(Some(first));
        };
        let (name, index) = match text.split_once(':') {
            None => (text, 0),
            Some((name, index)) => (
                name,
                index.parse().map_err(|_| {
                    anyhow!(
                        "backend '{text}': '{index}' is no index of a device; give a number from 0"
                    )
                })?,
            ),
        };
        let Some(compiled) = Compiled::ALL.iter().find(|one| one.name == name) else {
            bail!(
                "backend '{name}' is not compiled in (there is: {}); run it through \
                 `cargo xtask experiment --backend {name}`",
                names.join(", ")
            );
        };
        let devices = compiled
            .devices()
            .with_context(|| format!("backend '{name}'"))?;
        let Some(found) = devices.get(index) else {
            let all = devices.iter().enumerate();
            let all: Vec<String> = all.map(|(at, one)| format!("{at} {}", one.what)).collect();
            bail!(
                "backend '{name}' has no device {index} here; it has: {}",
                all.join(", ")
            );
        };
        Ok(Self {
            name: compiled.name,
            index,
            device: found.device.clone(),
            what: found.what.clone(),
            double: compiled.double,
        })
    }

    /// How to [choose](Self::choose) the same again.
    pub(crate) fn argument(&self) -> String {
        format!("{}:{}", self.name, self.index)
    }
}
