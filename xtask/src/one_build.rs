//! `cargo xtask one-build`: programs and tests share one build of Burn.
//!
//! Cargo compiles a crate once for each set of its features. Tests of the whole workspace ask for more features than
//! `gradual-lab` alone does, so the lab pins some that it does not use. This check says which ones are missing.

use std::collections::BTreeSet;

use anyhow::bail;

use crate::shell;

/// Checks that every crate that the lab takes in has the same features in a build of all tests.
pub(crate) fn run() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let tree = |arguments: &[&str]| {
        let tree = shell::cargo(&sh, &["tree", "--prefix=none", "--format={p} {f}"]);
        tree.args(arguments).quiet().read()
    };
    let program = tree(&["--package=gradual-lab", "--edges=normal,build"])?;
    let tests = tree(&["--workspace", "--edges=normal,build,dev"])?;
    match apart(&program, &tests) {
        apart if apart.is_empty() => println!("one build: the lab and all tests share every crate"),
        apart => bail!(
            "the lab and the tests would each compile Burn; pin features in crates/gradual-lab/Cargo.toml:\n  - {}",
            apart.join("\n  - ")
        ),
    }
    Ok(())
}

/// The crates that a program takes in with other features than tests do, by what `cargo tree` prints.
fn apart(program: &str, tests: &str) -> Vec<String> {
    let (program, tests) = (foreign(program), foreign(tests));
    let apart = program.difference(&tests).map(|one| {
        let version = one.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" ");
        let others = tests.iter().filter(|other| other.starts_with(&version));
        let others: Vec<&str> = others.map(String::as_str).collect();
        format!("{one}: in tests {}", others.join(" or "))
    });
    apart.collect()
}

/// Name, version and features of each crate that is not ours. The facade `burn` re-exports alone: the feature `train`
/// of our examples makes it another one, in no time.
fn foreign(tree: &str) -> BTreeSet<String> {
    let lines = tree
        .lines()
        .map(|line| line.replace(" (*)", "").replace(" (proc-macro)", ""));
    let foreign = lines.filter(|line| !line.contains('(') && !line.starts_with("burn v"));
    foreign.map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_with_other_features_are_named() {
        let program = "gradual-lab v0.1.0 (/work) flex\nburn v0.22.1 std\nserde_json v1.0.1 std\nlog v0.4.1 std";
        let tests = "gradual-lab v0.1.0 (/work) flex,tch\nburn v0.22.1 std,train\n\
                     serde_json v1.0.1 raw,std\nlog v0.4.1 std (*)\ntempfile v3.1.0 ";
        let expected = "serde_json v1.0.1 std: in tests serde_json v1.0.1 raw,std";
        assert_eq!(apart(program, tests), [expected]);
        assert_eq!(apart(tests, tests), [""; 0]);
    }
}
