//! Which backends the lab is built with.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, bail};

use crate::cargo;
use crate::machine;
use crate::metadata::Metadata;
use crate::program::{self, Environment};
use crate::stop::Stop;
use crate::torch;

/// The crate whose features are the backends.
const LAB: &str = "gradual-lab";

/// A backend of the lab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Backend {
    /// Its name, a feature of the lab.
    pub(crate) name: String,
    /// Whether the lab is built with it when nobody asks.
    pub(crate) is_default: bool,
}

impl Backend {
    /// All backends: every feature of the lab but `default`. Only manifests are read.
    pub(crate) fn all() -> anyhow::Result<Vec<Self>> {
        let metadata = Metadata::of_members()?;
        let lab = metadata
            .member(LAB)
            .with_context(|| format!("this workspace has no crate {LAB}"))?;
        Ok(Self::of(&lab.features))
    }

    fn of(features: &BTreeMap<String, Vec<String>>) -> Vec<Self> {
        let defaults = features.get("default").map_or(&[][..], Vec::as_slice);
        let names = features.keys().filter(|feature| *feature != "default");
        names
            .map(|name| Self {
                name: name.clone(),
                is_default: defaults.contains(name),
            })
            .collect()
    }
}

/// The backends that somebody asked for, and how to ask cargo and the lab for them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Backends {
    /// As they were given, `name` or `name:index`; empty for the default.
    asked: Vec<String>,
    /// Those beyond the default one.
    more: Vec<String>,
}

impl Backends {
    /// The backends in `text`, `NAME` or `NAME:INDEX` separated by commas; without a text the default one.
    ///
    /// What is wrong with a name, or missing on this machine, is said before any build.
    pub(crate) fn choose(text: Option<&str>) -> anyhow::Result<Self> {
        let chosen = Self::among(&Backend::all()?, text)?;
        for name in &chosen.more {
            if let Err(missing) = machine::can_run(name) {
                bail!("backend '{name}' can't run here: {missing}");
            }
        }
        Ok(chosen)
    }

    /// The same for what runs on one backend.
    pub(crate) fn choose_one(text: Option<&str>) -> anyhow::Result<Self> {
        match text {
            Some(several) if several.contains(',') => Err(Stop::usage(format!(
                "--backend takes one backend here, not '{several}'"
            ))
            .into()),
            one => Self::choose(one),
        }
    }

    /// All that this machine can build: without LibTorch not `tch`.
    pub(crate) fn buildable() -> anyhow::Result<Self> {
        Self::those(|name| name != "tch" || machine::can_run(name).is_ok())
    }

    /// All that this machine can run without a GPU.
    pub(crate) fn without_gpu() -> anyhow::Result<Self> {
        Self::those(|name| name != "cuda" && machine::can_run(name).is_ok())
    }

    fn those(wanted: impl Fn(&str) -> bool) -> anyhow::Result<Self> {
        let mut known = Backend::all()?;
        known.sort_by_key(|backend| !backend.is_default);
        let names = known.iter().map(|backend| backend.name.as_str());
        let names: Vec<&str> = names.filter(|name| wanted(name)).collect();
        Ok(Self::among(&known, Some(&names.join(",")))?)
    }

    fn among(known: &[Backend], text: Option<&str>) -> Result<Self, Stop> {
        let asked: Vec<String> = text
            .map(|text| text.split(',').map(str::to_owned).collect())
            .unwrap_or_default();
        let mut more = Vec::new();
        for text in &asked {
            let name = text.split(':').next().unwrap_or_default();
            let Some(backend) = known.iter().find(|backend| backend.name == name) else {
                let known: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
                let known = known.join(", ");
                return Err(Stop::usage(format!(
                    "backend '{name}' is not known; known: {known}"
                )));
            };
            if !backend.is_default {
                more.push(backend.name.clone());
            }
        }
        Ok(Self { asked, more })
    }

    /// What cargo needs to build the lab with these backends.
    ///
    /// The default one stays compiled in: it costs seconds, other builds share what it has built, and the
    /// conformance suite compares with it. For the default backend alone nothing is asked, so that runs, tests and
    /// plain cargo share one build.
    pub(crate) fn cargo_arguments(&self) -> Vec<String> {
        if self.more.is_empty() {
            return Vec::new();
        }
        let features: Vec<String> = self
            .more
            .iter()
            .map(|name| format!("{LAB}/{name}"))
            .collect();
        vec![format!("--features={}", features.join(","))]
    }

