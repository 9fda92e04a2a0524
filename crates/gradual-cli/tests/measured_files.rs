//! `gradual measure` on tables of curves.

mod common;

use std::fs;
use std::path::Path;

use common::{json, printed, refused};
use serde_json::Value;
use tempfile::tempdir;

/// Two capabilities that rise at steps 400 and 700, in the long form, with losses.
fn long() -> String {
    let mut table = String::from("step,capability,accuracy,loss\n");
    for step in (0..=1000).step_by(50) {
        for (name, at) in [("one", 400), ("two", 700)] {
            let share = f64::from(step - at + 200) / 400.0;
            let accuracy = 0.5 + 0.5 * share.clamp(0.0, 1.0);
            table += &format!("{step},{name},{accuracy},{}\n", 1.4 - accuracy);
        }
    }
    table
}

/// The same in the wide form.
fn wide() -> String {
    let mut table = String::from("step,one,two\n");
    for step in (0..=1000).step_by(50) {
        let accuracy = |at: i32| 0.5 + 0.5 * (f64::from(step - at + 200) / 400.0).clamp(0.0, 1.0);
        table += &format!("{step}.0,{},{}\n", accuracy(400), accuracy(700));
    }
    table
}

fn measured(folder: &Path, name: &str, table: &str) -> Value {
    fs::write(folder.join(name), table).unwrap();
    json(folder, &["measure", name, "--chance", "0.5"])
}

#[test]
fn times_of_emergence_are_those_of_the_curves() {
    let folder = tempdir().unwrap();
    let one = measured(folder.path(), "long.csv", &long());
    let other = measured(folder.path(), "wide.csv", &wide());
    for answer in [&one, &other] {
        for (name, t50) in [("one", 400.0), ("two", 700.0)] {
            let emergence = &answer["capabilities"][name]["emergence"];
            assert!(
                (emergence["t50"].as_f64().unwrap() - t50).abs() < 1e-6,
                "{emergence}"
            );
            assert!(
                (emergence["width"].as_f64().unwrap() - 320.0).abs() < 1e-6,
                "{emergence}"
            );
        }
        assert_eq!(answer["evaluations"], 21);
    }
    assert!((one["final_loss"].as_f64().unwrap() - 0.4).abs() < 1e-6);
    // What the table doesn't hold is not made up.
    for lacking in ["final_loss", "gini", "examples_to_90", "gradients_to_99"] {
        assert!(other.get(lacking).is_none(), "{lacking}");
    }
    let table = printed(
        folder.path(),
        &["measure", "wide.csv", "--chance", "0.5", "--format", "csv"],
    );
    assert!(table.starts_with("capability,metric,value\n"), "{table}");
    assert!(table.contains("\none,emergence.t50,400.0\n"), "{table}");
}

#[test]
fn wrong_tables_are_refused_by_line() {
    let folder = tempdir().unwrap();
    for (table, expected) in [
        ("capability,accuracy\na,1\n", ["line 1", "step"]),
        ("step,capability\n0,a\n", ["line 1", "accuracy"]),
        (
            "step,capability,accuracy,colour\n0,a,1,red\n",
            ["line 1", "colour"],
        ),
        ("step,a,a\n0,1,1\n", ["line 1", "twice"]),
        ("step,,a\n0,1,1\n", ["line 1", "column 2"]),
        ("step,a,chance\n0,0.5,0.1\n", ["line 1", "--chance"]),
        ("step,a,loss\n0,0.5,0.1\n", ["line 1", "loss is none"]),
        ("step,a\n0,87\n", ["line 2", "87 % is 0.87"]),
        ("step,a\n0,0.1\n0,0.2\n", ["line 3", "step 0"]),
        ("step,a\n-1,0.1\n", ["line 2", "whole number"]),
        ("step,a\n0,\n", ["line 2", "share"]),
        (
            "step,capability,accuracy\n0,a,0.1\n0,a,0.2\n",
            ["line 3", "already"],
        ),
        (
            "step,capability,accuracy\n0,a,0.1\n0,b,0.1\n5,a,0.2\n",
            ["step 5", "`b` is missing"],
        ),
        (
            "step,capability,accuracy\n0,a,0.1\n0,b\n",
            ["table.csv", "line 3"],
        ),
        (
            "step,capability,accuracy,chance\n0,a,0.1,0.1\n5,a,0.2,0.5\n",
            ["table.csv", "chance 0.1 of the first evaluation"],
        ),
        ("step,a\n", ["table.csv", "evaluation"]),
        ("", ["table.csv", "step"]),
    ] {
        fs::write(folder.path().join("table.csv"), table).unwrap();
        let said = refused(folder.path(), &["measure", "table.csv"]);
        for words in expected {
            assert!(
                said.contains(words),
                "{table:?}: {words} is missing in {said}"
            );
        }
    }
    assert!(
        refused(folder.path(), &["measure", "table.csv", "--chance", "1"]).contains("--chance")
    );
    assert!(refused(folder.path(), &["measure", "nowhere.csv"]).contains("nowhere.csv"));
}

