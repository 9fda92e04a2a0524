//! The code of `docs/python.md` runs on a run folder and its report.
//!
//! It takes a Python with pandas and polars: `GRADUAL_PYTHON`, or else `python3`. `cargo xtask ci` makes one and asks
//! for the test, which is ignored otherwise.

mod common;

use std::process::Command;

use common::Fixture;
use gradual_report::report;
use tempfile::tempdir;

/// The blocks of Python on the page.
fn blocks() -> Vec<&'static str> {
    let page = include_str!("../../../docs/python.md");
    let blocks = page.split("```python\n").skip(1);
    blocks
        .map(|block| block.split("```").next().unwrap())
        .collect()
}

#[test]
fn the_page_has_short_blocks() {
    let blocks = blocks();
    assert_eq!(blocks.len(), 3);
    for block in blocks {
        assert!(block.trim().lines().count() <= 5, "{block}");
        assert!(block.contains("runs/sparse-parity"), "{block}");
    }
}

#[test]
#[ignore = "takes a Python with pandas and polars; `cargo xtask ci` makes one"]
fn the_blocks_run() {
    let python = std::env::var_os("GRADUAL_PYTHON").unwrap_or_else(|| "python3".into());
    let needs = ["-c", "import pandas, polars"];
    let ready = Command::new(&python).args(needs).output();
    let ready = ready.unwrap_or_else(|error| panic!("{}: {error}", python.display()));
    let error = String::from_utf8_lossy(&ready.stderr);
    assert!(ready.status.success(), "{}: {error}", python.display());
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    report(&dir).unwrap();
    let runs = root.path().join("runs");
    std::fs::create_dir(&runs).unwrap();
    std::fs::rename(&dir, runs.join("sparse-parity")).unwrap();
    for (block, expected) in blocks()
        .into_iter()
        .zip(["task-05.accuracy", "labels", "erm"])
    {
        let output = Command::new(&python)
            .args(["-c", block])
            .current_dir(root.path())
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{block}\n{error}");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(expected), "{block}\n{text}");
    }
}
