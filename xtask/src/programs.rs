//! The commands that programs of the workspace carry out: they are built, and take their arguments as they are.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};

use clap::Args;
use xshell::{Shell, cmd};

use crate::{backends, shell, venv};

/// Arguments of a program.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// Passed on; --help shows the program's own help, and --backend NAME or NAME:INDEX is built in
    #[arg(
        allow_hyphen_values = true,
        trailing_var_arg = true,
        value_name = "ARGUMENT"
    )]
    pub(crate) arguments: Vec<OsString>,
}

/// `gradual-lab experiment`.
pub(crate) fn experiment(Arguments { arguments }: Arguments) -> anyhow::Result<Infallible> {
    on_one_backend("experiment", arguments)
}

/// `gradual-lab cluster`.
pub(crate) fn cluster(Arguments { arguments }: Arguments) -> anyhow::Result<Infallible> {
    on_one_backend("cluster", arguments)
}

/// `gradual-lab scale`.
pub(crate) fn scale(Arguments { arguments }: Arguments) -> anyhow::Result<Infallible> {
    on_one_backend("scale", arguments)
}

/// `gradual-lab bench`. `--peers` alone stands for an environment with the peers in it, which is made if need be.
pub(crate) fn bench(Arguments { mut arguments }: Arguments) -> anyhow::Result<Infallible> {
    if let Some(at) = arguments.iter().position(|argument| argument == "--peers") {
        let mut peers = OsString::from("--peers=");
        peers.push(venv::peers()?);
        let mut script = OsString::from("--peers-script=");
        script.push(shell::root().join("bench/peers.py"));
        arguments.splice(at..=at, [peers, script]);
    }
    on_one_backend("bench", arguments)
}

fn on_one_backend(command: &str, arguments: Vec<OsString>) -> anyhow::Result<Infallible> {
    let names = match backend(&arguments) {
        Some(text) => backends::choose_one(&text)?,
        None => Vec::new(),
    };
    become_lab(&names, command, &arguments)
}

/// What follows `--backend`.
fn backend(arguments: &[OsString]) -> Option<String> {
    let mut rest = arguments.iter().map(|argument| argument.to_string_lossy());
    while let Some(argument) = rest.next() {
        match argument.strip_prefix("--backend") {
            Some("") => return rest.next().map(String::from),
            Some(joined) => return joined.strip_prefix('=').map(str::to_owned),
            None => {}
        }
    }
    None
}

/// Builds the lab with these backends and becomes it.
pub(crate) fn become_lab<S: AsRef<OsStr>>(
    names: &[&str],
    command: &str,
    arguments: &[S],
) -> anyhow::Result<Infallible> {
    let sh = shell::shell()?;
    let run = shell::cargo(&sh, &["run", "--release", "--package=gradual-lab"]);
    let run = run
        .args(backends::features(names))
        .envs(backends::environment(names))
        .env("GRADUAL_COMMIT", commit(&sh));
    let run = run
        .arg("--manifest-path")
        .arg(shell::root().join("Cargo.toml"));
    shell::become_program(run.args(["--", command]).args(arguments))
}

/// The commit that the programs are built from, for the record of an experiment; `…-dirty` where files differ from it,
/// and empty where the folder is no checkout.
fn commit(sh: &Shell) -> String {
    let described = cmd!(sh, "git describe --always --dirty --abbrev=40 --exclude=*");
    let described = described.quiet().ignore_stderr().read();
    described.unwrap_or_default()
}

/// `gradual-report`, without Burn. Parquet takes longer to build than all the rest, so it is built in where it is asked
/// for.
pub(crate) fn report(Arguments { arguments }: Arguments) -> anyhow::Result<Infallible> {
    let sh = shell::shell()?;
    let run = shell::cargo(&sh, &["run", "--release", "--package=gradual-report"]);
    let run = run.args(asks_for_parquet(&arguments).then_some("--features=parquet"));
    let run = run
        .arg("--manifest-path")
        .arg(shell::root().join("Cargo.toml"));
    shell::become_program(run.arg("--").args(arguments))
}

/// `gradual-watch`, without Burn.
pub(crate) fn watch(Arguments { arguments }: Arguments) -> anyhow::Result<Infallible> {
    let sh = shell::shell()?;
    let run = shell::cargo(
        &sh,
        &[
            "run",
            "--release",
            "--package=gradual-report",
            "--bin=gradual-watch",
        ],
    );
    let run = run
        .arg("--manifest-path")
        .arg(shell::root().join("Cargo.toml"));
    shell::become_program(run.arg("--").args(arguments))
}

fn asks_for_parquet(arguments: &[OsString]) -> bool {
    let mentions = |word: &str| {
        let mut arguments = arguments.iter();
        arguments.any(|argument| argument.to_string_lossy().contains(word))
    };
    mentions("--format") && mentions("parquet")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_backend_is_found_among_arguments_that_are_passed_on() {
        for (line, expected) in [
            ("--seeds -3 table --data a.csv", None),
            ("--quick --backend wgpu:1 --seeds 3", Some("wgpu:1")),
            ("table --backend=flex", Some("flex")),
            // The lab says that a name is missing.
            ("--backend", None),
        ] {
            assert_eq!(backend(&words(line)).as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn a_folder_that_is_no_checkout_has_no_commit() {
        let sh = shell::shell().unwrap();
        let said = commit(&sh);
        assert!(said.is_empty() || said.len() >= 40, "{said}");
        sh.change_dir("/");
        assert_eq!(commit(&sh), "");
    }

    #[test]
    fn parquet_is_built_in_when_asked_for() {
        for (line, asked) in [
            ("runs/a runs/b --out there --tensorboard", false),
            ("--claims docs/claims.md runs/parquet", false),
            ("--format html,parquet runs/a", true),
            ("runs/a --format=parquet", true),
        ] {
            assert_eq!(asks_for_parquet(&words(line)), asked, "{line}");
        }
    }
}
