//! The command: what it prints, and its errors.

mod common;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use common::{Fixture, run_folder, write};
use tempfile::tempdir;

fn command(dir: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_gradual-report"))
        .arg(dir)
        .output()
        .unwrap()
}

fn fails(dir: &Path, expected: &[&str]) {
    let output = command(dir);
    assert_eq!(output.status.code(), Some(1));
    let message = String::from_utf8(output.stderr).unwrap();
    for part in expected {
        assert!(message.contains(part), "{part} in {message}");
    }
    assert!(!message.contains("panicked"));
    assert!(!dir.join("report/index.html").exists());
}

#[test]
fn prints_the_page() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let output = command(&dir);
    assert!(output.status.success());
    let path = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        path.trim_end(),
        dir.join("report/index.html").to_str().unwrap()
    );
    assert!(Path::new(path.trim_end()).exists());
}

#[test]
fn several_folders_formats_and_claims() {
    let (root, other) = (tempdir().unwrap(), tempdir().unwrap());
    let (dir, second) = (
        Fixture::default().write(root.path()),
        Fixture::default().write(other.path()),
    );
    let said = |arguments: &[&std::ffi::OsStr]| {
        let output = Command::new(env!("CARGO_BIN_EXE_gradual-report"))
            .args(arguments)
            .output()
            .unwrap();
        let text = if output.status.success() {
            output.stdout
        } else {
            output.stderr
        };
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let out = root.path().join("out");
    let (dir, second, to) = (dir.as_os_str(), second.as_os_str(), out.as_os_str());
    let (good, page) = said(&[
        dir,
        second,
        "--out".as_ref(),
        to,
        "--tensorboard".as_ref(),
        "--format=html".as_ref(),
    ]);
    assert!(
        good && page.trim_end().ends_with("out/index.html"),
        "{page}"
    );
    assert!(out.join("tensorboard/parity-2/erm/seed-0").is_dir() && !out.join("tables").exists());
    let claims = root.path().join("docs/claims.md");
    let (good, page) = said(&[dir, "--claims".as_ref(), claims.as_os_str()]);
    assert!(
        good && page.trim_end().ends_with("docs/claims.md") && claims.is_file(),
        "{page}"
    );
    let (good, message) = said(&[dir, "--format=pdf".as_ref()]);
    assert!(
        !good && message.contains("invalid value 'pdf'"),
        "{message}"
    );
    let (good, message) = said(&[]);
    assert!(!good && message.contains("<DIR>"), "{message}");
}

#[test]
fn no_folder_and_empty_folder() {
    let root = tempdir().unwrap();
    fails(&root.path().join("absent"), &["expected a folder"]);
    fails(root.path(), &["empty folder"]);
}

#[test]
fn no_experiment_record() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    fs::remove_file(dir.join("experiment.json")).unwrap();
    fails(
        &dir,
        &["expected the file", "experiment.json", "found none"],
    );
    write(&dir.join("experiment.json"), "{");
    fails(
        &dir,
        &[
            "experiment.json: read experiment",
            "move it away and give the command",
        ],
    );
}

#[test]
fn damaged_files_of_a_run_have_a_way_out() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let folder = run_folder(&dir, "labels", 1);
    let out = "seed-1 out of the experiment's folder";
    for (name, damaged, words) in [
        ("DONE", "{\"end\": 7}", "remove it to let the run go on"),
        ("config.json", "{", "for a report without this run"),
    ] {
        let path = folder.join(name);
        let whole = fs::read_to_string(&path).unwrap();
        write(&path, damaged);
        fails(&dir, &[name, "restore it", words, out]);
        write(&path, &whole);
    }
    fs::rename(&folder, root.path().join("elsewhere")).unwrap();
    assert!(command(&dir).status.success());
}

#[test]
fn no_runs() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    for arm in ["erm", "labels", "singular-vectors"] {
        fs::remove_dir_all(dir.join(arm)).unwrap();
    }
    fails(&dir, &["expected runs <arm>/seed-<s>/"]);
    // A run that has only begun is not evaluated either.
    fs::create_dir_all(run_folder(&dir, "erm", 0)).unwrap();
    fails(&dir, &["expected runs <arm>/seed-<s>/"]);
}

#[test]
fn torn_lines() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let path = run_folder(&dir, "erm", 1).join("curves.jsonl");
    let whole = fs::read_to_string(&path).unwrap();

    // The last line of a finished run.
    write(&path, &whole[..whole.len() - 20]);
    fails(&dir, &["line 81 of", "seed-1/curves.jsonl"]);

    // A line in the middle, finished or not.
    let mut lines: Vec<&str> = whole.lines().collect();
    lines[4] = &lines[4][..30];
    write(&path, &lines.join("\n"));
    fails(&dir, &["line 5 of", "seed-1/curves.jsonl"]);
    fs::remove_file(run_folder(&dir, "erm", 1).join("DONE")).unwrap();
    fails(&dir, &["line 5 of", "seed-1/curves.jsonl"]);
}

#[test]
fn a_finished_run_needs_its_files() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    fs::remove_file(run_folder(&dir, "labels", 0).join("config.json")).unwrap();
    fails(&dir, &["expected the file", "labels/seed-0/config.json"]);
}

#[test]
fn evaluations_that_disagree_name_the_run() {
    let root = tempdir().unwrap();
    let dir = Fixture::default().write(root.path());
    let path = run_folder(&dir, "erm", 0).join("curves.jsonl");
    let whole = fs::read_to_string(&path).unwrap();
    let last = whole.lines().last().unwrap().replace("task-05", "task-99");
    write(
        &path,
        &(whole.clone() + &last.replace(":4000,", ":5000,") + "\n"),
    );
    fails(
        &dir,
        &[
            "read line 82",
            "erm/seed-0/curves.jsonl",
            "step 5000, `task-05` is missing",
        ],
    );
}