    /// Builds the lab with these backends and becomes it.
    pub(crate) fn become_lab(&self, arguments: Vec<OsString>) -> anyhow::Result<Infallible> {
        let environment = self.environment();
        let lab = program::build(LAB, &self.cargo_arguments(), &environment)?;
        let arguments = arguments.into_iter().chain(self.lab_arguments());
        program::become_program(lab, arguments, &environment)
    }

    /// Runs the lab that tests [with these features](Self::cargo_arguments) have built.
    pub(crate) fn run_tested_lab(&self, arguments: Vec<OsString>) -> anyhow::Result<()> {
        let name = format!("{LAB}{}", std::env::consts::EXE_SUFFIX);
        let mut command = Command::new(cargo::target().join("release").join(name));
        command.args(arguments).args(self.lab_arguments());
        cargo::run(command.envs(self.environment()))
    }

    /// What the lab needs to run on these backends.
    fn lab_arguments(&self) -> Vec<OsString> {
        match self.asked.is_empty() {
            true => Vec::new(),
            false => vec![format!("--backend={}", self.asked.join(",")).into()],
        }
    }

    /// What a build and a program with these backends are told.
    pub(crate) fn environment(&self) -> Environment {
        // Burn has a default device, on which it puts the state of an optimizer that it reads. With several backends
        // compiled in that would be a GPU's, there or not.
        let first = self.asked.first().map_or("flex", String::as_str);
        let first = first.split(':').next().unwrap_or(first);
        let mut environment: Environment = vec![("BURN_DEVICE", first.into())];
        if self.more.iter().any(|name| name == "tch") {
            environment.extend(torch::find().iter().flat_map(torch::Found::environment));
        }
        environment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<Backend> {
        let feature = |name: &str, needs: &[&str]| {
            let needs = needs.iter().map(|&need| need.to_owned()).collect();
            (name.to_owned(), needs)
        };
        Backend::of(&BTreeMap::from([
            feature("default", &["flex"]),
            feature("flex", &["burn/flex"]),
            feature("tch", &["burn/tch"]),
            feature("wgpu", &["burn/wgpu"]),
        ]))
    }

    #[test]
    fn every_feature_but_default_is_a_backend() {
        let known = known();
        let names: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["flex", "tch", "wgpu"]);
        assert!(known[0].is_default && !known[1].is_default);
    }

    #[test]
    fn default_backend_adds_no_arguments() {
        let none = Backends::among(&known(), None).unwrap();
        assert_eq!(none.cargo_arguments(), [""; 0]);
        assert_eq!(none.lab_arguments(), [""; 0]);
        let flex = Backends::among(&known(), Some("flex")).unwrap();
        assert_eq!(flex.cargo_arguments(), [""; 0]);
        assert_eq!(flex.lab_arguments(), ["--backend=flex"]);
    }

    #[test]
    fn others_come_beside_it_and_devices_are_for_the_lab() {
        let chosen = Backends::among(&known(), Some("flex,wgpu:1,tch")).unwrap();
        assert_eq!(
            chosen.cargo_arguments(),
            ["--features=gradual-lab/wgpu,gradual-lab/tch"]
        );
        assert_eq!(chosen.lab_arguments(), ["--backend=flex,wgpu:1,tch"]);
    }

    #[test]
    fn what_runs_on_one_backend_refuses_several() {
        let error = Backends::choose_one(Some("flex,ndarray")).unwrap_err();
        assert!(error.to_string().contains("'flex,ndarray'"), "{error}");
        assert!(Backends::choose_one(Some("flex")).is_ok());
    }

    #[test]
    fn unknown_backends_are_named_with_the_known_ones() {
        for name in ["foo", "default", "", "wgpu,foo"] {
            let stop = Backends::among(&known(), Some(name)).unwrap_err();
            let message = stop.message().unwrap();
            assert!(
                message.ends_with("is not known; known: flex, tch, wgpu"),
                "{message}"
            );
            assert_eq!(stop.code(), 2);
        }
    }
}
