use std::io::{Read, Write};
use std::path::Path;

use tempfile::NamedTempFile;

use super::error::TableError;
use super::options::{Missing, Predicted, TableOptions};
use super::row::TableRow;
use super::*;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

fn usual() -> TableOptions {
    TableOptions::classes("y", "g")
}

/// The table of this text, with the label y and the group g.
fn read(text: &str) -> Result<TableData, TableError> {
    TableData::read(text.as_bytes(), "FILE", &usual())
}

/// What is wrong with these bytes.
fn wrong(bytes: &[u8]) -> String {
    let data = TableData::read(bytes, "FILE", &usual());
    data.map(drop)
        .expect_err("the table is unusable")
        .to_string()
}

fn refused(text: &str) -> String {
    wrong(text.as_bytes())
}

fn red_wine(seed: u64) -> Table {
    Table::new(&TableData::red_wine().unwrap(), seed)
}

/// All training rows as the model sees them, row-major.
fn features(table: &Table) -> Vec<f32> {
    let batch = table.batch(&table.parts.training, &Device::flex());
    batch.features.into_data().try_to_vec().unwrap()
}

/// The capability of every training row.
fn labels(table: &Table) -> Vec<Option<usize>> {
    let all: Vec<usize> = (0..table.parts.training.len()).collect();
    table.drawn(&all, &Device::flex()).labels
}

mod real;
mod sources;

#[test]
fn red_wine_has_six_groups() {
    let table = red_wine(0);
    assert_eq!(
        names(&table),
        [
            "quality=3",
            "quality=4",
            "quality=5",
            "quality=6",
            "quality=7",
            "quality=8"
        ]
    );
    let held: Vec<usize> = table.parts.held_out.iter().map(Vec::len).collect();
    assert_eq!(held, [2, 13, 170, 159, 49, 4]);
    assert_eq!(
        table.parts.training.len() + held.iter().sum::<usize>(),
        1599
    );
    assert_eq!((table.data.width, table.data.targets.width()), (11, 2));
    let total: f64 = table.capabilities.iter().map(|c| c.frequency).sum();
    assert!((total - 1.0).abs() < 1e-12);
}

#[test]
fn training_columns_are_standardised() {
    let table = red_wine(1);
    let features = features(&table);
    for column in 0..11 {
        let values = features[column..].iter().step_by(11).map(|&v| f64::from(v));
        let n = table.parts.training.len() as f64;
        let mean = values.clone().sum::<f64>() / n;
        let variance = values.map(|v| v * v).sum::<f64>() / n - mean * mean;
        assert!(
            mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3,
            "{column}: {mean} {variance}"
        );
    }
}

#[test]
fn a_users_table_is_read() {
    let rows: String = (0..40)
        .map(|i| format!("{}, {},{i}.5,7\n", i % 2, i % 4))
        .collect();
    let file = file(&format!("y,g,a,constant\n{rows}"));
    let data = TableData::open(file.path(), &usual()).unwrap();
    let table = Table::new(&data, 0);
    assert_eq!(
        (
            table.data.width,
            table.data.targets.width(),
            table.capabilities.len()
        ),
        (2, 2, 4)
    );
    assert_eq!(table.capabilities[2].name, "g=2");
    assert!(
        features(&table)
            .iter()
            .skip(1)
            .step_by(2)
            .all(|&value| value == 0.0)
    );
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let drawn = table.draw(9, &mut random, &Device::flex()).unwrap();
    assert_eq!(drawn.batch.features.dims(), [9, 2]);
    let model = table.model(&mut random, &Device::flex());
    assert_eq!(table.losses(&model, &drawn.batch).dims(), [9]);
    let scores = table.evaluate(&model, &Device::flex()).unwrap();
    assert_eq!(scores.len(), 4);
    assert!(
        scores
            .iter()
            .all(|score| (0.0..=1.0).contains(&score.accuracy) && score.loss > 0.0)
    );
}

fn names(table: &Table) -> Vec<&str> {
    table.capabilities.iter().map(|c| c.name.as_str()).collect()
}

