//! `cargo xtask ci`: every check, one after the other, up to the first that fails.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::test::Test;
use crate::{cargo, docs, layers, python, terminal};

/// One check: its name and what it does.
struct Step {
    name: &'static str,
    check: fn() -> anyhow::Result<()>,
}

/// What takes no time comes first, so that it does not wait for the tests.
const STEPS: [Step; 9] = [
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
        name: "cuda",
        check: cuda,
    },
    Step {
        name: "test",
        check: || Test::everything().run(),
    },
    Step {
        name: "conformance",
        check: Test::conformance,
    },
    Step {
        name: "parquet",
        check: parquet,
    },
    Step {
        name: "python",
        check: python::run,
    },
    Step {
        name: "docs",
        check: docs::run,
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
    cargo::run(&mut cargo::cargo([
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))
}

/// That the backend which needs a GPU compiles. Its build would download an LLVM, which nothing but a program needs: what
/// is built for documentation goes without.
fn cuda() -> anyhow::Result<()> {
    let check = ["check", "--release", "--package", "gradual-lab"];
    let mut command = cargo::cargo(check.into_iter().chain(["--features=cuda"]));
    cargo::run(command.env("DOCS_RS", "1"))
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
