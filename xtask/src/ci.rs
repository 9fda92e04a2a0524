//! `cargo xtask ci`: every check, one after the other, up to the first that fails.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::backend::Backends;
use crate::test::Test;
use crate::{cargo, docs, layers, python, setup, terminal};

/// One check: its name and what it does.
struct Step {
    name: &'static str,
    check: fn() -> anyhow::Result<()>,
}

/// What takes no time comes first, so that it does not wait for the tests.
///
/// Burn is compiled twice: once to check our code with every backend, for clippy and the documentation, and once to run it on
/// those that need no GPU, for the tests and the conformance suite.
const STEPS: [Step; 8] = [
    Step {
        name: "format",
        check: format,
    },
    Step {
        name: "layers",
        check: layers::run,
    },
    Step {
        name: "clippy",
        check: clippy,
    },
    Step {
        name: "docs",
        check: || docs::run(&Backends::buildable()?.cargo_arguments()),
    },
    Step {
        name: "test",
        check: test,
    },
    Step {
        name: "conformance",
        check: || Test::conformance(&Backends::without_gpu()?),
    },
    Step {
        name: "parquet",
        check: parquet,
    },
    Step {
        name: "python",
        check: python::run,
    },
];

/// Runs all steps and prints how long each took.
pub(crate) fn run() -> anyhow::Result<()> {
    run_steps(&STEPS)
}

fn run_steps(steps: &[Step]) -> anyhow::Result<()> {
    let mut times = Vec::new();
    let mut failure = None;
    for step in steps {
        println!("{}", terminal::bold(&format!("==> {}", step.name)));
        let start = Instant::now();
        let result = (step.check)();
        let time = start.elapsed();
        times.push(time);
        let word = if result.is_ok() { "passed" } else { "FAILED" };
        println!("<== {} {word} in {}", step.name, seconds(time));
        if let Err(error) = result {
            failure = Some((step.name, error));
            break;
        }
    }
    println!("\n{}", table(steps, &times, failure.is_some()));
    if let Some((name, error)) = failure {
        bail!("step '{name}' failed: {error:#}");
    }
    Ok(())
}

/// One line for each step. Only the last one that has a time can have failed.
fn table(steps: &[Step], times: &[Duration], failed: bool) -> String {
    let mut lines = vec![format!("{:<11} {:<8} {:>10}", "step", "result", "time")];
    for (i, step) in steps.iter().enumerate() {
        let (result, time) = match times.get(i) {
            None => ("not run", String::new()),
            Some(&time) if failed && i + 1 == times.len() => ("FAILED", seconds(time)),
            Some(&time) => ("passed", seconds(time)),
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
    cargo::require("fmt", "rustfmt")?;
    let mut command = cargo::cargo(["fmt", "--all", "--check"]);
    if terminal::is_plain() {
        // Rustfmt colours its differences even where nobody sees colours.
        command.args(["--", "--color=never"]);
    }
    cargo::run(&mut command)
}

/// In release like the tests, which then need not compile the procedural macros and build scripts again.
fn clippy() -> anyhow::Result<()> {
    cargo::require("clippy", "clippy")?;
    let clippy = ["clippy", "--release", "--workspace", "--all-targets"];
    let mut command = cargo::cargo(clippy);
    let backends = Backends::buildable()?;
    command.args(backends.cargo_arguments());
    command.args(["--", "-D", "warnings"]);
    // To be run, `cuda` downloads an LLVM; to be checked, as for documentation, it goes without.
    cargo::run(command.envs(backends.environment()).env("DOCS_RS", "1"))
}

/// On the default backend, but compiled with all that the conformance suite is about to run.
fn test() -> anyhow::Result<()> {
    if let Err(problem) = setup::vulkan() {
        println!("wgpu is left out: {problem:#}");
    }
    Test::everything(&Backends::without_gpu()?)
}

/// The one feature that no other build has. Its tests are few, and the rest is built already.
fn parquet() -> anyhow::Result<()> {
    let (features, only) = ("--features=parquet", "parquet");
    let package = ["--package", "gradual-report"];
    let run = ["test", "--release"].into_iter().chain(package);
    cargo::run(&mut cargo::cargo(run.chain([
        features,
        "--lib",
        "--test=formats",
        only,
    ])))
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
        let times = [Duration::from_millis(1250), Duration::from_secs(70)];
        assert_eq!(
            table(&steps(), &times, true),
            "step        result         time\n\
             first       passed        1.2 s\n\
             second      FAILED       70.0 s\n\
             third       not run"
        );
        assert!(!table(&steps(), &times, false).contains("FAILED"));
    }
}