/// No loss over known groups may leave a row out: every training row has a group, and every group can be drawn.
#[test]
fn groups_of_a_single_row_are_one_group() {
    let several: String = (0..30)
        .map(|i| format!("{},{},5\n", i % 2, 100 + i))
        .collect();
    let data = read(&format!("y,g,a\n0,1,5\n1,2,6\n0,2,7\n1,1,8\n{several}")).unwrap();
    let table = Table::new(&data, 0);
    assert_eq!(
        names(&table),
        ["g=1", "g=2", "g=other (30 groups of a single row)"]
    );
    assert!(labels(&table).iter().all(Option::is_some));
    let sizes: Vec<usize> = table.parts.held_out.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 1, 7]);
    assert_eq!(table.parts.members[2].len(), 23);
    let total: f64 = table.capabilities.iter().map(|c| c.frequency).sum();
    assert!((total - 1.0).abs() < 1e-12);
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let drawn = table
        .draw_of(&[2, 0], &mut random, &Device::flex())
        .unwrap();
    assert_eq!(drawn.labels, [Some(2), Some(0)]);
}

#[test]
fn a_lone_group_of_a_single_row_goes_with_the_smallest() {
    let data = read("y,g,a\n0,1,5\n1,2,6\n0,2,7\n1,2,8\n1,3,6\n0,3,9\n").unwrap();
    for seed in 0..5 {
        let table = Table::new(&data, seed);
        assert_eq!(names(&table), ["g=2", "g=3 (and 1, a single row)"]);
        assert_eq!(
            labels(&table)
                .iter()
                .filter(|label| **label == Some(1))
                .count(),
            2
        );
        // It is trained on, never held out: there is nothing to measure it by.
        let held_out = &table.parts.held_out[1];
        assert_eq!(held_out.len(), 1);
        assert!(labels(&table).iter().all(Option::is_some));
        assert!(
            !held_out.contains(&0) && table.parts.training.contains(&0),
            "the first row is alone"
        );
    }
}

