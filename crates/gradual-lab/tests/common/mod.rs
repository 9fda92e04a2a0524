//! The program, run as a person runs it.

#![allow(dead_code, reason = "each test uses some of it")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// `gradual-lab experiment ARGUMENTS`.
pub(crate) fn lab(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    command.arg("experiment").args(arguments);
    command.output().expect("the program starts")
}

/// Standard error of a command that must fail without a panic.
pub(crate) fn refused(arguments: &[&str]) -> String {
    let output = lab(arguments);
    let message = String::from_utf8(output.stderr).expect("text");
    assert!(!output.status.success(), "{arguments:?} must fail");
    assert!(!message.contains("panicked"), "{arguments:?}: {message}");
    message
}

/// Standard output of a command that must succeed.
pub(crate) fn run(arguments: &[&str]) -> String {
    let output = lab(arguments);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).expect("text")
}

/// The path of an experiment's file with this content in `home`.
pub(crate) fn written(home: &Path, text: &str) -> String {
    let file = home.join("mine.toml");
    fs::write(&file, text).expect("written");
    file.display().to_string()
}
