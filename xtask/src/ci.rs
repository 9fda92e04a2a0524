//! `cargo xtask ci`: every check, one after the other, up to the first that fails.

use std::time::{Duration, Instant};

use anyhow::bail;
use xshell::cmd;

use crate::package::Package;
use crate::{backends, book, checked, fuzz, layers, one_build, setup, shell, torch, venv};

/// One check: its name and what it does.
type Step = (&'static str, fn() -> anyhow::Result<()>);

/// What takes no time comes first, so that it does not wait for the tests.
///
/// Burn is compiled twice: once to check our code with every backend, for clippy and the documentation, and once to run
/// it on those that need no GPU, for the tests and the conformance suite.
const STEPS: [Step; 13] = [
    ("format", format),
    ("layers", layers::run),
    ("one-build", one_build::run),
    // No test installs anything: what can't be installed here fails here.
    ("package", || Package::QUICK.run()),
    ("setup", setup::continuous_integration),
    ("book", book::continuous_integration),
    ("clippy", clippy),
    ("docs", || book::rustdoc(&features(&checked()))),
    ("test", test),
    ("outside", outside),
    ("fuzz", fuzz),
    ("conformance", conformance),
    ("python", python),
];

/// The backends that need no GPU: those that tests and the conformance suite are compiled with, and that the suite
/// runs. LibTorch is too large to be fetched for this; where it is there, `tch` is one of them.
fn tested() -> Vec<&'static str> {
    let mut names = vec![backends::DEFAULT, "ndarray", "wgpu"];
    names.extend(torch::can_run().is_ok().then_some("tch"));
    names
}

/// Those, and what compiles without its GPU.
fn checked() -> Vec<&'static str> {
    let mut names = tested();
    names.push("cuda");
    names
}

/// The features of the whole workspace with these backends; the report's Parquet among them, so that it is built once.
fn features(names: &[&str]) -> Vec<String> {
    let mut features = backends::features(names);
    features.push("--features=gradual-report/parquet".to_owned());
    features
}

/// Runs all steps and prints how long each took.
pub(crate) fn run() -> anyhow::Result<()> {
    run_steps(&STEPS)
}

fn run_steps(steps: &[Step]) -> anyhow::Result<()> {
    let mut table = String::new();
    for (name, check) in steps {
        println!("==> {name}");
        let start = Instant::now();
        let result = check();
        let line = line(name, result.is_ok(), start.elapsed());
        println!("<== {line}");
        table.push_str(&line);
        if let Err(error) = result {
            println!("\n{table}");
            bail!("step '{name}' failed: {error:#}");
        }
    }
    println!("\n{table}");
    Ok(())
}

/// The result and the time of a step.
fn line(name: &str, passed: bool, time: Duration) -> String {
    let result = if passed { "passed" } else { "FAILED" };
    format!("{name:<11} {result} {:>8.1} s\n", time.as_secs_f64())
}

fn format() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    // Rustfmt colours its differences even where nobody sees colours.
    let check = ["fmt", "--all", "--check", "--", "--color=never"];
    Ok(shell::cargo(&sh, &check).run()?)
}

/// In release like the tests, which then need not compile the procedural macros and build scripts again.
fn clippy() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let clippy = ["clippy", "--release", "--workspace", "--all-targets"];
    let clippy = shell::cargo(&sh, &clippy).args(features(&checked()));
    let clippy = clippy.args(["--", "-D", "warnings"]);
    // To be run, `cuda` downloads an LLVM; to be checked, as for documentation, it goes without.
    let clippy = clippy.envs(backends::environment(&checked()));
    Ok(clippy.env("DOCS_RS", "1").run()?)
}

/// All tests, on the default backend, but compiled with all that the conformance suite is about to run.
fn test() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let tests = checked::tests(&sh)
        .arg("--workspace")
        .args(features(&tested()));
    Ok(tests.envs(backends::environment(&tested())).run()?)
}

/// What the program writes, and where, as the system sees it.
fn outside() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let tests = checked::tests(&sh)
        .arg("--workspace")
        .args(features(&tested()))
        .args(["--test=outside", "--", "--ignored"]);
    Ok(tests.envs(backends::environment(&tested())).run()?)
}

/// Every fuzz target for a minute, two at a time.
fn fuzz() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let mut programs = Vec::new();
    for targets in ["--test=fuzz", "--lib"] {
        let built = checked::tests(&sh)
            .arg("--workspace")
            .args(features(&tested()))
            .args([targets, "--no-run", "--message-format=json"])
            .envs(backends::environment(&tested()));
        programs.extend(fuzz::programs(&built.read()?)?);
    }
    fuzz::run(programs, Duration::from_secs(60), 2)
}

/// The conformance suite, by the lab that the tests have built.
fn conformance() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let lab = shell::target().join("release").join("gradual-lab");
    let backends = tested().join(",");
    let suite = cmd!(sh, "{lab} conformance --backend={backends}");
    Ok(suite.envs(backends::environment(&tested())).run()?)
}

/// Runs the code of `docs/python.md`, and tests the formats of a report that is built as `cargo xtask report` builds
/// it, without Burn and Parquet.
pub(crate) fn python() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let tests = checked::tests(&sh)
        .args([
            "--package=gradual-report",
            "--test=formats",
            "--test=python",
        ])
        .args(["--", "--include-ignored"]);
    Ok(tests.env("GRADUAL_PYTHON", venv::tables()?).run()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_failure_ends_it_and_is_named() {
        let steps: [Step; 3] = [
            ("first", || Ok(())),
            ("second", || bail!("it is broken")),
            ("third", || panic!("runs after a failure")),
        ];
        let error = run_steps(&steps).unwrap_err();
        assert_eq!(error.to_string(), "step 'second' failed: it is broken");
        assert!(run_steps(&steps[..1]).is_ok());
    }

    #[test]
    fn a_line_gives_result_and_seconds() {
        let time = Duration::from_millis(1250);
        assert_eq!(line("test", true, time), "test        passed      1.2 s\n");
        assert!(line("test", false, time).contains("FAILED"));
    }
}
