//! `cargo xtask ci`: every check, one after the other, up to the first that fails.

use std::time::{Duration, Instant};

use anyhow::bail;
use xshell::{Cmd, Shell, cmd};

use crate::{backends, docs, layers, setup, shell, torch, venv};

/// One check: its name and what it does.
struct Step {
    name: &'static str,
    check: fn() -> anyhow::Result<()>,
}

/// What takes no time comes first, so that it does not wait for the tests.
///
/// Burn is compiled twice: once to check our code with every backend, for clippy and the documentation, and once to run
/// it on those that need no GPU, for the tests and the conformance suite.
const STEPS: [Step; 8] = [
    Step {
        name: "format",
        check: format,
    },
    Step {
        name: "layers",
        check: layers::run,
    },
    // No test installs anything: what can't be installed here fails here.
    Step {
        name: "setup",
        check: setup::continuous_integration,
    },
    Step {
        name: "clippy",
        check: clippy,
    },
    Step {
        name: "docs",
        check: || docs::run(&features(&checked())),
    },
    Step {
        name: "test",
        check: test,
    },
    Step {
        name: "conformance",
        check: conformance,
    },
    Step {
        name: "python",
        check: python,
    },
];

/// The backends that need no GPU: those that tests and the conformance suite are compiled with, and that the suite runs.
/// LibTorch is too large to be fetched for this; where it is there, `tch` is one of them.
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
    let mut done = Vec::new();
    let mut failure = None;
    for step in steps {
        println!("==> {}", step.name);
        let start = Instant::now();
        let result = (step.check)();
        let (word, time) = match &result {
            Ok(()) => ("passed", start.elapsed()),
            Err(_) => ("FAILED", start.elapsed()),
        };
        println!("<== {} {word} in {}", step.name, seconds(time));
        done.push((word, time));
        if let Err(error) = result {
            failure = Some((step.name, error));
            break;
        }
    }
    println!("\n{}", table(steps, &done));
    match failure {
        Some((name, error)) => bail!("step '{name}' failed: {error:#}"),
        None => Ok(()),
    }
}

/// One line for each step, with the results and times of those that ran.
fn table(steps: &[Step], done: &[(&str, Duration)]) -> String {
    let mut lines = vec![format!("{:<11} {:<8} {:>10}", "step", "result", "time")];
    for (i, step) in steps.iter().enumerate() {
        let (result, time) = match done.get(i) {
            None => ("not run", String::new()),
            Some(&(result, time)) => (result, seconds(time)),
        };
        let line = format!("{:<11} {result:<8} {time:>10}", step.name);
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn format() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    shell::require(&sh, "fmt", "rustfmt")?;
    // Rustfmt colours its differences even where nobody sees colours.
    let check = ["fmt", "--all", "--check", "--", "--color=never"];
    Ok(shell::cargo(&sh, &check).run()?)
}

/// In release like the tests, which then need not compile the procedural macros and build scripts again.
fn clippy() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    shell::require(&sh, "clippy", "clippy")?;
    let clippy = ["clippy", "--release", "--workspace", "--all-targets"];
    let clippy = shell::cargo(&sh, &clippy).args(features(&checked()));
    let clippy = clippy.args(["--", "-D", "warnings"]);
    // To be run, `cuda` downloads an LLVM; to be checked, as for documentation, it goes without.
    let clippy = clippy.envs(backends::environment(&checked()));
    Ok(clippy.env("DOCS_RS", "1").run()?)
}

/// What makes arithmetic that overflows panic, and debug assertions count, in our own crates: no release does. The
/// crates of others, `"*"`, stay as they are compiled for any other run, so nothing of Burn is built again.
const CHECKED_ARITHMETIC: [&str; 4] = [
    "profile.release.overflow-checks=true",
    "profile.release.debug-assertions=true",
    "profile.release.package.\"*\".overflow-checks=false",
    "profile.release.package.\"*\".debug-assertions=false",
];

fn checked_tests(sh: &Shell) -> Cmd<'_> {
    let settings = CHECKED_ARITHMETIC.iter();
    let settings = settings.flat_map(|setting| ["--config", setting]);
    shell::cargo(sh, &["test", "--release"]).args(settings)
}

/// All tests, on the default backend, but compiled with all that the conformance suite is about to run.
fn test() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let tests = checked_tests(&sh)
        .arg("--workspace")
        .args(features(&tested()));
    Ok(tests.envs(backends::environment(&tested())).run()?)
}

/// The conformance suite, by the lab that the tests have built.
fn conformance() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let lab = shell::target().join("release").join("gradual-lab");
    let backends = tested().join(",");
    let suite = cmd!(sh, "{lab} conformance --backend={backends}");
    Ok(suite.envs(backends::environment(&tested())).run()?)
}

/// Tests the report as `cargo xtask report` builds it, without Burn and Parquet, and runs the code of `docs/python.md`.
pub(crate) fn python() -> anyhow::Result<()> {
    let sh = shell::shell()?;
    let tests = checked_tests(&sh).args(["--package", "gradual-report", "--", "--include-ignored"]);
    Ok(tests.env("GRADUAL_PYTHON", venv::tables()?).run()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> [Step; 3] {
        [
            Step {
                name: "first",
                check: || Ok(()),
            },
            Step {
                name: "second",
                check: || bail!("it is broken"),
            },
            Step {
                name: "third",
                check: || panic!("runs after a failure"),
            },
        ]
    }

    #[test]
    fn the_first_failure_ends_it_and_is_named() {
        let error = run_steps(&steps()).unwrap_err();
        assert_eq!(error.to_string(), "step 'second' failed: it is broken");
        assert!(run_steps(&steps()[..1]).is_ok());
    }

    #[test]
    fn the_table_has_a_line_for_each_step() {
        let done = [
            ("passed", Duration::from_millis(1250)),
            ("FAILED", Duration::from_secs(70)),
        ];
        assert_eq!(
            table(&steps(), &done),
            "step        result         time\n\
             first       passed        1.2 s\n\
             second      FAILED       70.0 s\n\
             third       not run"
        );
    }
}