#[test]
fn shells_complete_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = printed(Path::new("."), &["completions", shell]);
        assert!(script.contains("coefficients"), "{shell}: {script}");
    }
}

/// The last line of a run that goes on may be torn; that of a finished run may not.
#[test]
fn a_finished_run_is_whole() {
    let folder = tempdir().unwrap();
    let line = |step: u64| {
        let record = r#"{"accuracy":0.5,"loss":1.0,"chance":0.0,"frequency":1.0}"#;
        format!(
            "{{\"schema\":1,\"step\":{step},\"examples\":{step},\"train_loss\":1.0,\"capabilities\":{{\"a\":{record}}}}}\n"
        )
    };
    let torn = format!("{}{}{}", line(0), line(1), &line(2)[..40]);
    fs::write(folder.path().join("curves.jsonl"), &torn).unwrap();
    let going_on = json(folder.path(), &["measure", "curves.jsonl"]);
    assert_eq!(going_on["evaluations"], 2);
    let wrong = [
        line(0),
        line(1),
        line(2).replace("\"schema\":1", "\"schema\":2"),
    ];
    fs::write(folder.path().join("curves.jsonl"), wrong.concat()).unwrap();
    let said = refused(folder.path(), &["measure", "curves.jsonl"]);
    assert!(said.contains("line 3"), "{said}");
    fs::write(folder.path().join("curves.jsonl"), torn).unwrap();
    fs::write(folder.path().join("DONE"), "").unwrap();
    let said = refused(folder.path(), &["measure", "curves.jsonl"]);
    assert!(
        said.contains("curves.jsonl") && said.contains("line 3"),
        "{said}"
    );
}

/// As many columns as a table may have: to look each up among all others took minutes.
#[test]
fn a_table_may_have_many_columns() {
    let folder = tempdir().unwrap();
    let columns: Vec<String> = (0..200_000).map(|at| format!("c{at}")).collect();
    let table = format!("step,{},c7\n", columns.join(","));
    fs::write(folder.path().join("wide.csv"), table).unwrap();
    let said = refused(folder.path(), &["measure", "wide.csv"]);
    assert!(said.contains("the column \"c7\" is there twice"), "{said}");
}

/// It swallowed the rows up to the next one.
#[test]
fn quotes_that_do_not_go_together_are_found() {
    let folder = tempdir().unwrap();
    let row = |at: usize| match at {
        20 => format!("{at}.5,\"5 inch\n"),
        40 => format!("{at}.5,\"ok\"\n"),
        _ => format!("{at}.5,fine\n"),
    };
    let rows: String = (0..60).map(row).collect();
    fs::write(folder.path().join("l.csv"), format!("loss,text\n{rows}")).unwrap();
    let line = [
        "group",
        "--losses",
        "l.csv",
        "--grouping",
        "difficulty(k = 2)",
    ];
    let said = refused(folder.path(), &line);
    let expected = "l.csv, line 42: text follows the end of a quoted cell that begins on line 22";
    assert!(said.contains(expected), "{said}");
    fs::write(folder.path().join("c.csv"), long() + "3,\"a,0.5\n").unwrap();
    let said = refused(folder.path(), &["measure", "c.csv"]);
    assert!(
        said.contains("a quote opens a cell and none closes it"),
        "{said}"
    );
}

#[test]
fn rows_of_other_lengths_and_semicolons_are_named() {
    let folder = tempdir().unwrap();
    let said = |text: &str| {
        fs::write(folder.path().join("t.csv"), text).unwrap();
        refused(folder.path(), &["measure", "t.csv"])
    };
    let ragged = said("step,a,b\n0,0.1,0.2\n1,0.3\n");
    let expected = "t.csv: line 3: expected as many cells as the header has, 3, found 2; the header is \"step\", \"a\", \"b\"\n";
    assert!(ragged.contains(expected), "{ragged}");
    let decimal = said("step;a;b\n0;0,1;0,2\n1;0,3;0,4\n");
    assert!(
        decimal.contains("the columns are told apart by commas"),
        "{decimal}"
    );
}

