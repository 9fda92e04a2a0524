//! `cargo xtask layers`: which crate may depend on which.
//!
//! Only what a crate needs to be built and used is looked at; its tests may use what they like.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use anyhow::bail;

use crate::metadata::{Metadata, Package};

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
    let metadata = Metadata::of_all()?;
    let violations = violations(&metadata);
    if violations.is_empty() {
        println!("layers: {} crates, all in order", metadata.members.len());
        return Ok(());
    }
    bail!(
        "the layers of the workspace are broken:\n  - {}",
        violations.join("\n  - ")
    );
}

/// All violations, one sentence each.
fn violations(metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for package in &metadata.members {
        check_order(package, &mut found);
        check_only(package, &mut found);
        check_burn(package, metadata, &mut found);
        check_backend(package, &mut found);
    }
    found
}

fn layer(name: &str) -> Option<usize> {
    ORDER.iter().position(|&known| known == name)
}

fn check_order(package: &Package, found: &mut Vec<String>) {
    let name = &package.name;
    let Some(own) = layer(name) else {
        found.push(format!(
            "{name} has no layer; give it one in xtask/src/layers.rs"
        ));
        return;
    };
    for used in local(package) {
        // A crate without a layer is reported where it is a member.
        if layer(used).is_some_and(|other| other > own) {
            found.push(format!(
                "{name} depends on {used}, which is below it in the order of layers"
            ));
        }
    }
}

fn check_only(package: &Package, found: &mut Vec<String>) {
    let name = &package.name;
    for (_, allowed) in ONLY.iter().filter(|(limited, _)| limited == name) {
        for used in local(package).filter(|used| !allowed.contains(used)) {
            found.push(format!(
                "{name} depends on {used}, but of this workspace it may only use {}",
                allowed.join(", ")
            ));
        }
    }
}

fn check_burn(package: &Package, metadata: &Metadata, found: &mut Vec<String>) {
    if !WITHOUT_BURN.contains(&package.name.as_str()) {
        return;
    }
    let path = declared_path_to_burn(package, metadata)
        .or_else(|| resolved_path_to_burn(package, metadata));
    if let Some(path) = path {
        found.push(format!(
            "{} must not depend on Burn, but it does: {}",
            package.name,
            path.join(" -> ")
        ));
    }
}

fn check_backend(package: &Package, found: &mut Vec<String>) {
    let name = &package.name;
    if name == CHOOSES_BACKEND {
        return;
    }
    let mut enabled = BTreeSet::new();
    for dependency in &package.dependencies {
        if is_backend_crate(&dependency.package) {
            enabled.insert(format!("it depends on {}", dependency.package));
        }
        if dependency.package != "burn" {
            continue;
        }
        for feature in &dependency.features {
            if BACKENDS.contains(&feature.as_str()) {
                enabled.insert(format!("it depends on burn with '{feature}'"));
            }
        }
        for (own, enables) in &package.features {
            for feature in enables {
                if backend_of(feature, &dependency.name).is_some() {
                    enabled.insert(format!("its feature '{own}' enables '{feature}'"));
                }
            }
        }
    }
    for how in enabled {
        found.push(format!(
            "only {CHOOSES_BACKEND} may enable a backend, but {name} does: {how}"
        ));
    }
}

/// The backend that an entry such as `burn/flex` or `burn?/flex` of a feature switches on.
fn backend_of<'a>(entry: &'a str, burn: &str) -> Option<&'a str> {
    let (dependency, feature) = entry.split_once('/')?;
    let is_burn = dependency.trim_end_matches('?') == burn;
    (is_burn && BACKENDS.contains(&feature)).then_some(feature)
}

fn is_backend_crate(name: &str) -> bool {
    name.strip_prefix("burn-")
        .is_some_and(|backend| BACKENDS.contains(&backend))
}

fn is_burn(name: &str) -> bool {
    name == "burn" || name.starts_with("burn-")
}

/// Names of the workspace crates that a crate uses.
fn local(package: &Package) -> impl Iterator<Item = &str> {
    let local = package.dependencies.iter().filter(|d| d.local);
    local.map(|d| d.package.as_str())
}

/// A way to Burn over the manifests of this workspace.
///
/// Optional dependencies count, although no default build may show them.
fn declared_path_to_burn(start: &Package, metadata: &Metadata) -> Option<Vec<String>> {
    path_to_burn(&start.name, |name| {
        let package = metadata.member(name);
        let dependencies = package.into_iter().flat_map(|p| &p.dependencies);
        let names = dependencies.map(|d| d.package.as_str());
        names.map(|name| (name, name)).collect()
    })
    .map(|path| with_start(&start.name, path))
}

/// A way to Burn over everything that a default build takes in, foreign crates included.
fn resolved_path_to_burn(start: &Package, metadata: &Metadata) -> Option<Vec<String>> {
    path_to_burn(&start.id, |id| {
        let needs = metadata.needs.get(id).into_iter().flatten();
        let named = needs.filter_map(|id| Some((id.as_str(), metadata.names.get(id)?.as_str())));
        named.collect()
    })
    .map(|path| with_start(&start.name, path))
}

fn with_start(start: &str, path: Vec<&str>) -> Vec<String> {
    let names = std::iter::once(start).chain(path);
    names.map(str::to_owned).collect()
}

/// The shortest way from `start` to a package of Burn, as names. `next` gives keys and names of what a key uses.
fn path_to_burn<'a>(
    start: &'a str,
    next: impl Fn(&str) -> Vec<(&'a str, &'a str)>,
) -> Option<Vec<&'a str>> {
    // How each key was reached: from which key, and the name that it has.
    let mut reached: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(key) = queue.pop_front() {
        for (used, name) in next(key) {
            if used == start || reached.contains_key(used) {
                continue;
            }
            reached.insert(used, (key, name));
            if is_burn(name) {
                let mut path = Vec::new();
                let mut at = used;
                while let Some(&(before, name)) = reached.get(at) {
                    path.push(name);
                    at = before;
                }
                path.reverse();
                return Some(path);
            }
            queue.push_back(used);
        }
    }
    None
}
