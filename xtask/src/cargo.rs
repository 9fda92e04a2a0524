//! Calling cargo.

use std::env;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

use crate::stop::Stop;
use crate::terminal;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // Set by `cargo run`, so that a moved checkout works; the fallback is for a direct call.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map(PathBuf::from).unwrap_or(own)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A cargo command that runs in the root of the workspace.
pub(crate) fn cargo<I>(arguments: I) -> Command
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root()).args(arguments);
    forget_own_package(&mut command);
    if terminal::is_plain() {
        for (variable, value) in [
            ("CARGO_TERM_COLOR", "never"),
            ("CARGO_TERM_PROGRESS_WHEN", "never"),
        ] {
            if env::var_os(variable).is_none() {
                command.env(variable, value);
            }
        }
    }
    command
}

/// What makes arithmetic that overflows panic, and debug assertions count, in our own crates: no release does. The crates of
/// others, `"*"`, stay as they are compiled for any other run, so nothing of Burn is built again.
const CHECKED: [&str; 4] = [
    "profile.release.overflow-checks=true",
    "profile.release.debug-assertions=true",
    "profile.release.package.\"*\".overflow-checks=false",
    "profile.release.package.\"*\".debug-assertions=false",
];

/// `cargo test` in release, with these checks.
pub(crate) fn checked_tests() -> Command {
    let mut command = cargo(["test", "--release"]);
    command.args(CHECKED.iter().flat_map(|setting| ["--config", setting]));
    command
}

/// Takes away what `cargo run` told this program about its own package.
///
/// Some build scripts watch these variables: inherited, they would rebuild their crate each time that
/// `cargo xtask …` and plain `cargo …` take turns.
pub(crate) fn forget_own_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let own = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if own {
            command.env_remove(name);
        }
    }
}

/// Runs a command with our own standard streams. Where it fails, it has said why: we only pass its code on.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| cannot_start(command))?;
    if status.success() {
        Ok(())
    } else {
        Err(Stop::quietly(status).into())
    }
}

/// Runs a command and returns its standard output; its standard error stays visible.
pub(crate) fn read(command: &mut Command) -> anyhow::Result<Vec<u8>> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| cannot_start(command))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(Stop::quietly(output.status).into())
    }
}

/// Checks that `cargo NAME` exists; if not, the error tells the component to install.
pub(crate) fn require(name: &str, component: &str) -> anyhow::Result<()> {
    let mut command = cargo([name, "--version"]);
    let found = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .with_context(|| cannot_start(&command))?;
    if !found.success() {
        bail!(
            "`cargo {name}` is not installed; install it with `rustup component add {component}`"
        );
    }
    Ok(())
}

fn cannot_start(command: &Command) -> String {
    format!("cannot start `{}`", command.get_program().display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_holds_the_workspace() {
        assert!(root().join("xtask").join("Cargo.toml").is_file());
    }

    #[test]
    fn a_missing_subcommand_names_the_component() {
        let error = require("no-such-subcommand", "rustfmt").unwrap_err();
        let message = format!("{error:#}");
        assert!(message.contains("cargo no-such-subcommand"), "{message}");
        assert!(
            message.contains("rustup component add rustfmt"),
            "{message}"
        );
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program-at-all")).unwrap_err();
        assert!(format!("{error:#}").contains("cannot start `no-such-program-at-all`"));
    }
}
