//! Tables come from files and pipes, are read once, and are known by what is in them.

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{lab, refused, run};
use serde_json::Value;

/// A table of 80 rows, the last of which has this size.
fn table(last: u32) -> String {
    let size = |i: u32| if i == 79 { last } else { i % 2 * 3 + i % 5 };
    let rows = (0..80).map(|i| format!("{},{},{}\n", i % 2, i % 3 % 2, size(i)));
    format!("good,kind,size\n{}", rows.collect::<String>())
}

/// A run of two steps.
fn short(home: &Path, data: &str, more: &[&str]) -> Vec<String> {
    let mut arguments = vec![
        String::from("table"),
        format!("--out={}", home.join("runs").display()),
    ];
    if !data.is_empty() {
        arguments.push(format!("--data={data}"));
        arguments.extend(["--label=good", "--group=kind"].map(String::from));
    }
    let usual = ["--seeds=1", "--steps=2", "--draw=8", "--arms=erm"];
    arguments.extend(usual.map(String::from));
    arguments.extend(more.iter().map(|each| (*each).to_owned()));
    arguments
}

fn words(arguments: &[String]) -> Vec<&str> {
    arguments.iter().map(String::as_str).collect()
}

fn task(home: &Path) -> Value {
    let path = home.join("runs/table/erm/seed-0/config.json");
    let config: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    config["task"].clone()
}

/// The command with this on its standard input.
fn fed(arguments: &[String], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gradual-lab"));
    command.arg("experiment").args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

#[test]
fn a_configuration_holds_what_was_read_and_not_where() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("one.csv");
    fs::write(&file, table(7)).unwrap();
    let of = |file: &Path, more: &[&str]| short(home.path(), &file.display().to_string(), more);
    run(&words(&of(&file, &[])));
    let task = task(home.path());
    assert_eq!(task["sha256"].as_str().unwrap().len(), 64);
    assert_eq!(
        (&task["label"], &task["group"]),
        (&"good".into(), &"kind".into())
    );
    assert_eq!(task["capabilities"].as_array().unwrap().len(), 2);
    assert!(!task.to_string().contains("one.csv"), "{task}");

    // The same elsewhere is the same.
    let moved = home.path().join("moved.csv");
    fs::rename(&file, &moved).unwrap();
    run(&words(&of(&moved, &[])));
    // Nor does its place matter to seeds that come later.
    let mut arguments = of(&moved, &["--seeds=2"]);
    arguments.retain(|argument| argument != "--seeds=1");
    run(&words(&arguments));
}

#[cfg(unix)]
#[test]
fn a_table_comes_through_a_pipe() {
    let home = tempfile::tempdir().unwrap();
    for data in ["-", "/dev/stdin"] {
        let output = fed(&short(home.path(), data, &["--quick"]), &table(7));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{data}: {said}");
    }
    let quick = home.path().join("runs/table-quick/erm/seed-0/config.json");
    let piped: Value = serde_json::from_str(&fs::read_to_string(quick).unwrap()).unwrap();
    // As a file has it.
    let file = home.path().join("one.csv");
    fs::write(&file, table(7)).unwrap();
    run(&words(&short(
        home.path(),
        &file.display().to_string(),
        &[],
    )));
    assert_eq!(piped["task"], task(home.path()));

    let fifo = home.path().join("fifo");
    assert!(
        Command::new("mkfifo")
            .arg(&fifo)
            .status()
            .unwrap()
            .success()
    );
    let to = fifo.clone();
    let writer = std::thread::spawn(move || fs::write(to, table(7)));
    run(&words(&short(
        home.path(),
        &fifo.display().to_string(),
        &[],
    )));
    writer.join().unwrap().unwrap();

    let empty = fed(&short(home.path(), "-", &[]), "");
    let said = String::from_utf8(empty.stderr).unwrap();
    assert!(said.contains("table standard input: is empty"), "{said}");
}

#[cfg(unix)]
#[test]
fn what_is_no_table_is_refused_before_a_folder_is_made() {
    let home = tempfile::tempdir().unwrap();
    let workbook = home.path().join("table.xlsx");
    fs::write(&workbook, b"PK\x03\x04\x14\0").unwrap();
    let directory = home.path().display().to_string();
    for (data, said) in [
        ("/dev/zero", "holds NUL bytes"),
        (directory.as_str(), "is a directory; a CSV file is needed"),
        (workbook.to_str().unwrap(), "is a ZIP archive"),
        ("/no/such.csv", "No such file"),
        ("/dev/null", "is empty"),
    ] {
        let message = refused(&words(&short(home.path(), data, &[])));
        assert!(
            message.contains(said) && message.contains(data),
            "{message}"
        );
    }
    assert!(!home.path().join("runs").exists());
}

/// Said once, and no reason to stop.
#[test]
fn a_group_column_that_names_rows_is_noted() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("ids.csv");
    let rows: String = (0..400)
        .map(|i| format!("{},{},{}\n", i % 2, i / 2, i % 7))
        .collect();
    fs::write(&file, format!("good,kind,size\n{rows}")).unwrap();
    let arguments = short(home.path(), &file.display().to_string(), &[]);
    let output = lab(&words(&arguments));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let note = "the group column 'kind' holds 200 distinct values in 400 rows; does it name rows instead of groups?";
    assert_eq!(said.matches(note).count(), 1, "{said}");
}
