//! The two programs for Burn's `Learner`, before and after: how little differs, and that both learn.

use std::path::PathBuf;
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

/// An example that cargo built beside this test.
fn example(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let target = test.ancestors().nth(2).unwrap();
    target
        .join("examples")
        .join(name)
        .with_extension(std::env::consts::EXE_EXTENSION)
}

#[test]
fn both_programs_learn() {
    for name in ["learner-stock", "learner-grouped"] {
        let home = tempfile::tempdir().unwrap();
        let output = Command::new(example(name)).arg(home.path()).output();
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
