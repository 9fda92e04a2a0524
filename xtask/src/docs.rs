//! `cargo xtask docs`: the documentation of the workspace.

use std::env;

use crate::shell;

/// Builds the documentation of our own crates with these `features`; a warning, such as a broken link, is an error.
pub(crate) fn run(features: &[String]) -> anyhow::Result<()> {
    let flags = env::var("RUSTDOCFLAGS").unwrap_or_default() + " -D warnings";
    let sh = shell::shell()?;
    let doc = shell::cargo(&sh, &["doc", "--release", "--workspace", "--no-deps"]);
    let doc = doc.args(features).env("RUSTDOCFLAGS", flags.trim_start());
    Ok(doc.env("DOCS_RS", "1").run()?)
}
