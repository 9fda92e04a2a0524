//! Runs that can't be compared do not come into one folder.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{refused, run};

/// A short run of the table in `file`.
fn table(home: &Path, file: &str, arm: &str, more: &[&str]) -> Vec<String> {
    let mut arguments = vec![
        String::from("table"),
        format!("--out={}", home.join("runs").display()),
        format!("--data={}", home.join(file).display()),
        format!("--arms={arm}"),
    ];
    let usual = [
        "--label=good",
        "--group=kind",
        "--seeds=1",
        "--steps=20",
        "--draw=16",
    ];
    arguments.extend(usual.map(String::from));
    // Whatever comes later is meant.
    for each in more {
        let name = each.split('=').next().unwrap_or(each);
        arguments.retain(|other| other.split('=').next() != Some(name));
        arguments.push((*each).to_owned());
    }
    arguments
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

/// Two tables of the same columns, rows, labels and groups; one number is another.
fn write_tables(home: &Path) {
    let rows = |last: u32| -> String {
        let size = |i: u32| if i == 79 { last } else { i % 2 * 3 + i % 5 };
        let row = |i: u32| format!("{},{},{}\n", i % 2, i % 3 % 2, size(i));
        (0..80).map(row).collect()
    };
    fs::write(home.join("one.csv"), format!("good,kind,size\n{}", rows(7))).unwrap();
    fs::write(home.join("two.csv"), format!("good,kind,size\n{}", rows(8))).unwrap();
}

/// Refused, with these words, and without a folder of the arm.
fn refused_saying(home: &Path, arguments: &[String], named: &str) {
    let said = refused(&words(arguments));
    for part in [named, "can't be compared", "--out"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!home.join("runs/table/grouped").exists(), "{named}");
}

#[test]
fn an_arm_on_other_data_or_of_another_size_is_refused_before_it_runs() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write_tables(home);
    run(&words(&table(home, "one.csv", "erm", &[])));
    for (file, more, named) in [
        (
            "one.csv",
            &["--steps=30"][..],
            "steps is 30 in the first and 20 in the second",
        ),
        (
            "one.csv",
            &["--draw=8"],
            "draw is 8 in the first and 16 in the second",
        ),
        ("one.csv", &["--label=kind", "--group=good"], "task.label"),
        ("two.csv", &[], "task.sha256"),
    ] {
        refused_saying(home, &table(home, file, "grouped", more), named);
    }
    // The table that comes with the program is other data, too.
    let mut built_in = table(home, "one.csv", "grouped", &[]);
    built_in.retain(|word| {
        ["--data", "--label", "--group"]
            .iter()
            .all(|flag| !word.starts_with(flag))
    });
    refused_saying(home, &built_in, "task.");
    // The same data may be compared, wherever it lies.
    fs::copy(home.join("one.csv"), home.join("copy.csv")).unwrap();
    run(&words(&table(home, "copy.csv", "grouped", &[])));
}

#[test]
fn fresh_runs_beside_old_seeds_of_other_data_are_refused() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write_tables(home);
    run(&words(&table(home, "one.csv", "erm", &["--seeds=2"])));
    let curves = || fs::read(home.join("runs/table/erm/seed-0/curves.jsonl")).unwrap();
    let before = curves();
    let fresh = table(home, "two.csv", "erm", &["--fresh"]);
    refused_saying(home, &fresh, "task.sha256");
    assert_eq!(curves(), before);
    // All seeds together may start over.
    run(&words(&table(
        home,
        "two.csv",
        "erm",
        &["--fresh", "--seeds=2"],
    )));
    assert_ne!(curves(), before);
}

#[test]
fn a_file_that_was_replaced_is_found_when_a_run_resumes() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write_tables(home);
    run(&words(&table(home, "one.csv", "erm", &[])));
    fs::copy(home.join("two.csv"), home.join("one.csv")).unwrap();
    let said = refused(&words(&table(home, "one.csv", "erm", &[])));
    assert!(said.contains("task.sha256"), "{said}");
}

/// What the report will refuse is refused before anything is trained.
#[test]
fn what_makes_a_report_impossible_is_found_first() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    write_tables(home);
    run(&words(&table(home, "one.csv", "erm", &["--seeds=2"])));
    let folder = home.join("runs/table");
    let next = table(home, "one.csv", "grouped", &[]);
    let refused_saying = |said: &str| {
        let heard = refused(&words(&next));
        assert!(
            heard.contains("nothing was run") && heard.contains(said),
            "{said}: {heard}"
        );
        assert!(!folder.join("grouped").exists(), "{said}");
    };
    let names = folder.join("names.toml");
    fs::write(&names, "nonsense = [\n").unwrap();
    refused_saying("names.toml, line");
    fs::write(&names, "[other.seed-0]\n1 = \"x\"\n").unwrap();
    refused_saying("is none of the arms");
    fs::write(&names, "[grouped.seed-0]\n1 = \"x\"\n").unwrap();

    let curves = folder.join("erm/seed-0/curves.jsonl");
    let before = fs::read_to_string(&curves).unwrap();
    fs::write(&curves, before.clone() + "{}\n").unwrap();
    refused_saying("is not what it was when the run finished");
    fs::write(&curves, before).unwrap();
    run(&words(&next));
    assert!(folder.join("grouped/seed-0/DONE").is_file());
}

/// Two commands that begin at once, when the folder is empty for both: one of them is told before it trains.
#[test]
fn two_that_begin_at_once_on_different_data_do_not_both_train() {
    let home = tempfile::tempdir().unwrap();
    write_tables(home.path());
    let begun = [("one.csv", "erm"), ("two.csv", "grouped")].map(|(file, arm)| {
        let arguments = table(home.path(), file, arm, &["--steps=400"]);
        let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
        let command = command.arg("experiment").args(arguments);
        command.stderr(Stdio::piped()).spawn().unwrap()
    });
    let said = begun.map(|child| {
        let output = child.wait_with_output().unwrap();
        String::from_utf8_lossy(&output.stderr).into_owned()
    });
    let told = said.iter().any(|said| said.contains("can't be compared"));
    assert!(told, "{said:?}");
    let done = |arm: &str| home.path().join(format!("runs/table/{arm}/seed-0/DONE"));
    assert!(!(done("erm").exists() && done("grouped").exists()));
}
