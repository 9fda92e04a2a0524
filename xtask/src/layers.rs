//! `cargo xtask layers`: which crate may depend on which.
//!
//! Only what a crate needs to be built and used is looked at; its tests may use what they like.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use cargo_metadata::{
    CargoOpt, Dependency, DependencyKind, Metadata, MetadataCommand, Package, PackageId,
};

use crate::shell;

/// From the ground up: a crate may use those before it, never one after it.
const ORDER: [&str; 15] = [
    "gradual-registry",
    "gradual-measure",
    "gradual-runs",
    "gradual-grad",
    "gradual-group",
    "gradual-loss",
    "gradual-train",
    "gradual",
    "gradual-tasks",
    "gradual-report",
    "gradual-backends",
    "gradual-bench",
    "gradual-conformance",
    "gradual-lab",
    "xtask",
];

/// Crates that must build without Burn, in seconds.
const WITHOUT_BURN: [&str; 5] = [
    "gradual-registry",
    "gradual-measure",
    "gradual-runs",
    "gradual-report",
    "xtask",
];

/// Crates that may use but a few of those before them.
const ONLY: [(&str, &[&str]); 3] = [
    ("gradual-registry", &[]),
    ("gradual-runs", &["gradual-measure"]),
    ("gradual-report", &["gradual-measure", "gradual-runs"]),
];

/// The one crate that chooses a backend; libraries run on whichever it chose.
const CHOOSES_BACKEND: &str = "gradual-backends";

/// Features of `burn` that switch a backend on; the crate `burn-NAME` is that backend.
const BACKENDS: [&str; 10] = [
    "flex", "ndarray", "wgpu", "tch", "cuda", "rocm", "metal", "vulkan", "webgpu", "cpu",
];

/// Checks this workspace.
pub(crate) fn run() -> anyhow::Result<()> {
    let mut command = MetadataCommand::new();
    command.manifest_path(shell::root().join("Cargo.toml"));
    let metadata = read(&mut command)?;
    let violations = violations(&metadata)?;
    if violations.is_empty() {
        let crates = metadata.workspace_members.len();
        println!("layers: {crates} crates, all in order");
        return Ok(());
    }
    bail!(
        "the layers of the workspace are broken:\n  - {}",
        violations.join("\n  - ")
    );
}

/// What a workspace is made of, optional dependencies included.
fn read(command: &mut MetadataCommand) -> anyhow::Result<Metadata> {
    Ok(command.features(CargoOpt::AllFeatures).exec()?)
}

/// All violations, one sentence each.
fn violations(metadata: &Metadata) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for package in metadata.workspace_packages() {
        check_order(package, metadata, &mut found);
        check_burn(package, metadata, &mut found)?;
        check_backend(package, &mut found);
    }
    Ok(found)
}

/// What a package needs to be built and used.
fn needs(package: &Package) -> impl Iterator<Item = &Dependency> {
    let all = package.dependencies.iter();
    all.filter(|dependency| dependency.kind != DependencyKind::Development)
}

fn layer(name: &str) -> Option<usize> {
    ORDER.iter().position(|&known| known == name)
}

fn check_order(package: &Package, metadata: &Metadata, found: &mut Vec<String>) {
    let name = package.name.as_str();
    let Some(own) = layer(name) else {
        found.push(format!(
            "{name} has no layer; give it one in xtask/src/layers.rs"
        ));
        return;
    };
    let members = metadata.workspace_packages();
    let folders: Vec<_> = members
        .iter()
        .map(|one| one.manifest_path.parent())
        .collect();
    let only = ONLY.iter().find(|(limited, _)| *limited == name);
    for dependency in needs(package) {
        let used = dependency.name.as_str();
        if dependency.path.is_none() || !folders.contains(&dependency.path.as_deref()) {
            continue;
        }
        // A crate without a layer is reported where it is a member.
        if layer(used).is_some_and(|other| other > own) {
            found.push(format!(
                "{name} depends on {used}, which is below it in the order of layers"
            ));
        }
        if let Some((_, allowed)) = only.filter(|(_, allowed)| !allowed.contains(&used)) {
            found.push(format!(
                "{name} depends on {used}, but of this workspace it may only use {}",
                allowed.join(", ")
            ));
        }
    }
}

fn check_burn(
    package: &Package,
    metadata: &Metadata,
    found: &mut Vec<String>,
) -> anyhow::Result<()> {
    let without = WITHOUT_BURN.contains(&package.name.as_str());
    if let Some(path) = path_to_burn(&package.id, metadata)?.filter(|_| without) {
        found.push(format!(
            "{} must not depend on Burn, but it does: {}",
            package.name,
            path.join(" -> ")
        ));
    }
    Ok(())
}

/// The shortest way from a package to one of Burn over everything that a build takes in, as names.
fn path_to_burn(start: &PackageId, metadata: &Metadata) -> anyhow::Result<Option<Vec<String>>> {
    let graph = metadata
        .resolve
        .as_ref()
        .context("cargo metadata resolved nothing")?;
    // Packages that were reached, each with the place of the one that needs it.
    let mut reached = vec![(start, 0)];
    let mut at = 0;
    while let Some(&(id, _)) = reached.get(at) {
        let name = metadata[id].name.as_str();
        if name == "burn" || name.starts_with("burn-") {
            let mut path = vec![name.to_owned()];
            let mut place = at;
            while place > 0 {
                place = reached[place].1;
                path.insert(0, metadata[reached[place].0].name.to_string());
            }
            return Ok(Some(path));
        }
        let node = graph.nodes.iter().find(|node| node.id == *id);
        for needed in node.iter().flat_map(|node| &node.deps) {
            let mut kinds = needed.dep_kinds.iter();
            let used = kinds.any(|kind| kind.kind != DependencyKind::Development);
            if used && reached.iter().all(|(other, _)| **other != needed.pkg) {
                reached.push((&needed.pkg, at));
            }
        }
        at += 1;
    }
    Ok(None)
}

fn check_backend(package: &Package, found: &mut Vec<String>) {
    let name = package.name.as_str();
    if name == CHOOSES_BACKEND {
        return;
    }
    let mut enabled = BTreeSet::new();
    for dependency in needs(package) {
        let backend = dependency.name.strip_prefix("burn-");
        if backend.is_some_and(|backend| BACKENDS.contains(&backend)) {
            enabled.insert(format!("it depends on {}", dependency.name));
        }
        if dependency.name != "burn" {
            continue;
        }
        let own = dependency.features.iter().map(String::as_str);
        for feature in own.filter(|feature| BACKENDS.contains(feature)) {
            enabled.insert(format!("it depends on burn with '{feature}'"));
        }
        let burn = dependency.rename.as_deref().unwrap_or("burn");
        for (own, enables) in &package.features {
            for feature in enables.iter().filter(|entry| is_backend_of(burn, entry)) {
                enabled.insert(format!("its feature '{own}' enables '{feature}'"));
            }
        }
    }
    found.extend(
        enabled.iter().map(|how| {
            format!("only {CHOOSES_BACKEND} may enable a backend, but {name} does: {how}")
        }),
    );
}

/// Whether an entry of a feature such as `burn/flex` or `burn?/flex` switches a backend on.
fn is_backend_of(burn: &str, entry: &str) -> bool {
    entry.split_once('/').is_some_and(|(dependency, feature)| {
        dependency.trim_end_matches('?') == burn && BACKENDS.contains(&feature)
    })
}
