//! The commands of this crate, for programs that offer them: their arguments, and what they say and return.

pub mod report;
pub mod watch;

use std::process::ExitCode;

use clap::{Args, Command};
use gradual_runs::streams::{say, tell};

/// What a program returns that a signal ended.
const INTERRUPTED: u8 = 130;

/// The arguments of a program that is one of these commands, or what to return where they are wrong, or where help was
/// asked for and given.
///
/// # Errors
/// The exit code: 2 for wrong usage.
pub fn parse<A: Args>(name: &'static str) -> Result<A, ExitCode> {
    let command = A::augment_args(Command::new(name).version(env!("CARGO_PKG_VERSION")));
    let parsed = command
        .try_get_matches()
        .and_then(|matches| A::from_arg_matches(&matches));
    parsed.map_err(|error| match error.use_stderr() {
        true => {
            tell(error.render().to_string().trim_end());
            ExitCode::from(2)
        }
        false => said(error.render().to_string().trim_end()),
    })
}

/// Prints a line; a full disk is an error, a reader that is gone is none.
fn said(line: &str) -> ExitCode {
    match say(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(format!(
                "error: could not write to standard output: {error}"
            ));
            ExitCode::FAILURE
        }
    }
}
