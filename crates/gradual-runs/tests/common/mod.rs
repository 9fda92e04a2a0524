//! An experiment of two arms and three seeds, as programs write it.

#![allow(dead_code)] // every test file uses its own part

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use gradual_runs::{
    ArmRecord, CapabilityRecord, Digest, Done, Evaluation, ExperimentRecord, GroupingRecord, Place,
    Record, RunConfig, RunEnd, SCHEMA, Timing,
};
use serde_json::json;

pub(crate) const STEPS: u64 = 40;

pub(crate) fn config(arm: &str, seed: u64) -> RunConfig {
    RunConfig {
        schema: SCHEMA,
        experiment: "parity".into(),
        arm: arm.into(),
        seed,
        steps: STEPS,
        draw: 8,
        backend: "flex".into(),
        task: json!({"bits": 4}),
        recipe: json!({"rate": 0.1}),
        settings: json!({"evaluate_every": 10}),
    }
}

pub(crate) fn evaluation(step: u64, seed: u64) -> Evaluation {
    let record = |rate: f64| CapabilityRecord {
        accuracy: 0.5 + 0.01 * step as f64,
        loss: 0.7 / (1.0 + rate * step as f64 + 0.01 * seed as f64),
        chance: 0.5,
        frequency: 0.5,
        probability: Some(0.5 + 0.01 * step as f64),
        progress: None,
        parts: Vec::new(),
    };
    Evaluation {
        schema: SCHEMA,
        step,
        examples: 8 * step,
        standing_examples: Some(step),
        gradient_evaluations: Some(9 * step),
        left_out: Some(step / 20),
        moved: None,
        train_loss: 0.7 - 0.01 * step as f64,
        compute: Some(1e6 * step as f64),
        capabilities: BTreeMap::from([
            (String::from("add"), record(0.1)),
            (String::from("copy"), record(0.2)),
        ]),
    }
}

pub(crate) fn grouping(step: u64) -> GroupingRecord {
    let line = json!({
        "schema": 1, "step": step, "groups": 2, "sizes": [3, 5], "identities": [0, 1],
        "members": [{"add": 3}, {"add": 1, "copy": 4}], "shares": {"add": 0.25, "copy": 0.75}, "negative": 0.1,
        "spectrum": [2.0, 0.5, 0.0], "recovery": 0.4, "estimates": {"eigengap": 2},
        "churn": {"births": 0, "deaths": 0, "changed": 0.1, "adjusted_rand": 0.9},
    });
    GroupingRecord::from_line(&line.to_string()).unwrap()
}

pub(crate) fn experiment() -> ExperimentRecord {
    let arm = |name: &str| ArmRecord {
        name: name.into(),
        ..ArmRecord::default()
    };
    ExperimentRecord {
        schema: SCHEMA,
        name: "parity".into(),
        title: "Parity".into(),
        claim: "gradually".into(),
        baseline: "erm".into(),
        reference: None,
        arms: vec![arm("erm"), arm("grouped")],
        claims: Vec::new(),
        notes: vec![String::from("wine.csv: 3 missing cells")],
        commands: Vec::new(),
    }
}

pub(crate) fn lines<R: Record>(records: impl IntoIterator<Item = R>) -> String {
    let lines = records
        .into_iter()
        .map(|record| record.to_line().unwrap() + "\n");
    lines.collect()
}

pub(crate) fn steps() -> impl Iterator<Item = u64> {
    (0..=STEPS).step_by(10)
}

/// A finished run.
pub(crate) fn write_run(experiment: &Path, arm: &str, seed: u64) -> PathBuf {
    let folder = Place::new(experiment, arm, seed).unwrap().folder;
    fs::create_dir_all(&folder).unwrap();
    let write = |name: &str, content: String| fs::write(folder.join(name), content).unwrap();
    write("config.json", config(arm, seed).to_line().unwrap());
    write(
        "curves.jsonl",
        lines(steps().map(|step| evaluation(step, seed))),
    );
    write(
        "groups.jsonl",
        lines(steps().filter(|step| *step > 0).map(grouping)),
    );
    let timing = |step| Timing {
        schema: SCHEMA,
        step,
        seconds: 0.5 * step as f64,
        peak_memory: None,
    };
    write("timing.jsonl", lines(steps().map(timing)));
    sign(&folder);
    folder
}

/// Writes `DONE` with the digests of the journals as they are now.
pub(crate) fn sign(folder: &Path) {
    let names = ["curves.jsonl", "groups.jsonl", "timing.jsonl"];
    let digests = names.map(|name| {
        let digest = Digest::of_file(&folder.join(name)).unwrap();
        (name.to_owned(), digest)
    });
    let done = Done {
        end: Some(RunEnd::Completed),
        reason: None,
        skipped_steps: 0,
        journals: Some(digests.into()),
    };
    done.write(folder).unwrap();
}

pub(crate) fn write_experiment(home: &Path) -> PathBuf {
    let folder = home.join("parity-quick");
    fs::create_dir_all(&folder).unwrap();
    fs::write(
        folder.join("experiment.json"),
        experiment().to_line().unwrap(),
    )
    .unwrap();
    for arm in ["erm", "grouped"] {
        for seed in 0..3 {
            write_run(&folder, arm, seed);
        }
    }
    folder
}

/// Every file and link below a folder, with what it holds or where it points to.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let kind = fs::symlink_metadata(&path).unwrap().file_type();
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_symlink() {
                let target = fs::read_link(&path).unwrap();
                found.insert(path, target.to_string_lossy().into_owned().into_bytes());
            } else if kind.is_file() {
                let content = fs::read(&path).unwrap();
                found.insert(path, content);
            } else {
                found.insert(path, Vec::new());
            }
        }
    }
    found
}
