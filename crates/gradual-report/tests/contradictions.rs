//! Folders that contradict themselves have no report.

use std::fs;
use std::path::Path;

use crate::common::{Fixture, run_folder, write};
use gradual_report::report;
use serde_json::Value;
use tempfile::tempdir;

fn fixture() -> Fixture {
    Fixture {
        evaluations: 10,
        ..Fixture::default()
    }
}

/// The refusal of a folder after `change` names these.
fn refused(expected: &[&str], change: impl FnOnce(&Path)) {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    report(&dir).unwrap();
    let page = fs::read_to_string(dir.join("report/index.html")).unwrap();
    change(&dir);
    let message = gradual_runs::message(&report(&dir).unwrap_err());
    for part in expected {
        assert!(message.contains(part), "{part} in {message}");
    }
    let now = fs::read_to_string(dir.join("report/index.html")).unwrap();
    assert_eq!(now, page, "the old report stays");
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Writes what a finished run says of its journals.
fn sign(run: &Path) {
    let mut journals = serde_json::Map::new();
    for name in ["curves.jsonl", "groups.jsonl", "timing.jsonl"] {
        if let Ok(content) = fs::read(run.join(name)) {
            let digest = gradual_runs::Digest::of_file(&run.join(name)).unwrap();
            assert_eq!(digest.bytes, content.len() as u64);
            journals.insert(name.to_owned(), serde_json::to_value(digest).unwrap());
        }
    }
    let done = serde_json::json!({
        "end": "completed", "reason": null, "skipped_steps": 0, "journals": journals,
    });
    write(&run.join("DONE"), &done.to_string());
}

#[test]
fn a_journal_cut_at_a_line_end() {
    for keep in [0, 1, 7] {
        refused(&["labels/seed-2/curves.jsonl", "bytes"], |dir| {
            let run = run_folder(dir, "labels", 2);
            sign(&run);
            let path = run.join("curves.jsonl");
            let kept: String = lines(&path)[..keep]
                .iter()
                .map(|line| line.clone() + "\n")
                .collect();
            write(&path, &kept);
        });
    }
    // Nor may a number in it change.
    refused(
        &["erm/seed-0/curves.jsonl", "its content is another"],
        |dir| {
            let run = run_folder(dir, "erm", 0);
            sign(&run);
            let path = run.join("curves.jsonl");
            let text = fs::read_to_string(&path).unwrap();
            let at = text.rfind("\"accuracy\":0.").unwrap() + 13;
            let digit = if &text[at..=at] == "9" { "8" } else { "9" };
            write(&path, &format!("{}{digit}{}", &text[..at], &text[at + 1..]));
        },
    );
}

#[test]
fn one_seed_copied_to_five() {
    let copy = |dir: &Path, configured: bool| {
        for arm in ["erm", "labels", "singular-vectors"] {
            for seed in 1..5 {
                let (from, to) = (run_folder(dir, arm, 0), run_folder(dir, arm, seed));
                for entry in fs::read_dir(&from).unwrap() {
                    let path = entry.unwrap().path();
                    let name = path.file_name().unwrap();
                    if configured || name != "config.json" {
                        fs::copy(&path, to.join(name)).unwrap();
                    }
                }
            }
        }
    };
    refused(&["erm/seed-1/config.json", "seed is \"0\""], |dir| {
        copy(dir, true);
    });
    // With configurations of their own, and with other numbers beside the accuracies and losses.
    for change in [false, true] {
        refused(&["erm/seed-0", "erm/seed-1", "copy of the other"], |dir| {
            copy(dir, false);
            let path = run_folder(dir, "erm", 1).join("curves.jsonl");
            let text = fs::read_to_string(&path).unwrap();
            if change {
                let lines = text.lines().map(|line| {
                    let mut line: serde_json::Value = serde_json::from_str(line).unwrap();
                    line["train_loss"] = serde_json::json!(0.125);
                    format!("{line}\n")
                });
                write(&path, &lines.collect::<String>());
                fs::remove_file(path.with_file_name("DONE")).unwrap();
            }
        });
    }
    // Nor does it help to leave an evaluation out.
    for left_out in [0, 1, 4] {
        refused(&["erm/seed-0", "erm/seed-1", "copy of the other"], |dir| {
            copy(dir, false);
            let run = run_folder(dir, "erm", 1);
            let path = run.join("curves.jsonl");
            let mut kept = lines(&path);
            kept.remove(left_out);
            write(&path, &(kept.join("\n") + "\n"));
            sign(&run);
        });
    }
}

#[test]
fn arms_that_were_renamed() {
    refused(&["config.json", "arm is"], |dir| {
        fs::rename(dir.join("erm"), dir.join("other")).unwrap();
        fs::rename(dir.join("labels"), dir.join("erm")).unwrap();
        fs::rename(dir.join("other"), dir.join("labels")).unwrap();
    });
    refused(&["config.json", "experiment is"], |dir| {
        let path = dir.join("experiment.json");
        let text = fs::read_to_string(&path).unwrap();
        write(
            &path,
            &text.replace("\"name\":\"parity\"", "\"name\":\"other\""),
        );
    });
}

#[test]
fn a_seed_has_one_name() {
    let root = tempdir().unwrap();
    let dir = fixture().write(root.path());
    for name in ["seed-00", "seed-+0", "seed- 1", "seed-1e0"] {
        fs::rename(run_folder(&dir, "labels", 0), dir.join("labels").join(name)).unwrap();
        let html = fs::read_to_string(report(&dir).unwrap()).unwrap();
        assert!(html.contains(&format!("labels/{name} is passed over")));
        let summary = fs::read_to_string(dir.join("report/summary.json")).unwrap();
        let summary: Value = serde_json::from_str(&summary).unwrap();
        assert_eq!(summary["arms"][1]["runs"], 4);
        fs::rename(dir.join("labels").join(name), run_folder(&dir, "labels", 0)).unwrap();
    }
}

/// Changes the record of a capability in one line of a journal of evaluations.
fn evaluation(line: usize, change: impl FnOnce(&mut Value)) -> impl FnOnce(&Path) {
    move |dir| {
        let path = run_folder(dir, "erm", 1).join("curves.jsonl");
        let mut lines = lines(&path);
        let mut record = serde_json::from_str(&lines[line - 1]).unwrap();
        change(&mut record);
        lines[line - 1] = record.to_string();
        write(&path, &(lines.join("\n") + "\n"));
    }
}

#[test]
fn numbers_out_of_range() {
    for (entry, number) in [
        ("accuracy", 7.5),
        ("accuracy", -0.1),
        ("accuracy", 1e308),
        ("loss", 1e308),
        ("loss", -1e308),
        ("frequency", 1.5),
        ("chance", 1.0),
        ("probability", -1e308),
    ] {
        let change = evaluation(4, |one| {
            one["capabilities"]["task-01"][entry] = number.into()
        });
        refused(&["line 4 of", "erm/seed-1/curves.jsonl", entry], change);
    }
    let change = evaluation(4, |one| one["train_loss"] = (-1e308).into());
    refused(&["line 4 of", "train_loss"], change);
}

#[test]
fn numbers_that_do_not_go_on() {
    let change = evaluation(5, |one| one["examples"] = 1.into());
    refused(
        &["line 5 of", "erm/seed-1/curves.jsonl", "examples"],
        change,
    );
    let change = evaluation(5, |one| one["step"] = 1.into());
    refused(&["line 5 of", "step"], change);
    let change = evaluation(5, |one| {
        one["capabilities"]["task-01"]["chance"] = 0.25.into()
    });
    refused(&["line 5 of", "chance"], change);
}
