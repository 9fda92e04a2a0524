//! What `cargo metadata` tells about the workspace.

use std::collections::BTreeMap;

use anyhow::Context;
use serde_json::Value;

use crate::cargo;

/// Packages, and which of them needs which.
#[derive(Debug)]
pub(crate) struct Metadata {
    /// The crates of this workspace.
    pub(crate) members: Vec<Package>,
    /// Names of all packages, foreign ones included, by package id.
    pub(crate) names: BTreeMap<String, String>,
    /// Ids of the packages that a package needs outside of tests, by its id; as resolved with default features.
    pub(crate) needs: BTreeMap<String, Vec<String>>,
}

/// One crate of the workspace.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) features: BTreeMap<String, Vec<String>>,
}

/// One line under `[dependencies]` or `[build-dependencies]`.
#[derive(Debug)]
pub(crate) struct Dependency {
    /// The name of the package.
    pub(crate) package: String,
    /// The name that it has in the manifest, by which features call it.
    pub(crate) name: String,
    /// Whether it is a directory of this checkout, not a registry or a repository.
    pub(crate) local: bool,
    pub(crate) features: Vec<String>,
}

impl Metadata {
    /// Metadata of the crates alone: no foreign packages, nothing to resolve or download.
    pub(crate) fn of_members() -> anyhow::Result<Self> {
        Self::read(&["--no-deps"])
    }

    /// Metadata of the crates and of everything that they need.
    pub(crate) fn of_all() -> anyhow::Result<Self> {
        Self::read(&[])
    }

    fn read(extra: &[&str]) -> anyhow::Result<Self> {
        let mut command = cargo::cargo(["metadata", "--quiet", "--format-version", "1"]);
        let output = cargo::read(command.args(extra))?;
        let value = serde_json::from_slice(&output).context("cargo metadata is not JSON")?;
        Self::parse(&value).context("cargo metadata has a form that xtask does not know")
    }

    /// Reads format version 1. Dependencies of tests alone are left out everywhere.
    pub(crate) fn parse(value: &Value) -> anyhow::Result<Self> {
        let member_ids = strings(&value["workspace_members"]);
        let mut members = Vec::new();
        let mut names = BTreeMap::new();
        for package in array(&value["packages"]) {
            let id = text(&package["id"])?;
            let name = text(&package["name"])?;
            if member_ids.contains(&id) {
                members.push(Package {
                    id: id.clone(),
                    name: name.clone(),
                    dependencies: dependencies(package)?,
                    features: features(package),
                });
            }
            names.insert(id, name);
        }
        let mut needs = BTreeMap::new();
        for node in array(&value["resolve"]["nodes"]) {
            let mut ids = Vec::new();
            for dependency in array(&node["deps"]) {
                let kinds = array(&dependency["dep_kinds"]);
                if kinds.iter().any(|kind| !is_dev(&kind["kind"])) {
                    ids.push(text(&dependency["pkg"])?);
                }
            }
            needs.insert(text(&node["id"])?, ids);
        }
        Ok(Self {
            members,
            names,
            needs,
        })
    }

    /// The crate of this workspace with this name.
    pub(crate) fn member(&self, name: &str) -> Option<&Package> {
        self.members.iter().find(|package| package.name == name)
    }
}

fn dependencies(package: &Value) -> anyhow::Result<Vec<Dependency>> {
    array(&package["dependencies"])
        .iter()
        .filter(|dependency| !is_dev(&dependency["kind"]))
        .map(|dependency| {
            let package = text(&dependency["name"])?;
            Ok(Dependency {
                name: text(&dependency["rename"]).unwrap_or_else(|_| package.clone()),
                package,
                local: dependency["source"].is_null(),
                features: strings(&dependency["features"]),
            })
        })
        .collect()
}

fn features(package: &Value) -> BTreeMap<String, Vec<String>> {
    package["features"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, enabled)| (name.clone(), strings(enabled)))
        .collect()
}

/// Normal dependencies have no kind.
fn is_dev(kind: &Value) -> bool {
    kind == "dev"
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn strings(value: &Value) -> Vec<String> {
    let items = array(value).iter();
    items
        .filter_map(|v| v.as_str().map(str::to_owned))
        .collect()
}

fn text(value: &Value) -> anyhow::Result<String> {
    let text = value.as_str().context("a name or an id is missing")?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_is_read() {
        let metadata = Metadata::of_members().unwrap();
        let lab = metadata.member("gradual-lab").unwrap();
        assert!(lab.features.contains_key("default"));
        assert!(
            lab.dependencies
                .iter()
                .any(|d| d.package == "gradual" && d.local)
        );
        assert!(
            lab.dependencies
                .iter()
                .any(|d| d.package == "burn" && !d.local)
        );
        assert!(lab.dependencies.iter().all(|d| d.package != "burn-pack"));
    }

    #[test]
    fn a_package_without_a_name_is_an_error() {
        let value = serde_json::json!({"packages": [{"id": "a"}]});
        assert!(Metadata::parse(&value).is_err());
    }
}
