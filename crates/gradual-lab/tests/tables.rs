//! Tables come from files and pipes, are read once, and are known by what is in them.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::common::{lab, refused, run, written};
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
    assert!(
        said.contains("error: table: standard input: is empty"),
        "{said}"
    );
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

/// What is said of a table with these rows, of which runs come.
fn said_of(rows: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("table.csv");
    fs::write(&file, format!("good,kind,size\n{rows}")).unwrap();
    let arguments = short(home.path(), &file.display().to_string(), &[]);
    let output = lab(&words(&arguments));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    said
}

/// Said once, and no reason to stop.
#[test]
fn a_group_column_that_names_rows_is_noted() {
    let rows = (0..400).map(|i| format!("{},{},{}\n", i % 2, i / 2, i % 7));
    let said = said_of(&rows.collect::<String>());
    let note = "the group column 'kind' holds 200 distinct values in 400 rows; does it name rows instead of groups?";
    assert_eq!(said.matches(note).count(), 1, "{said}");
}

/// Whose data have one group has not made the experiment's claims on several.
#[test]
fn claims_on_several_groups_are_left_out_where_there_is_one() {
    let rows = (0..80).map(|i| format!("{},only,{}\n", i % 2, i % 7));
    let said = said_of(&rows.collect::<String>());
    assert!(
        said.contains("the data have one group, and so no gap"),
        "{said}"
    );
}

/// A table of three groups whose classes are words, with another separator; the same with numbers and commas.
fn good(separator: &str, is_worded: bool) -> String {
    let row = |i: u32| {
        let (a, b) = (i * 7_919 % 1_000, i * 104_729 % 997);
        let group = [0, 0, 0, 1, 1, 2][(i % 6) as usize];
        let class = usize::from(if group == 0 { a > 500 } else { b > 500 });
        let (group, class) = match is_worded {
            true => (["north", "south", "isle"][group], ["no", "yes"][class]),
            false => (["0", "1", "2"][group], ["0", "1"][class]),
        };
        [&a.to_string(), &b.to_string(), group, class]
            .map(str::to_owned)
            .join(separator)
            + "\n"
    };
    let header = ["a", "b", "kind", "good"].join(separator) + "\n";
    header + &(0..240).map(row).collect::<String>()
}

/// The losses and accuracies of the curves of a run, by step, in an order that names have no part in.
fn curves(home: &Path, arm: &str) -> Vec<Vec<(u64, u64)>> {
    let path = home.join(format!("runs/table/{arm}/seed-0/curves.jsonl"));
    let text = fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let capabilities = line["capabilities"].as_object().unwrap().values();
        let numbers = capabilities.map(|one| {
            let number = |name: &str| one[name].as_f64().unwrap().to_bits();
            (number("loss"), number("accuracy"))
        });
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_unstable();
        numbers
    };
    text.lines().map(line).collect()
}

/// Semicolons, tabs and words in the place of numbers give the same curves, bit for bit.
#[test]
fn separators_and_words_change_no_curve() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("table.csv");
    let of = |text: String| {
        fs::write(&file, text).unwrap();
        let arguments = short(home.path(), &file.display().to_string(), &["--fresh"]);
        run(&words(&arguments));
        curves(home.path(), "erm")
    };
    let expected = of(good(",", false));
    for (separator, is_worded) in [(";", false), ("\t", false), (";", true)] {
        assert_eq!(
            of(good(separator, is_worded)),
            expected,
            "{separator:?} {is_worded}"
        );
    }
}

/// What was done with each column is said, and stands in the configuration and in the report; a file that changed is
/// refused by name.
#[test]
fn columns_are_told_and_a_changed_file_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("table.csv");
    let rows = |last: u32| {
        let row = |i: u32| {
            let colour = ["red", "green", ""][(i % 3) as usize];
            let size = if i == 99 { last } else { i * 37 % 11 };
            format!("{size};{colour};{};{}\n", i % 2, i % 5 % 2)
        };
        format!(
            "size;colour;kind;good\n{}",
            (0..100).map(row).collect::<String>()
        )
    };
    fs::write(&file, rows(1)).unwrap();
    let data = file.display().to_string();
    let output = lab(&words(&short(home.path(), &data, &[])));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    let colour = "colour: 2 levels, a column of zeros and ones each (green, red); 33 missing cells are of no level";
    for what in [
        "100 rows; 'good' is predicted (2 classes), 'kind' names 2 groups, and the other columns become 4 inputs",
        "size: numbers",
        colour,
    ] {
        assert!(said.contains(&format!("note: {data}: {what}")), "{said}");
    }
    let config = task(home.path());
    assert!(config["columns"].to_string().contains(colour), "{config}");
    let page = fs::read_to_string(home.path().join("runs/table/report/index.html")).unwrap();
    assert!(
        page.contains("33 missing cells"),
        "the report tells of the columns"
    );

    fs::write(&file, rows(2)).unwrap();
    let message = refused(&words(&short(home.path(), &data, &[])));
    assert!(message.contains("task.sha256"), "{message}");
    let missing = refused(&words(&short(
        home.path(),
        &data,
        &["--missing=refuse", "--fresh"],
    )));
    assert!(
        missing.contains("line 4, column 'colour': '' is a missing value, and those are refused"),
        "{missing}"
    );
    let levels = refused(&words(&short(
        home.path(),
        &data,
        &["--categorical=size", "--levels=5"],
    )));
    assert!(
        levels.contains("column 'size'") && levels.contains("more than the 5"),
        "{levels}"
    );
    let label = refused(&words(&short(home.path(), &data, &["--group=good"])));
    assert!(label.contains("--group"), "{label}");
}

