//! The backends that the lab can be built with, and what a build with them has to be told.

use std::ffi::OsString;

use anyhow::{Context, anyhow, bail};

use crate::{machine, torch};

/// Built in without being asked for: the reference of the conformance suite, in seconds.
pub(crate) const DEFAULT: &str = "flex";

/// Whether this machine has what a backend needs: what it has, or what is missing and where to get it.
///
/// That a driver is installed does not say that its hardware is there. Only a program can tell, and
/// `cargo xtask doctor --backend NAME` asks it.
type CanRun = fn() -> Result<String, String>;

/// The backends: features of the crate `gradual-backends`, which `gradual-lab` forwards.
pub(crate) const ALL: [(&str, CanRun); 5] = [
    (DEFAULT, machine::processor),
    ("ndarray", machine::processor),
    ("wgpu", machine::vulkan),
    ("tch", torch::can_run),
    ("cuda", machine::cuda),
];

/// The backends in `text`, `NAME` or `NAME:INDEX` separated by commas.
///
/// What is wrong with a name, or missing on this machine, is said before any build.
pub(crate) fn choose(text: &str) -> anyhow::Result<Vec<&'static str>> {
    text.split(',')
        .map(|one| {
            let name = one.split(':').next().unwrap_or_default();
            let found = ALL.into_iter().find(|(known, _)| *known == name);
            let (name, can_run) = found.with_context(|| {
                let known = ALL.map(|(known, _)| known).join(", ");
                format!("backend '{name}' is not known; known: {known}")
            })?;
            can_run().map_err(|missing| anyhow!("backend '{name}' can't run here: {missing}"))?;
            Ok(name)
        })
        .collect()
}

/// What cargo is told to build the lab with these backends. For the default one alone nothing is asked, so that runs,
/// tests and plain cargo share one build.
pub(crate) fn features(names: &[&str]) -> Vec<String> {
    let more = names.iter().filter(|name| **name != DEFAULT);
    let more: Vec<String> = more.map(|name| format!("gradual-lab/{name}")).collect();
    match more.is_empty() {
        true => Vec::new(),
        false => vec![format!("--features={}", more.join(","))],
    }
}

/// What a build and a program with these backends find in their environment.
pub(crate) fn environment(names: &[&str]) -> Vec<(&'static str, OsString)> {
    // Burn has a default device, on which it puts the state of an optimizer that it reads. With several backends
    // compiled in that would be a GPU's, present or not.
    let first = names.first().copied().unwrap_or(DEFAULT);
    let mut environment = vec![("BURN_DEVICE", first.into())];
    if names.contains(&"tch") {
        environment.extend(torch::environment());
    }
    environment
}

/// The one backend that a command runs on.
pub(crate) fn choose_one(text: &str) -> anyhow::Result<Vec<&'static str>> {
    if text.contains(',') {
        bail!("--backend takes one backend here, not '{text}'");
    }
    choose(text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::shell;

    #[test]
    fn every_feature_of_the_crate_is_a_backend_and_the_lab_forwards_it() {
        let sh = shell::shell().unwrap();
        let features = |name: &str| {
            let manifest = sh.read_file(format!("crates/{name}/Cargo.toml")).unwrap();
            let (_, rest) = manifest.split_once("\n[features]\n").unwrap();
            let lines = rest.lines().take_while(|line| !line.starts_with('['));
            let features = lines.filter_map(|line| line.split_once(" = "));
            let features = features.map(|(name, enables)| (name.to_owned(), enables.to_owned()));
            features.collect::<BTreeMap<String, String>>()
        };
        let mut own = ALL.map(|(name, _)| name);
        own.sort_unstable();
        assert!(features("gradual-backends").keys().eq(own));
        for name in own {
            let forwarded = format!("gradual-backends/{name}");
            assert!(features("gradual-lab")[name].contains(&forwarded), "{name}");
        }
        assert!(features("gradual-lab")["default"].contains(DEFAULT));
    }

    #[test]
    fn the_default_backend_adds_no_arguments_and_others_come_beside_it() {
        assert_eq!(features(&[]), [""; 0]);
        assert_eq!(features(&[DEFAULT]), [""; 0]);
        let several = [DEFAULT, "wgpu", "tch"];
        assert_eq!(
            features(&several),
            ["--features=gradual-lab/wgpu,gradual-lab/tch"]
        );
    }

    #[test]
    fn names_are_chosen_with_and_without_an_index() {
        assert_eq!(choose("flex,ndarray:0").unwrap(), ["flex", "ndarray"]);
        for name in ["foo", "default", "", "flex,foo"] {
            let error = choose(name).unwrap_err().to_string();
            assert!(
                error.ends_with("is not known; known: flex, ndarray, wgpu, tch, cuda"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_runs_on_one_backend_refuses_several() {
        let error = choose_one("flex,ndarray").unwrap_err().to_string();
        assert!(error.contains("'flex,ndarray'"), "{error}");
        assert!(choose_one("flex").is_ok());
    }
}
