//! Programs and tests share one build of Burn.
//!
//! Cargo compiles a crate once for each set of its features. Tests of the whole workspace ask for more features than
//! `gradual-lab` alone does, so the lab pins some that it does not use. This check says which ones are missing.

use std::collections::BTreeSet;

use anyhow::bail;
use xshell::Shell;

use crate::shell;

/// Re-exports alone, and with `train` for the examples: compiled twice, in no time.
const FACADE: &str = "burn v";

/// Checks that every crate that the lab takes in has the same features in a build of all tests.
pub(crate) fn run() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let tests = crates(&sh, &["--workspace", "--edges=normal,build,dev"])?;
    let programs = crates(&sh, &["--package=gradual-lab", "--edges=normal,build"])?;
    let mut missing = programs.difference(&tests).peekable();
    if missing.peek().is_none() {
        println!(
            "one build: {} crates have the features that they have in tests",
            programs.len()
        );
        return Ok(());
    }
    let of = |one: &str| {
        let name = one.split(' ').next().unwrap_or_default().to_owned() + " ";
        let others = tests.iter().filter(|other| other.starts_with(&name));
        others.cloned().collect::<Vec<_>>().join(" or ")
    };
    let missing: Vec<String> = missing
        .map(|one| format!("{one}: in tests {}", of(one)))
        .collect();
    bail!(
        "programs and tests would each compile Burn; pin features in crates/gradual-lab/Cargo.toml:\n  - {}",
        missing.join("\n  - ")
    )
}

/// Name, version and features of each crate from a registry in a build.
fn crates(sh: &Shell, arguments: &[&str]) -> anyhow::Result<BTreeSet<String>> {
    let tree = shell::cargo(sh, &["tree", "--prefix=none", "--format={p} {f}"]);
    let tree = tree.args(arguments).quiet().read()?;
    let lines = tree
        .lines()
        .map(|line| line.trim_end_matches("(*)").trim_end());
    let foreign = lines.filter(|line| !line.contains("(/") && !line.starts_with(FACADE));
    Ok(foreign
        .map(|line| line.replace(" (proc-macro)", ""))
        .collect())
}
