//! How a command ends early with an exit code of its own.

use std::fmt;
use std::process::ExitStatus;

/// An error that decides the exit code, with or without a message.
///
/// Every other error ends with code 1 and its message.
#[derive(Debug)]
pub(crate) struct Stop {
    code: u8,
    message: Option<String>,
}

impl Stop {
    /// The command line asks for something that does not exist: code 2, as clap does.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: Some(message.into()),
        }
    }

    /// A program that we called failed and has said why itself: its code, and not a word more.
    pub(crate) fn quietly(status: ExitStatus) -> Self {
        Self {
            code: exit_code(status),
            message: None,
        }
    }

    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.message {
            Some(message) => f.write_str(message),
            None => write!(f, "exit code {}", self.code),
        }
    }
}

impl std::error::Error for Stop {}

/// The exit code of a program; for one that a signal ended, 128 + signal, as shells have it.
fn exit_code(status: ExitStatus) -> u8 {
    if let Some(code) = status.code() {
        // A code beyond a byte (Windows) must not wrap round to 0.
        return u8::try_from(code).unwrap_or(1);
    }
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if let Some(signal) = status.signal() {
            return u8::try_from(128 + signal).unwrap_or(1);
        }
    }
    1
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn exit_codes_and_signals_are_kept() {
        assert_eq!(Stop::quietly(ExitStatus::from_raw(101 << 8)).code(), 101);
        assert_eq!(Stop::quietly(ExitStatus::from_raw(9)).code(), 137);
    }
}