#[test]
fn unusable_tables_say_why() {
    for (text, message) in [
        (
            "y,g,a\n0,1,\n1,1,NA\n",
            "FILE: every feature column is empty",
        ),
        (
            "y,g,Unnamed: 0\n0,1,2\n",
            "FILE: the column 'Unnamed: 0' is an index that pandas wrote and read; write the table with index=False, \
             or leave the column out (--ignore, or `ignore` in a file)",
        ),
        (
            "y,a\n1,2\n",
            "FILE: there is no column 'g'; its columns are y, a",
        ),
        (
            "y,G,a\n1,2,3\n",
            "FILE: there is no column 'g', did you mean 'G'?; its columns are y, G, a",
        ),
        (
            "1,2,3\n0,1,4\n",
            "FILE: there is no column 'y'; its columns are 1, 2, 3; the first line has to name the columns",
        ),
        (
            "y|g|a\n1|2|3\n",
            "FILE: there is no column 'y'; its only column is 'y|g|a': cells are told apart by commas, semicolons or \
             tabs, and this file seems to have bars",
        ),
        (
            "y;G;a\n1;2;3\n",
            "FILE: there is no column 'g', did you mean 'G'?; its columns are y, G, a",
        ),
        (
            "y,g,a\n1,2,3\n0,,3\n",
            "FILE, line 3, column 'g': '' is a missing value; give each row a group, or leave out rows without one",
        ),
        (
            "y,g,a\nNaN,2,3\n",
            "FILE, line 2, column 'y': 'NaN' is a missing value; give each row a label, or leave out rows without one",
        ),
        (
            "y,g,a\n1,2,3\n0,1,red\n",
            "FILE, line 3, column 'a': 'red' is not a finite number, but the cells above it are; name the column as \
             categorical if all its cells are names",
        ),
        (
            "y,g,a\n1,2,red\n0,1,3\n",
            "FILE, line 3, column 'a': '3' is a number, but the cells above it are texts; name the column as \
             categorical if all its cells are names",
        ),
        (
            "y,g,a\n1,2,3\n0,1,inf\n",
            "FILE, line 3, column 'a': 'inf' is not a finite number",
        ),
        (
            "y,g,a\n1,2,3\n0,1,1e300\n",
            "FILE, line 3, column 'a': '1e300' is larger than 1e100, the largest number that can be standardised",
        ),
        (
            "y;g;a\n1;2;3,5\n0;1;1,5\n",
            "FILE, line 2, column 'a': '3,5' is a number with a decimal comma; write numbers with a decimal point",
        ),
        (
            "y,g,a\n1,\"2\n\",3\n0,2,3\n1,\"2\n2\",3",
            "FILE, line 5, column 'g': '2\\n2' spans several lines, so a quote may not be closed",
        ),
        (
            "y,g,a\n1,2,3\n0,1\n",
            "FILE, line 3: it has 2 cells, but the header has 3",
        ),
        (
            "y,g,a\n1,2,3\n0\n",
            "FILE, line 3: it has 1 cell, but the header has 3",
        ),
        (
            "y,g,a\n1,2,3\n\"1,2,3\n1,2,3\n",
            "FILE: line 3: a quote opens a cell and none closes it",
        ),
        (
            "y,g,a\n1,2,3,4\n",
            "FILE, line 2: it has 4 cells, but the header has 3",
        ),
        (
            "y,g,a\n1,2,3\n1,2,\"3\n1,2,3\n",
            "FILE: line 3: a quote opens a cell and none closes it",
        ),
        ("y,g,a\n1,2,3\n", "FILE: has 1 row; at least 2 are needed"),
        (
            "y,g,a\n",
            "FILE: has a header and no rows; at least 2 are needed",
        ),
        (
            "",
            "FILE: is empty; a line with the names of the columns is needed, and one for each row",
        ),
        (
            "y,g\n1,2\n0,2\n",
            "FILE: has no feature column beside label and group",
        ),
        (
            "y,g,a\n1,2,3\n1,2,4\n",
            "FILE: the label column 'y' holds 1 distinct value; from 2 to 100 are needed",
        ),
        (
            "y,g,a\n1,2,3\n0,1,4\n",
            "FILE: every group has a single row; none can be measured. Does the group column 'g' name rows \
             instead of groups?",
        ),
        (
            "y,g,a,a\n1,2,3,4\n",
            "FILE: two columns are named 'a': 3 and 4",
        ),
        (
            "y,y,g,a\n1,2,3,4\n",
            "FILE: two columns are named 'y': 1 and 2",
        ),
        (
            ",y,g,a\n0,1,2,3\n",
            "FILE: column 1 of 4 has no name; where pandas wrote it, write it with index=False",
        ),
        (
            "y,g,a,\n0,1,2,\n",
            "FILE: column 4 of 4 has no name; is there a separator too many at the end of the lines?",
        ),
    ] {
        assert_eq!(refused(text), message);
    }
    let many: String = (0..200).map(|i| format!("{i},1,2\n")).collect();
    assert!(
        refused(&format!("y,g,a\n{many}"))
            .contains("the label column 'y' holds more than 100 distinct values")
    );
}

/// A quote that is not closed swallows rows, whatever becomes of the column that it stands in.
#[test]
fn quotes_go_together_in_columns_that_are_left_out_too() {
    let row = |at: usize, comment: &str| format!("{},{},{at},{comment}\n", at % 2, at % 3);
    let table = |odd: &str, later: &str| {
        let rows = (0..60).map(|at| match at {
            20 => row(at, odd),
            40 => row(at, later),
            _ => row(at, "fine"),
        });
        let text = "y,g,a,comment\n".to_owned() + &rows.collect::<String>();
        let options = usual().without(["comment".to_owned()]);
        let data = TableData::read(text.as_bytes(), "FILE", &options);
        data.map(drop).map_err(|error| error.to_string())
    };
    assert!(table("\"in \"\"two\"\"\nlines\"", "\"ok\"").is_ok());
    assert!(table("5\" inch", "it's \"ok\"").is_ok());
    let open = table("\"5 inch", "fine").unwrap_err();
    assert_eq!(
        open,
        "FILE: line 22: a quote opens a cell and none closes it"
    );
    let closed = table("\"5 inch", "\"ok\"").unwrap_err();
    assert!(
        closed.starts_with(
            "FILE: line 42: text follows the end of a quoted cell that begins on line 22"
        ),
        "{closed}"
    );
}

