//! `cargo xtask layers`: which crate may depend on which.
//!
//! Only what a crate needs to be built and used is looked at, optional dependencies included; its tests may use what
//! they like.

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;

use crate::shell;

/// What a crate may know of Burn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Burn {
    /// Nothing: it builds in seconds.
    Without,
    /// All but the backends: it runs on whichever a program chose.
    AnyBackend,
    /// The same, but with something of its own for a backend under a feature that is off.
    AnyBackendUnlessAsked,
    /// It chooses a backend, or uses a crate that does.
    Backends,
}

/// From the ground up: a crate may use those before it, never one after it.
const LAYERS: [(&str, Burn); 18] = [
    ("gradual-fuzz", Burn::Without),
    ("gradual-registry", Burn::Without),
    ("gradual-measure", Burn::Without),
    ("gradual-runs", Burn::Without),
    ("gradual-ops", Burn::AnyBackendUnlessAsked),
    ("gradual-grad", Burn::AnyBackend),
    ("gradual-group", Burn::AnyBackend),
    ("gradual-loss", Burn::AnyBackend),
    ("gradual-train", Burn::AnyBackend),
    ("gradual", Burn::AnyBackendUnlessAsked),
    ("gradual-tasks", Burn::AnyBackend),
    ("gradual-report", Burn::Without),
    ("gradual-backends", Burn::Backends),
    ("gradual-bench", Burn::Backends),
    ("gradual-conformance", Burn::Backends),
    ("gradual-cli", Burn::Backends),
    ("gradual-lab", Burn::Backends),
    ("xtask", Burn::Without),
];

/// Crates that may use but a few of those before them.
const ONLY: [(&str, &[&str]); 6] = [
    ("gradual-fuzz", &[]),
    ("gradual-registry", &[]),
    ("gradual-runs", &["gradual-measure"]),
    ("gradual-report", &["gradual-measure", "gradual-runs"]),
    ("gradual-ops", &[]),
    (
        "gradual-backends",
        &["gradual-measure", "gradual-runs", "gradual-ops"],
    ),
];

/// The crate `burn-NAME` is a backend.
const BACKENDS: [&str; 6] = ["flex", "ndarray", "wgpu", "tch", "cuda", "rocm"];

/// What is needed of `cargo metadata`. (The crate `cargo_metadata` asks `serde_json` for a feature with which all of
/// Burn would be compiled once more.)
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

/// A crate of the workspace.
#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    dependencies: Vec<Dependency>,
}

/// One line under `[dependencies]` and the like.
#[derive(Debug, Deserialize)]
struct Dependency {
    name: String,
    /// `dev`, `build`, or none.
    kind: Option<String>,
    /// Where it is, unless it comes from a registry.
    path: Option<PathBuf>,
}

/// Checks this workspace.
pub(crate) fn run() -> anyhow::Result<()> {
    let violations = violations(&shell::root().join("Cargo.toml"))?;
    if violations.is_empty() {
        println!("layers: all in order");
        return Ok(());
    }
    let violations = violations.join("\n  - ");
    bail!("the layers of the workspace are broken:\n  - {violations}");
}

/// All violations in a workspace, one sentence each.
fn violations(manifest: &Path) -> anyhow::Result<Vec<String>> {
    let sh = shell::shell()?;
    let read = ["metadata", "--quiet", "--no-deps", "--format-version=1"];
    let read = shell::cargo(&sh, &read)
        .arg("--manifest-path")
        .arg(manifest);
    let read = read.quiet().read()?;
    let metadata: Metadata = serde_json::from_str(&read).context("what cargo metadata printed")?;
    let packages = metadata.packages;
    let members: Vec<&str> = packages.iter().map(|one| one.name.as_str()).collect();
    let mut found = Vec::new();
    for package in &packages {
        let name = package.name.as_str();
        match LAYERS.iter().position(|(known, _)| *known == name) {
            Some(own) => {
                check_order(own, package, &members, &mut found);
                found.extend(check_burn(LAYERS[own], manifest)?);
            }
            None => found.push(format!(
                "{name} has no layer; give it one in xtask/src/layers.rs"
            )),
        }
    }
    Ok(found)
}

fn check_order(own: usize, package: &Package, members: &[&str], found: &mut Vec<String>) {
    let name = package.name.as_str();
    let only = ONLY.iter().find(|(limited, _)| *limited == name);
    let needed = package
        .dependencies
        .iter()
        .filter(|one| one.kind.as_deref() != Some("dev"));
    let needed = needed
        .filter(|one| one.path.is_some())
        .map(|one| one.name.as_str());
    for used in needed.filter(|used| members.contains(used)) {
        if LAYERS[own + 1..].iter().any(|(later, _)| *later == used) {
            found.push(format!(
                "{name} depends on {used}, which is below it in the order of layers"
            ));
        }
        if let Some((_, allowed)) = only.filter(|(_, allowed)| !allowed.contains(&used)) {
            let allowed = allowed.join(", ");
            found.push(format!(
                "{name} depends on {used}, but of this workspace it may only use {allowed}"
            ));
        }
    }
}

/// What a crate takes in of Burn and should not.
fn check_burn((name, may): (&str, Burn), manifest: &Path) -> anyhow::Result<Option<String>> {
    let sh = shell::shell()?;
    let features: &[&str] = match may {
        Burn::AnyBackendUnlessAsked => &[],
        _ => &["--all-features"],
    };
    let tree = ["tree", "--edges=normal,build", "--prefix=none"];
    let tree = shell::cargo(&sh, &tree).args(["--format={p}", "--package", name]);
    let tree = tree.args(features);
    let tree = tree.arg("--manifest-path").arg(manifest).quiet().read()?;
    let mut burn = tree.lines().filter_map(|line| {
        let (package, _) = line.split_once(' ')?;
        let backend = package.strip_prefix("burn-");
        let (is_burn, is_backend) = (
            package == "burn",
            backend.is_some_and(|one| BACKENDS.contains(&one)),
        );
        match may {
            Burn::Without => (is_burn || backend.is_some()).then_some((package, "depend on Burn")),
            Burn::AnyBackend | Burn::AnyBackendUnlessAsked => {
                is_backend.then_some((package, "choose a backend"))
            }
            Burn::Backends => None,
        }
    });
    Ok(burn.next().map(|(package, what)| {
        let features = features.join(" ");
        let tree = format!("cargo tree --edges normal,build {features} -p {name} -i {package}");
        format!("{name} must not {what}, but it does: see `{tree}`")
    }))
}
