//! What an experiment's folder says of itself, from the start.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::common::{refused, run};
use gradual::runs::{ExperimentRecord, Record as _};

fn record(folder: &Path) -> ExperimentRecord {
    let text = fs::read_to_string(folder.join("experiment.json")).unwrap();
    ExperimentRecord::from_line(&text).unwrap()
}

#[test]
fn a_killed_first_command_has_a_report() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sparse-parity-quick");
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradual-lab"))
        .args([
            "experiment",
            "sparse-parity",
            "--quick",
            "--seeds=1",
            "--steps=1000000",
        ])
        .args(["--draw=16", "--arms=erm"])
        .arg(format!("--out={}", home.path().display()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let curves = folder.join("erm/seed-0/curves.jsonl");
    let patience = Instant::now();
    while fs::read_to_string(&curves).map_or(0, |text| text.lines().count()) < 3 {
        assert!(
            patience.elapsed() < Duration::from_secs(120),
            "no run began"
        );
        sleep(Duration::from_millis(20));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(record(&folder).arms[0].name, "erm");
    let page = gradual_report::report(&folder).unwrap();
    let html = fs::read_to_string(page).unwrap();
    assert!(
        html.contains("unfinished"),
        "the page says that the run is unfinished"
    );
}

#[test]
fn every_command_is_recorded_once_in_order() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let common = [
        "sparse-parity",
        "--quick",
        "--seeds=1",
        "--steps=20",
        "--draw=16",
        &out,
    ];
    let with = |more: &[&'static str]| -> Vec<&str> { [&common[..], more].concat() };
    run(&with(&["--arms=erm"]));
    run(&with(&["--arms=erm"]));
    run(&with(&["--arm", "mine=like:grouped,rate:0.01"]));
    let folder = home.path().join("sparse-parity-quick");
    let record = record(&folder);
    let commands: Vec<&str> = record
        .commands
        .iter()
        .map(|each| each.command.as_str())
        .collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    assert!(commands[0].ends_with("--arms=erm"), "{}", commands[0]);
    assert!(
        commands[1].ends_with("--arm mine=like:grouped,rate:0.01"),
        "{}",
        commands[1]
    );
    for each in &record.commands {
        assert!(
            each.command
                .starts_with("cargo xtask experiment sparse-parity --quick")
        );
        assert_eq!(each.version.as_deref(), Some(env!("CARGO_PKG_VERSION")));
    }
    assert!(record.arms.iter().any(|arm| arm.name == "mine"));

    // Its runs may be under way, and have no folder yet.
    fs::remove_dir_all(folder.join("mine")).unwrap();
    run(&with(&["--arms=erm", "--arm", "next=like:erm,rate:0.02"]));
    let record = self::record(&folder);
    assert!(record.arms.iter().any(|arm| arm.name == "mine"));
    assert_eq!(record.commands.len(), 3);
    // What made no run is not among them.
    run(&with(&["--arms=erm", "--jobs=1"]));
    run(&with(&["--arms=erm", "--collect"]));
    assert_eq!(self::record(&folder).commands, record.commands);
}

/// A slower arm has more evaluations on the same grid: that is no other way of evaluating, and a report comes of it.
#[test]
fn a_slower_arm_on_a_coarse_grid_has_a_report() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let page = run(&[
        "sparse-parity",
        "--quick",
        "--seeds=1",
        "--steps=60",
        "--evaluate-every=15",
        "--draw=16",
        "--arms=erm,erm-half",
        &out,
    ]);
    assert!(
        fs::read_to_string(page.trim())
            .unwrap()
            .contains("erm-half")
    );
}

#[test]
fn what_only_the_model_can_tell_is_told_before_another_arm_trains() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    for (arm, named) in [
        (
            "bad=like:whitened,layers:[nope.*]",
            "nothing was run: arm bad",
        ),
        ("bad=like:svd,composition:dro", "arm bad: "),
    ] {
        let arguments = [
            "sparse-parity",
            "--quick",
            "--steps=20",
            "--draw=32",
            "--arms=erm",
            "--arm",
            arm,
            &out,
        ];
        let said = refused(&arguments);
        assert!(said.contains(named), "{said}");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "{said}");
    }
}

#[test]
fn a_place_that_no_report_can_have_is_named_before_anything_runs() {
    let home = tempfile::tempdir().unwrap();
    let out = format!("--out={}", home.path().display());
    let folder = home.path().join("sparse-parity-quick");
    fs::create_dir_all(folder.join("report")).unwrap();
    fs::write(folder.join("report/thesis.tex"), "mine").unwrap();
    let said = refused(&[
        "sparse-parity",
        "--quick",
        "--steps=20",
        "--draw=16",
        "--arms=erm",
        &out,
    ]);
    assert!(said.contains("thesis.tex"), "{said}");
    assert!(!folder.join("erm").exists());
    assert_eq!(
        fs::read_to_string(folder.join("report/thesis.tex")).unwrap(),
        "mine"
    );
}

/// What a program that was killed as it wrote left in the folder goes with the next command; nothing else does.
#[test]
fn what_was_left_half_written_is_swept() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sparse-parity-quick");
    fs::create_dir(&folder).unwrap();
    let (left, own) = (
        folder.join(".gradual-0123456789abcdef"),
        folder.join(".gradual-mine"),
    );
    fs::write(&left, "{").unwrap();
    fs::write(&own, "mine").unwrap();
    let out = format!("--out={}", home.path().display());
    run(&[
        "sparse-parity",
        "--quick",
        "--seeds=1",
        "--steps=5",
        "--draw=16",
        "--arms=erm",
        &out,
    ]);
    assert!(!left.exists() && own.exists());
}