/// Groups and labels are texts: no two are one because a machine reads them as the same number.
#[test]
fn groups_and_labels_are_texts() {
    let capabilities = |text: &str| {
        let table = Table::new(&read(text).unwrap(), 0);
        let names = table.capabilities.iter().map(|c| c.name.clone());
        names.collect::<Vec<_>>()
    };
    for (one, other) in [
        ("9007199254740992", "9007199254740993"),
        ("0.1234567890123456788", "0.1234567890123456789"),
        ("0", "1e-400"),
        (
            "123456789012345678901234567890",
            "123456789012345678901234567891",
        ),
        ("isle", "north"),
    ] {
        let text = format!("y,g,a\n0,{one},1\n1,{one},2\n0,{other},1\n1,{other},2\n");
        assert_eq!(
            capabilities(&text),
            [format!("g={one}"), format!("g={other}")]
        );
        let data = read(&format!(
            "y,g,a\n{one},1,1\n{one},1,2\n{other},1,1\n{other},1,2\n"
        ));
        assert_eq!(data.unwrap().columns.targets.width(), 2);
    }
    // One number in two ways is two groups, and is said.
    let data = read("y,g,a\n0,1,1\n1,1,2\n0,1.0,1\n1,1.0,2\n").unwrap();
    assert_eq!(Table::new(&data, 0).capabilities.len(), 2);
    let notes = data.notes().join("\n");
    assert!(
        notes.contains(
            "the group column 'g' holds '1' and '1.0', which are one number but two groups"
        ),
        "{notes}"
    );
    let data = read("y,g,a\n0,2,1\n1,1,2\n0,1.0,1\n1,1.00,2\n1,2,2\n").unwrap();
    let notes = data.notes().join("\n");
    assert!(
        notes.contains("'1', '1.0' and '1.00', which are one number but 3 groups"),
        "{notes}"
    );
}

#[test]
fn one_text_in_two_forms_of_unicode_is_said_to_be_two_groups() {
    let notes = |other: &str| {
        let text = format!("y,g,a\n0,caf\u{e9},1\n1,caf\u{e9},2\n0,{other},1\n1,{other},2\n");
        read(&text).unwrap().notes().join("\n")
    };
    let said = notes("cafe\u{301}");
    assert!(
        said.contains("in two forms of Unicode, which are two groups"),
        "{said}"
    );
    assert!(!notes("cafe").contains("Unicode"));
}

#[test]
fn messages_are_short_and_hold_no_control_characters() {
    let long = "x".repeat(10_000);
    let wide: String = (0..50_000).map(|at| format!("c{at},")).collect();
    for text in [
        format!("y,g,a\n1,2,{long}\n"),
        "y,g,a\n1,\u{1b}[2J\u{7}\u{202e},3\n".to_owned(),
        format!("y,g,{long},{long}\n"),
        format!("{wide}y,a\n"),
        format!("{long}\n"),
        "y,\u{1b}[31mg,a\n1,2,3\n".to_owned(),
        format!("y,g,{}\n1,2,3,3\n", long),
        "y,g,a\n1,2,\"".to_owned() + &"\r\n\"\"".repeat(100),
    ] {
        let message = refused(&text);
        assert!(message.chars().count() < 600, "{message}");
        assert!(
            !message
                .chars()
                .any(|letter| letter.is_control() || letter == '\u{202e}'),
            "{message:?}"
        );
    }
    let path = format!("/no/such\n\u{1b}[2J/{}", "d/".repeat(1_000));
    let message = TableData::open(Path::new(&path), &usual())
        .unwrap_err()
        .to_string();
    assert!(message.chars().count() < 400 && !message.chars().any(char::is_control));
    assert!(refused(&format!("{wide}y,a\n")).contains("c19 and 49982 more"));
    // A name that becomes that of a capability.
    let data = TableData::read(
        format!("y,{long}\u{1b},a\n0,1,2\n1,1,3\n").as_bytes(),
        "FILE",
        &TableOptions::classes("y", &format!("{long}\u{1b}")),
    );
    let table = Table::new(&data.unwrap(), 0);
    let name = names(&table)[0];
    assert!(
        name.ends_with("x\\u{1b}=1") && name.chars().count() < 80,
        "{name}"
    );
}

