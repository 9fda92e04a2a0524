//! Building a program of the workspace, then becoming it.

use std::convert::Infallible;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

use anyhow::Context;
use serde_json::Value;

use crate::cargo;

/// Variables that a command is told beside its own.
pub(crate) type Environment = Vec<(&'static str, OsString)>;

/// Builds the program of the crate `package` in release, with cargo's progress visible.
///
/// The program has the name of its crate. Returns where cargo put it.
pub(crate) fn build(
    package: &str,
    extra: &[String],
    environment: &Environment,
) -> anyhow::Result<PathBuf> {
    let mut command = cargo::cargo([
        "build",
        "--release",
        "--package",
        package,
        "--bin",
        package,
        "--message-format",
        "json-render-diagnostics",
    ]);
    command.args(extra).envs(environment.iter().cloned());
    let messages = cargo::read(&mut command)?;
    executable(&String::from_utf8_lossy(&messages), package)
        .with_context(|| format!("cargo built {package} but did not say where its program is"))
}

/// Finds the path of a program in cargo's messages, one JSON object a line.
fn executable(messages: &str, program: &str) -> Option<PathBuf> {
    messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| message["target"]["name"] == program)
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Runs a program in the place of this one: its streams, its signals and its exit code are the caller's.
///
/// It runs in the caller's directory, so relative paths mean what they say.
pub(crate) fn become_program<I>(
    path: PathBuf,
    arguments: I,
    environment: &Environment,
) -> anyhow::Result<Infallible>
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    let mut command = Command::new(path);
    command.args(arguments).envs(environment.iter().cloned());
    cargo::forget_own_package(&mut command);
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
    cargo::run(&mut command)?;
    std::process::exit(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_other_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}"#,
            "\nnot json\n",
            r#"{"reason":"compiler-artifact","target":{"name":"lab"},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"lab"},"executable":"/t/lab"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executable(messages, "lab"), Some(PathBuf::from("/t/lab")));
        assert_eq!(executable(messages, "report"), None);
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error =
            become_program(PathBuf::from("/no/such/program"), [""; 0], &Vec::new()).unwrap_err();
        assert!(format!("{error:#}").contains("/no/such/program"));
    }
}
