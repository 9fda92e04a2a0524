//! What runs leave while they go on and when they are done: event files, and records that fit their schemas.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::common::run;
use gradual_report::{Format, Report};
use serde_json::Value;

const EVENTS: &str = "events.out.tfevents.0.gradual";

fn arguments(out: &Path) -> Vec<String> {
    let mut all: Vec<String> = [
        "sparse-parity",
        "--quick",
        "--seeds=1",
        "--steps=400",
        "--draw=64",
        "--arms=erm,spectral",
        "--jobs=1",
        "--checkpoint-every=50",
        "--tensorboard",
    ]
    .map(str::to_owned)
    .into();
    all.push(format!("--out={}", out.display()));
    all
}

/// Waits until `file` has more than `bytes`.
fn until_longer(file: &Path, bytes: u64) -> u64 {
    let began = Instant::now();
    loop {
        match fs::metadata(file) {
            Ok(found) if found.len() > bytes => return found.len(),
            _ => {}
        }
        assert!(
            began.elapsed() < Duration::from_secs(120),
            "{}",
            file.display()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The event files grow during the runs. A run that was killed goes on with them, and in the end they are those that a
/// report writes.
#[test]
fn event_files_grow_with_their_runs_and_records_fit_their_schemas() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("sparse-parity-quick");
    let events = |arm: &str| folder.join(format!("tensorboard/{arm}/seed-0/{EVENTS}"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_gradual-lab"))
        .arg("experiment")
        .args(arguments(home.path()))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = until_longer(&events("erm"), 0);
    let later = until_longer(&events("erm"), begun);
    until_longer(&events("erm"), later);
    let done = folder.join("erm/seed-0/DONE").exists();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!done, "events were written before the run was done");

    let lines = arguments(home.path());
    run(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    Report::new([&folder])
        .with_formats(&[Format::Csv])
        .with_tensorboard(true)
        .with_out(home.path().join("report"))
        .write()
        .unwrap();
    for arm in ["erm", "spectral"] {
        let live = fs::read(events(arm)).unwrap();
        let reported = home
            .path()
            .join(format!("report/tensorboard/{arm}/seed-0/{EVENTS}"));
        assert_eq!(live, fs::read(reported).unwrap(), "{arm}");
        assert!(live.len() > 1000, "{arm}");
    }
    let kept = fs::read(events("erm")).unwrap();

    // What was written fits the schemas of the format.
    let mut records = 0;
    for run in ["erm/seed-0", "spectral/seed-0"].map(|run| folder.join(run)) {
        for (name, kind) in [
            ("config.json", "config"),
            ("DONE", "done"),
            ("curves.jsonl", "evaluation"),
            ("groups.jsonl", "grouping"),
            ("members.jsonl", "members"),
            ("timing.jsonl", "timing"),
        ] {
            records += fit(&run.join(name), kind);
        }
    }
    assert!(records > 60, "{records}");
    assert_eq!(fit(&folder.join("experiment.json"), "experiment"), 1);

    // A second command has nothing to do, and leaves them.
    run(&lines.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(fs::read(events("erm")).unwrap(), kept);
}

/// The records of a file, all of which must fit the schema of their kind.
fn fit(path: &PathBuf, kind: &str) -> usize {
    let schema = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../gradual-runs/schema/{kind}.schema.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let schema = jsonschema::draft202012::new(&schema).unwrap();
    let text = fs::read_to_string(path).unwrap();
    let mut count = 0;
    for record in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
        let record = record.unwrap();
        if let Err(error) = schema.validate(&record) {
            panic!("{}: {error} in {record}", path.display());
        }
        count += 1;
    }
    count
}
