//! The two programs for Burn's `Learner`, before and after: how little differs, and that both learn.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const STOCK: &str = include_str!("../../../examples/learner/stock.rs");
const GROUPED: &str = include_str!("../../../examples/learner/grouped.rs");

/// Lines of code that one of two texts has more often than the other.
fn more<'a>(text: &'a str, than: &str) -> Vec<&'a str> {
    let code = |line: &&str| !line.trim().is_empty() && !line.trim().starts_with("//");
    let mut left: Vec<&str> = than.lines().filter(code).collect();
    let mut more = Vec::new();
    for line in text.lines().filter(code) {
        match left.iter().position(|other| *other == line) {
            Some(at) => drop(left.swap_remove(at)),
            None => more.push(line),
        }
    }
    more
}

#[test]
fn the_grouped_program_differs_in_a_few_lines() {
    let (added, removed) = (more(GROUPED, STOCK), more(STOCK, GROUPED));
    assert!(added.len() < 20, "{} lines: {added:#?}", added.len());
    assert!(removed.len() < 10, "{removed:#?}");
}

const PROGRAMS: [&str; 2] = ["learner-stock", "learner-grouped"];

/// Where cargo puts examples: beside the folder of this test.
fn examples() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().join("examples")
}

/// A file that a program was built from and that has changed since, or the program itself where there is none.
fn outdated(program: &Path) -> Option<PathBuf> {
    let time = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let Some(built) = time(program) else {
        return Some(program.to_owned());
    };
    // `program: source source …`, spaces in names escaped.
    let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = sources.replace("\\ ", "\0");
    let sources = sources
        .split_whitespace()
        .skip(1)
        .map(|path| path.replace('\0', " "));
    sources
        .map(PathBuf::from)
        .find(|source| time(source).is_none_or(|changed| changed > built))
}

/// The programs, of the sources as they are. `cargo test` has built them, unless it was asked for this test alone; then
/// they are built here, for the default backend.
fn programs() -> [PathBuf; 2] {
    let folder = examples();
    let paths = PROGRAMS.map(|name| {
        folder
            .join(name)
            .with_extension(std::env::consts::EXE_EXTENSION)
    });
    if paths.iter().any(|path| outdated(path).is_some()) {
        let profile = match folder.parent().and_then(Path::file_name) {
            Some(name) if name == "debug" => "dev",
            _ => "release",
        };
        let mut build = Command::new(env!("CARGO"));
        build.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        // The whole workspace, so that dependencies have the features of the tests and are not built again.
        build.args(["build", "--workspace", "--profile", profile]);
        build.args(PROGRAMS.map(|name| format!("--example={name}")));
        let status = build
            .status()
            .unwrap_or_else(|error| panic!("{build:?}: {error}"));
        assert!(status.success(), "{build:?}: {status}");
    }
    for path in &paths {
        let reason = outdated(path).map(|changed| format!("older than {}", changed.display()));
        let reason = reason.unwrap_or_default();
        assert!(
            reason.is_empty(),
            "{} is missing or {reason}: `cargo build --release --workspace --examples` makes it",
            path.display()
        );
    }
    paths
}

#[test]
fn both_programs_learn() {
    for (name, program) in PROGRAMS.into_iter().zip(programs()) {
        let home = tempfile::tempdir().unwrap();
        let output = Command::new(program).arg(home.path()).output();
        let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(output.status.success(), "{name}: {output:?}");
        let summary = String::from_utf8_lossy(&output.stdout);
        let line = summary
            .lines()
            .find(|line| line.contains("Valid") && line.contains("Accuracy"));
        let line = line.unwrap_or_else(|| panic!("{name}: {summary}"));
        let best = line.split(|c: char| !(c.is_ascii_digit() || c == '.'));
        let best = best
            .filter_map(|word| word.parse::<f64>().ok())
            .fold(0.0, f64::max);
        assert!(best > 90.0, "{name}: {line}");
        assert!(home.path().join("checkpoint").is_dir());
    }
}
