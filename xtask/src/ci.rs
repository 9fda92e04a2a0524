//! `cargo xtask ci`: every check, one after the other, up to the first that fails.

use std::time::{Duration, Instant};

use anyhow::bail;

use crate::backend::Backends;
use crate::test::Test;
use crate::{cargo, docs, layers, python, setup, terminal};

/// One check: its name and what it does.
struct Step {
    name: &'static str,
    check: fn() -> anyhow::Result<Outcome>,
}

/// How a check ended that found nothing wrong.
#[derive(Debug)]
pub(crate) enum Outcome {
    Passed,
    /// It could not look, and why.
    Skipped(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// Says why, where there was nothing to see.
    pub(crate) fn say(&self) {
        if let Self::Skipped(reason) = self {
            println!("skipped: {reason}");
        }
    }
}

/// What has nothing to skip.
fn whole(result: anyhow::Result<()>) -> anyhow::Result<Outcome> {
    result.map(|()| Outcome::Passed)
}

/// What takes no time comes first, so that it does not wait for the tests.
///
/// Burn is compiled twice: once to check our code with every backend, for clippy and the documentation, and once to run it on
/// those that need no GPU, for the tests and the conformance suite.
const STEPS: [Step; 8] = [
    Step {
        name: "format",
        check: || whole(format()),
    },
    Step {
        name: "layers",
        check: || whole(layers::run()),
    },
    Step {
        name: "clippy",
        check: || whole(clippy()),
    },
    Step {
        name: "docs",
        check: || whole(docs::run(&Backends::buildable()?.cargo_arguments())),
    },
    Step {
        name: "test",
        check: || whole(test()),
    },
    Step {
        name: "conformance",
        check: || whole(Test::conformance(&Backends::without_gpu()?)),
    },
    Step {
        name: "parquet",
        check: || whole(parquet()),
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
    let mut done = Vec::new();
    let mut failure = None;
    for step in steps {
        println!("{}", terminal::bold(&format!("==> {}", step.name)));
        let start = Instant::now();
        let result = (step.check)();
        let time = start.elapsed();
        let word = result.as_ref().map_or("FAILED", Outcome::word);
        println!("<== {} {word} in {}", step.name, seconds(time));
        done.push((word, time));
        match result {
            Ok(outcome) => outcome.say(),
            Err(error) => {
                failure = Some((step.name, error));
                break;
            }
        }
    }
    println!("\n{}", table(steps, &done));
    if let Some((name, error)) = failure {
        bail!("step '{name}' failed: {error:#}");
    }
    Ok(())
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
    let mut command = cargo::checked_tests();
    command.args(["--package", "gradual-report", "--features=parquet"]);
    cargo::run(command.args(["--lib", "--test=formats", "parquet"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps() -> [Step; 3] {
        [
            Step {
                name: "first",
                check: || Ok(Outcome::Passed),
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
    fn a_step_that_was_skipped_is_no_failure_and_says_so() {
        let skipped = [Step {
            name: "python",
            check: || Ok(Outcome::Skipped("there is none".to_owned())),
        }];
        assert!(run_steps(&skipped).is_ok());
        let result = (skipped[0].check)().unwrap();
        assert_eq!(
            table(&skipped, &[(result.word(), Duration::ZERO)]),
            "step        result         time\n\
             python      skipped       0.0 s"
        );
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
