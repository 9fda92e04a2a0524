//! `cargo xtask layers`: which crate may depend on which.
//!
//! Only what a crate needs to be built and used is looked at; its tests may use what they like.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::bail;

use crate::metadata::{self, Dependency, Package};
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
    let packages = metadata::packages(manifest)?;
    let members: Vec<&str> = packages.iter().map(|one| one.name.as_str()).collect();
    let mut found = Vec::new();
    for package in &packages {
        check_order(package, &members, &mut found);
        check_backend(package, &mut found);
        if WITHOUT_BURN.contains(&package.name.as_str()) {
            check_burn(package, manifest, &mut found)?;
        }
    }
    Ok(found)
}

/// What a package needs to be built and used.
fn needs(package: &Package) -> impl Iterator<Item = &Dependency> {
    let all = package.dependencies.iter();
    all.filter(|dependency| dependency.kind.as_deref() != Some("dev"))
}

fn layer(name: &str) -> Option<usize> {
    ORDER.iter().position(|&known| known == name)
}

fn check_order(package: &Package, members: &[&str], found: &mut Vec<String>) {
    let name = package.name.as_str();
    let Some(own) = layer(name) else {
        found.push(format!(
            "{name} has no layer; give it one in xtask/src/layers.rs"
        ));
        return;
    };
    let only = ONLY.iter().find(|(limited, _)| *limited == name);
    let used = needs(package).filter(|dependency| dependency.path.is_some());
    let used = used.map(|dependency| dependency.name.as_str());
    for used in used.filter(|used| members.contains(used)) {
        // A crate without a layer is reported where it is a member.
        if layer(used).is_some_and(|other| other > own) {
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

/// Optional dependencies count, although no default build may show them.
fn check_burn(package: &Package, manifest: &Path, found: &mut Vec<String>) -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let name = package.name.as_str();
    let tree = [
        "tree",
        "--edges=normal,build",
        "--all-features",
        "--package",
        name,
    ];
    let tree = shell::cargo(&sh, &tree).args(["--prefix=none", "--format={p}"]);
    let tree = tree.arg("--manifest-path").arg(manifest).quiet().read()?;
    let mut names = tree.lines().filter_map(|line| line.split(' ').next());
    if let Some(burn) = names.find(|name| *name == "burn" || name.starts_with("burn-")) {
        found.push(format!(
            "{name} must not depend on Burn, but it does: see `cargo tree --all-features -p {name} -i {burn}`"
        ));
    }
    Ok(())
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