/// A number is predicted, and what the file claims of accuracies is judged by losses.
#[test]
fn a_target_is_judged_by_losses() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("prices.csv");
    let row = |i: u32| {
        let (a, b) = (i * 7_919 % 1_000, i * 104_729 % 997);
        let price = if i.is_multiple_of(4) { a } else { b };
        format!("{a};{b};{};{price}.5\n", i.is_multiple_of(4))
    };
    let rows: String = (0..200).map(row).collect();
    fs::write(&file, format!("a;b;kind;price\n{rows}")).unwrap();
    let arguments = [
        "table".to_owned(),
        format!("--data={}", file.display()),
        format!("--out={}", home.path().join("runs").display()),
    ];
    let flags = [
        "--target=price",
        "--group=kind",
        "--seeds=1",
        "--steps=200",
        "--draw=32",
    ];
    let arms = ["--arms=erm,grouped"];
    let mut all: Vec<String> = arguments.to_vec();
    all.extend(flags.iter().chain(&arms).map(|flag| (*flag).to_owned()));
    let page = run(&words(&all));
    let config = task(home.path());
    assert_eq!(
        (&config["target"], &config["label"]),
        (&"price".into(), &Value::Null)
    );
    let record = home.path().join("runs/table/experiment.json");
    let record: Value = serde_json::from_str(&fs::read_to_string(record).unwrap()).unwrap();
    let claims: Vec<(&str, &str)> = record["claims"]
        .as_array()
        .unwrap()
        .iter()
        .map(|claim| {
            (
                claim["metric"].as_str().unwrap(),
                claim["direction"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(claims, [("gini", "lower"), ("final_loss", "lower")]);
    let html = fs::read_to_string(page.trim()).unwrap();
    assert!(html.contains("Judged by losses"));
    let text = fs::read_to_string(home.path().join("runs/table/erm/seed-0/curves.jsonl")).unwrap();
    let loss = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        line["capabilities"]["kind=false"]["loss"].as_f64().unwrap()
    };
    let [first, last] = [text.lines().next(), text.lines().last()].map(|line| loss(line.unwrap()));
    assert!(last < 0.7 * first, "{first} {last}");

    all.push("--label=kind".to_owned());
    let both = refused(&words(&all));
    assert!(
        both.contains("--label") && both.contains("--target"),
        "{both}"
    );
}

/// Settings of a table in a file, and of its short version, are checked whichever of them runs.
#[test]
fn settings_are_checked_in_both_versions() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mine.toml");
    let said = |settings: &str, quick: &str| {
        let text = format!(
            "name = \"mine\"\narms = [\"erm\"]\n[task.table]\n{settings}\n[run]\nsteps = 2\n[quick.task.table]\n{quick}\n"
        );
        fs::write(&file, text).unwrap();
        refused(&[file.to_str().unwrap()])
    };
    for (settings, quick, expected) in [
        ("levels = \"many\"", "", "expected a whole number from 0"),
        ("levels = -1", "", "expected a whole number from 0"),
        (
            "levels = 5",
            "",
            "task.table.levels goes with a table of one's own",
        ),
        ("data = 3", "", "line 4"),
        ("missing = \"guess\"", "", "expected `impute` or `refuse`"),
        (
            "",
            "levels = 5",
            "with --quick: task.table.levels goes with",
        ),
        (
            "",
            "label = \"y\"",
            "with --quick: the task table needs data, group, and label or target",
        ),
        ("label = \"y\"\ngroup = \"g\"", "", "no data (--data FILE)"),
        (
            "data = \"no.csv\"\nlabel = \"y\"\ntarget = \"z\"\ngroup = \"g\"",
            "",
            "task.table has both label and target",
        ),
        (
            "data = \"no.csv\"\nlabel = \"y\"\ngroup = \"g\"\nlevels = 1",
            "",
            "task.table.levels = 1, but it is a whole number from 2 to 1000",
        ),
    ] {
        let message = said(settings, quick);
        assert!(message.contains(expected), "{settings} {quick}: {message}");
        for of_rust in ["usize", "u32", "untagged", "struct "] {
            assert!(!message.contains(of_rust), "{message}");
        }
    }
}

/// An accuracy is no loss, so that a claim against one is not judged by losses.
#[test]
fn a_claim_against_an_accuracy_is_refused_where_a_number_is_predicted() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("prices.csv");
    let row = |i: u32| format!("{};{};{}.5\n", i * 7_919 % 1_000, i % 2, i * 31 % 97);
    let rows: String = (0..60).map(row).collect();
    fs::write(&file, format!("a;kind;price\n{rows}")).unwrap();
    let text = format!(
        "name = \"mine\"\narms = [\"erm\", \"grouped\"]\n[task.table]\ndata = \"{}\"\ntarget = \"price\"\ngroup = \"kind\"\n\
         [run]\nseeds = 1\nsteps = 20\ndraw = 8\n[[claim]]\nstatement = \"x\"\nsource = \"y\"\narm = \"grouped\"\n\
         metric = \"final_accuracy\"\nagainst = 0.9\ndirection = \"higher\"\nsmallest_effect = 1.0\n",
        file.display()
    );
    let out = format!("--out={}", home.path().join("runs").display());
    let said = refused(&[&written(home.path(), &text), &out]);
    assert!(
        said.contains("final_accuracy = 0.9 is of accuracies") && said.contains("claim final_loss"),
        "{said}"
    );
    run(&[
        &written(home.path(), &text.replace("final_accuracy", "final_loss")),
        &out,
    ]);
}
