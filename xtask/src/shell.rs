//! Calling programs in the root of the workspace.

use std::convert::Infallible;
use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use xshell::{Cmd, Shell, cmd};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    // Set by `cargo run`, so that a moved checkout works; the fallback is for a direct call.
    let own = env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    own.parent().map(PathBuf::from).unwrap_or(own)
}

/// Where cargo builds, and where environments of Python are made.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// A shell in the root of the workspace.
pub(crate) fn shell() -> anyhow::Result<Shell> {
    let shell = Shell::new()?;
    shell.change_dir(root());
    Ok(shell)
}

/// `cargo ARGUMENTS`, without what `cargo run` told this program about its own package: some build scripts watch
/// these variables, and would rebuild their crate each time that `cargo xtask …` and plain `cargo …` take turns.
pub(crate) fn cargo<'a>(shell: &'a Shell, arguments: &[&str]) -> Cmd<'a> {
    let own = env::vars_os().map(|(name, _)| name).filter(|name| {
        let name = name.to_string_lossy();
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
    });
    own.fold(cmd!(shell, "cargo {arguments...}"), |command, name| {
        command.env_remove(name)
    })
}

/// Runs a command in the place of this program: its streams, its signals and its exit code are the caller's. It runs
/// in the caller's folder, so that relative paths mean what they say.
pub(crate) fn become_program(command: Cmd<'_>) -> anyhow::Result<Infallible> {
    let mut command = Command::from(command);
    command.current_dir(env::current_dir()?);
    replace(command)
}

#[cfg(unix)]
fn replace(mut command: Command) -> anyhow::Result<Infallible> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start `{}`", command.get_program().display()))
}

#[cfg(not(unix))]
fn replace(mut command: Command) -> anyhow::Result<Infallible> {
    let status = command
        .status()
        .with_context(|| format!("cannot start `{}`", command.get_program().display()))?;
    std::process::exit(status.code().unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_holds_the_workspace() {
        assert!(root().join("xtask").join("Cargo.toml").is_file());
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let shell = shell().unwrap();
        let error = become_program(shell.cmd("/no/such/program")).unwrap_err();
        assert!(format!("{error:#}").contains("/no/such/program"));
    }
}
