//! `cargo xtask docs`: the documentation of the workspace.

use std::env;

use crate::cargo;

/// Builds the documentation of our own crates with more `features`; a warning, such as a broken link, is an error.
pub(crate) fn run(features: &[String]) -> anyhow::Result<()> {
    let mut flags = env::var("RUSTDOCFLAGS").unwrap_or_default();
    flags.push_str(" -D warnings");
    let mut command = cargo::cargo(["doc", "--release", "--workspace", "--no-deps"]);
    command.args(features).env("DOCS_RS", "1");
    cargo::run(command.env("RUSTDOCFLAGS", flags.trim_start()))
}
