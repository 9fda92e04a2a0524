//! The commands that `gradual-lab` carries out: it is built with the backends that they ask for, and takes their
//! arguments as they are.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};

use clap::Args;

use crate::{backends, shell, venv};

/// Arguments of the lab.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Passed on to gradual-lab, whose help --help shows; --backend NAME or NAME:INDEX is built in, too
    #[arg(
        allow_hyphen_values = true,
        trailing_var_arg = true,
        value_name = "ARGUMENT"
    )]
    pub(crate) arguments: Vec<OsString>,
}

impl Arguments {
    pub(crate) fn experiment(self) -> anyhow::Result<Infallible> {
        one_backend("experiment", self.arguments)
    }

    /// `--peers` alone stands for an environment with the peers in it, which is made if need be.
    pub(crate) fn bench(self) -> anyhow::Result<Infallible> {
        let mut arguments = self.arguments;
        if let Some(at) = arguments.iter().position(|argument| argument == "--peers") {
            let mut peers = OsString::from("--peers=");
            peers.push(venv::peers()?);
            let mut script = OsString::from("--peers-script=");
            script.push(shell::root().join("bench/peers.py"));
            arguments.splice(at..=at, [peers, script]);
        }
        one_backend("bench", arguments)
    }
}

fn one_backend(command: &str, arguments: Vec<OsString>) -> anyhow::Result<Infallible> {
    let names = match backend(&arguments) {
        Some(text) => backends::choose_one(&text)?,
        None => Vec::new(),
    };
    become_lab(&names, command, &arguments)
}

/// Builds the lab with these backends and becomes it.
pub(crate) fn become_lab<S: AsRef<OsStr>>(
    names: &[&str],
    command: &str,
    arguments: &[S],
) -> anyhow::Result<Infallible> {
    let sh = shell::shell()?;
    let manifest = shell::root().join("Cargo.toml");
    let run = shell::cargo(&sh, &["run", "--release", "--package", "gradual-lab"])
        .arg("--manifest-path")
        .arg(manifest)
        .args(backends::features(names))
        .args(["--", command])
        .args(arguments)
        .envs(backends::environment(names));
    shell::become_program(run)
}

/// What follows `--backend`.
fn backend(arguments: &[OsString]) -> Option<String> {
    let text = arguments.iter().map(|argument| argument.to_string_lossy());
    let text: Vec<_> = text.collect();
    let joined = text.iter().find_map(|one| one.strip_prefix("--backend="));
    let apart = || text.iter().position(|one| one == "--backend");
    joined
        .map(str::to_owned)
        .or_else(|| Some(text.get(apart()? + 1)?.clone().into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backend_is_found_among_arguments_that_are_passed_on() {
        let of = |line: &str| backend(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("--seeds -3 table --data a.csv"), None);
        assert_eq!(
            of("--quick --backend wgpu:1 --seeds 3").as_deref(),
            Some("wgpu:1")
        );
        assert_eq!(of("table --backend=flex").as_deref(), Some("flex"));
        // The lab says that a name is missing.
        assert_eq!(of("--backend"), None);
    }
}