#[test]
fn what_is_unusual_is_noted() {
    // What is said beside the columns.
    let note = |text: &str, label, group| {
        let options = TableOptions::classes(label, group);
        let data = TableData::read(text.as_bytes(), "FILE", &options).unwrap();
        let described = data.described().len();
        data.notes()[described..].to_vec()
    };
    let rows: String = (0..40)
        .map(|i| format!("{},{},{}\n", i % 2, i / 2, i % 7))
        .collect();
    assert_eq!(
        note(&format!("y,g,a\n{rows}"), "y", "g")[0],
        "FILE: the group column 'g' holds 20 distinct values in 40 rows; does it name rows instead of groups?"
    );
    let rows: String = (0..40)
        .map(|i| format!("{},{},{},{}\n", i % 2, i / 2 % 4, i % 7, i + 5))
        .collect();
    assert_eq!(
        note(&format!("y,g,a,row\n{rows}"), "y", "g"),
        [
            "FILE: groups with fewer than 25 held-out rows are measured roughly, by 2 within about 69 points of accuracy: g=0 \
             (2), g=1 (2), g=2 (2), g=3 (2)",
            "FILE: the column 'row' counts the rows; if it is an index, leave it out (--ignore, or `ignore` in a file)"
        ]
    );
    let rows: String = (0..400)
        .map(|i| {
            format!(
                "{},{},{}\n",
                i % 2,
                i / 2 % 2,
                if i % 90 == 7 { -9999 } else { i % 7 }
            )
        })
        .collect();
    assert_eq!(
        note(&format!("y,g,size\n{rows}"), "y", "g"),
        [
            "FILE: the column 'size' holds -9999 in 5 rows, and from 0 to 6 elsewhere; if that stands for a missing number, leave the \
             cells empty"
        ]
    );
    let target = TableOptions::numbers("y", "g");
    let rows = |odd: &str| {
        format!(
            "y,g,a\n{}",
            format!("1,0,1\n2,1,1\n{odd},0,3\n3,1,4\n").repeat(20)
        )
    };
    let notes = |odd| {
        TableData::read(rows(odd).as_bytes(), "FILE", &target)
            .unwrap()
            .notes()
            .to_vec()
    };
    let of_target = "FILE: the column 'y' holds 999 in 20 rows, and from 1 to 3 elsewhere; if that stands for a missing number, leave the cells empty";
    assert!(
        notes("999").iter().any(|note| note == of_target),
        "{:?}",
        notes("999")
    );
    assert!(!notes("998").iter().any(|note| note.contains("stands for")));
    let classes = "y,g,a\n0,1,1\n0,1,2\n0,1,3\n1,1,2\n";
    assert_eq!(
        note(classes, "y", "g")[..1],
        [
            "FILE: classes with too few rows in their group to be in both of its parts: class 1 of g=1 (1 row, none held \
             out)"
        ]
    );
}

/// Lines are those that an editor shows, whatever ends them.
#[test]
fn lines_are_counted_by_every_end() {
    for end in ["\n", "\r\n", "\r"] {
        let rows = ["x,g,y", "1,a,0", "2,a,1", "red,a,0", "3,b,1", "4,b,0"];
        let text: String = rows.iter().map(|row| format!("{row}{end}")).collect();
        let error = read(&text).unwrap_err().to_string();
        assert!(
            error.contains("line 4, column 'x': 'red'"),
            "{end:?}: {error}"
        );
    }
}

/// What stands for a missing number in some files, far from all others, is named before anything learns from it.
#[test]
fn numbers_far_from_all_others_are_refused() {
    let rows = |cell: &str| {
        let row = |at: usize| {
            let size = if at == 17 {
                cell.to_owned()
            } else {
                (at % 7).to_string()
            };
            format!("{},{},{size}\n", at % 2, at / 2 % 2)
        };
        format!("y,g,size\n{}", (0..40).map(row).collect::<String>())
    };
    read(&rows("1000000")).unwrap();
    let said = refused(&rows("9.96921e36"));
    assert!(
        said.contains("the column 'size' has 9.96921e36 in row 18"),
        "{said}"
    );
}
