//! Which backend the lab is built with.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::metadata::Metadata;
use crate::stop::Stop;

/// The crate whose features are the backends.
const LAB: &str = "gradual-lab";

/// A backend of the lab, and how to ask cargo for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Backend {
    name: String,
    is_default: bool,
}

impl Backend {
    /// The backend called `name`, or without a name the default one.
    ///
    /// Only manifests are read, so that a wrong name fails before any build.
    pub(crate) fn choose(name: Option<&str>) -> anyhow::Result<Self> {
        let metadata = Metadata::of_members()?;
        let lab = metadata
            .member(LAB)
            .with_context(|| format!("this workspace has no crate {LAB}"))?;
        Ok(Self::among(&lab.features, name)?)
    }

    /// Every feature of the lab but `default` is a backend.
    fn among(features: &BTreeMap<String, Vec<String>>, name: Option<&str>) -> Result<Self, Stop> {
        let known: Vec<&str> = features
            .keys()
            .map(String::as_str)
            .filter(|feature| *feature != "default")
            .collect();
        let known_text = known.join(", ");
        let defaults = features.get("default").map_or(&[][..], Vec::as_slice);
        let Some(name) = name else {
            let [only] = defaults else {
                return Err(Stop::usage(format!(
                    "no backend is the default, choose one with --backend; known: {known_text}"
                )));
            };
            return Ok(Self {
                name: only.clone(),
                is_default: true,
            });
        };
        if !known.contains(&name) {
            return Err(Stop::usage(format!(
                "backend '{name}' is not known; known: {known_text}"
            )));
        }
        Ok(Self {
            name: name.to_owned(),
            is_default: defaults == [name],
        })
    }

    /// What cargo needs to build the lab with this backend and no other.
    ///
    /// For the default backend that is nothing. Switching the defaults off and the same backend on again
    /// would build the same, but the default features of every other selected crate would go off too, and
    /// the features of what they share (hence Burn's build) could then differ from those of a plain `cargo
    /// test`. Asking for nothing keeps one build for runs, tests and plain cargo.
    pub(crate) fn cargo_arguments(&self) -> Vec<String> {
        if self.is_default {
            return Vec::new();
        }
        vec![
            "--no-default-features".to_owned(),
            format!("--features={LAB}/{}", self.name),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn features(default: &[&str]) -> BTreeMap<String, Vec<String>> {
        let default = default.iter().map(|&name| name.to_owned()).collect();
        BTreeMap::from([
            ("default".to_owned(), default),
            ("flex".to_owned(), vec!["burn/flex".to_owned()]),
            ("wgpu".to_owned(), vec!["burn/wgpu".to_owned()]),
        ])
    }

    #[test]
    fn default_backend_adds_no_arguments() {
        for name in [None, Some("flex")] {
            let backend = Backend::among(&features(&["flex"]), name).unwrap();
            assert_eq!(backend.name, "flex");
            assert_eq!(backend.cargo_arguments(), [""; 0]);
        }
    }

    #[test]
    fn another_backend_replaces_the_default() {
        let backend = Backend::among(&features(&["flex"]), Some("wgpu")).unwrap();
        assert_eq!(
            backend.cargo_arguments(),
            ["--no-default-features", "--features=gradual-lab/wgpu"]
        );
    }

    #[test]
    fn one_of_two_default_backends_stands_alone() {
        let backend = Backend::among(&features(&["flex", "wgpu"]), Some("flex")).unwrap();
        assert!(!backend.cargo_arguments().is_empty());
    }

    #[test]
    fn unknown_backends_are_named_with_the_known_ones() {
        for name in ["foo", "default", ""] {
            let stop = Backend::among(&features(&["flex"]), Some(name)).unwrap_err();
            let expected = format!("backend '{name}' is not known; known: flex, wgpu");
            assert_eq!(stop.message(), Some(expected.as_str()));
            assert_eq!(stop.code(), 2);
        }
    }

    #[test]
    fn without_a_default_one_must_be_chosen() {
        let stop = Backend::among(&features(&[]), None).unwrap_err();
        assert!(stop.message().unwrap().contains("--backend"));
        assert_eq!(stop.code(), 2);
    }
}