#[test]
fn other_encodings_are_named() {
    let folder = tempdir().unwrap();
    let utf16: Vec<u8> = std::iter::once(0xfeff)
        .chain(long().encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    fs::write(folder.path().join("utf16.csv"), utf16).unwrap();
    let said = refused(folder.path(), &["measure", "utf16.csv"]);
    let expected = "utf16.csv: is not UTF-8 text from byte 1 on; save it as UTF-8";
    assert!(said.contains(expected), "{said}");
}

/// What the table does not hold is not in the answer, and what was taken in its place is said.
#[test]
fn chances_and_frequencies_that_are_not_there_are_not_made_up() {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("long.csv"), long()).unwrap();
    let said = |more: &[&str]| {
        let output = common::gradual(folder.path(), &[&["measure", "long.csv"], more].concat());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said(&[]).contains("the accuracy of guessing is taken to be 0"));
    assert_eq!(said(&["--chance", "0.5"]), "");
    let measured = measured(folder.path(), "long.csv", &long());
    assert!(measured.get("by_frequency").is_none() && measured.get("by_equality").is_some());
    let with = long().replace(",loss", ",loss,frequency");
    let with: Vec<String> = (with.lines().enumerate())
        .map(|(at, line)| format!("{line}{}\n", if at == 0 { "" } else { ",0.5" }))
        .collect();
    let with = self::measured(folder.path(), "with.csv", &with.concat());
    assert!(with.get("by_frequency").is_some());
}

/// What is no accuracy is not taken for one without a word.
#[test]
fn columns_of_a_wide_table_are_named() {
    let folder = tempdir().unwrap();
    let row = |names: &str| format!("step,a,{names}\n0,0.1,0.2\n1,0.3,0.4\n2,0.5,0.6\n");
    for name in ["Loss", "train_loss", "val-loss", "Chance"] {
        fs::write(folder.path().join("t.csv"), row(name)).unwrap();
        let said = refused(folder.path(), &["measure", "t.csv"]);
        assert!(
            said.contains("accuracies of a capability"),
            "{name}: {said}"
        );
    }
    fs::write(folder.path().join("t.csv"), row("epoch")).unwrap();
    let output = common::gradual(folder.path(), &["measure", "t.csv"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("every column but the step is taken for the accuracies of a capability: \"a\", \"epoch\""),
        "{said}"
    );
}

/// A column that is there and empty says nothing, and one that is half empty is refused.
#[test]
fn empty_columns_are_none() {
    let folder = tempdir().unwrap();
    let table = |cells: [&str; 2]| {
        let mut table = String::from("step,capability,accuracy,chance,frequency\n");
        for step in 0..4 {
            for (name, cell) in ["a", "b"].iter().zip(cells) {
                table += &format!("{step},{name},0.{step},,{cell}\n");
            }
        }
        table
    };
    fs::write(folder.path().join("t.csv"), table(["", ""])).unwrap();
    let answer = json(folder.path(), &["measure", "t.csv"]);
    assert!(answer.get("by_frequency").is_none(), "{answer}");
    let output = common::gradual(folder.path(), &["measure", "t.csv"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("the accuracy of guessing is taken to be 0"),
        "{said}"
    );
    fs::write(folder.path().join("t.csv"), table(["0.9", ""])).unwrap();
    let said = refused(folder.path(), &["measure", "t.csv"]);
    assert!(said.contains("line 3: the frequency is missing"), "{said}");
}

/// Lines are those that an editor shows, whatever ends them.
#[test]
fn lines_are_counted_by_every_end() {
    let folder = tempdir().unwrap();
    for end in ["\n", "\r\n", "\r"] {
        let rows = ["step,a,b", "0,0.1,0.2", "1,0.2,0.3", "2,7,0.4"];
        let text: String = rows.iter().map(|row| format!("{row}{end}")).collect();
        fs::write(folder.path().join("t.csv"), text).unwrap();
        let said = refused(folder.path(), &["measure", "t.csv"]);
        assert!(said.contains("line 4: the a is"), "{end:?}: {said}");
    }
}
