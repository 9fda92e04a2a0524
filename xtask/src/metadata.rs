//! What `cargo metadata` tells about the manifests of a workspace.
//!
//! The crate `cargo_metadata` asks `serde_json` for a feature (`unbounded_depth`) with which all of Burn would be
//! compiled once more, and this is the little that is needed of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::Deserialize;

use crate::shell;

/// The crates of a workspace.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// One crate of the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// One line under `[dependencies]` and the like.
#[derive(Debug, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// The name by which features call it, where it is another.
    pub(crate) rename: Option<String>,
    /// `dev`, `build`, or none.
    pub(crate) kind: Option<String>,
    /// Where it is, unless it comes from a registry.
    pub(crate) path: Option<PathBuf>,
    pub(crate) features: Vec<String>,
}

/// The crates of the workspace with this manifest.
pub(crate) fn packages(manifest: &Path) -> anyhow::Result<Vec<Package>> {
    let sh = shell::shell()?;
    let read = ["metadata", "--quiet", "--no-deps", "--format-version=1"];
    let read = shell::cargo(&sh, &read)
        .arg("--manifest-path")
        .arg(manifest);
    let metadata: Metadata =
        serde_json::from_str(&read.quiet().read()?).context("what cargo metadata printed")?;
    Ok(metadata.packages)
}
