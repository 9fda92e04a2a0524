//! The fuzz targets, run side by side.

mod guided;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Deserialize;

pub(crate) use guided::Fuzz;

/// One line of what cargo says of a build.
#[derive(Debug, Deserialize)]
struct Line {
    executable: Option<PathBuf>,
    target: Option<Target>,
}

#[derive(Debug, Deserialize)]
struct Target {
    kind: Vec<String>,
}

/// A program of tests, and which of its tests are fuzz targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    path: PathBuf,
    filter: Option<&'static str>,
}

/// The programs among the lines that `cargo test --no-run --message-format=json` prints.
pub(crate) fn programs(lines: &str) -> anyhow::Result<Vec<Program>> {
    let mut found = Vec::new();
    for line in lines.lines().filter(|line| line.starts_with('{')) {
        let line: Line = serde_json::from_str(line).context("what cargo printed")?;
        if let (Some(path), Some(target)) = (line.executable, line.target) {
            // Unit tests lie beside the code, and their fuzz targets in modules of that name.
            let of_library = target.kind.iter().any(|kind| kind == "lib");
            let filter = of_library.then_some("fuzz::");
            found.push(Program { path, filter });
        }
    }
    Ok(found)
}

/// Runs the fuzz targets of these programs, each for `time`, so many programs at a time.
pub(crate) fn run(programs: Vec<Program>, time: Duration, at_a_time: usize) -> anyhow::Result<()> {
    let mut waiting = programs
        .into_iter()
        .filter(|program| targets_of(program).is_ok_and(|targets| !targets.is_empty()));
    let mut running: Vec<(PathBuf, Child)> = Vec::new();
    let mut failed = Vec::new();
    loop {
        while running.len() < at_a_time {
            let Some(program) = waiting.next() else { break };
            let child = command(&program)
                .env("BOLERO_RANDOM_TEST_TIME_MS", time.as_millis().to_string())
                .spawn()
                .with_context(|| program.path.display().to_string())?;
            running.push((program.path, child));
        }
        if running.is_empty() {
            break;
        }
        std::thread::sleep(Duration::from_millis(200));
        let mut left = Vec::new();
        for (path, mut child) in running {
            match child.try_wait()? {
                None => left.push((path, child)),
                Some(status) if status.success() => {}
                Some(_) => failed.push(path.display().to_string()),
            }
        }
        running = left;
    }
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("fuzz targets failed in {}", failed.join(", ")),
    }
}

/// Cargo runs the tests of a package in its folder, which is where bolero finds its corpus.
fn command(program: &Program) -> Command {
    let mut command = Command::new(&program.path);
    command.args(program.filter);
    command
}

/// The names of the fuzz targets of a program.
fn targets_of(program: &Program) -> anyhow::Result<Vec<String>> {
    let listed = command(program)
        .arg("--list")
        .stderr(Stdio::null())
        .output()
        .with_context(|| program.path.display().to_string())?;
    Ok(names(&listed.stdout))
}

fn names(listed: &[u8]) -> Vec<String> {
    let listed = String::from_utf8_lossy(listed);
    let tests = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    tests.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_those_that_cargo_has_built() {
        let lines = "{\"reason\":\"build-script-executed\"}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"lib\"]},\"executable\":\"a/lib-1\"}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"test\"]},\"executable\":\"a/fuzz-2\"}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"kind\":[\"lib\"]},\"executable\":null}\n";
        let program = |path: &str, filter| Program {
            path: PathBuf::from(path),
            filter,
        };
        let found = programs(lines).unwrap();
        assert_eq!(
            found,
            [
                program("a/lib-1", Some("fuzz::")),
                program("a/fuzz-2", None)
            ]
        );
        let listed = names(b"fuzz::files: test\n\n1 test, 0 benchmarks\n");
        assert_eq!(listed, ["fuzz::files"]);
        assert!(names(b"0 tests, 0 benchmarks\n").is_empty());
    }
}
