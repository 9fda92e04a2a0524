use std::io::Write;

use tempfile::NamedTempFile;

use super::*;

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

/// The message of a table that can't be used, without its path.
fn refused(text: &str) -> String {
    let file = file(text);
    let error = Table::open(file.path(), "y", "g", 0).expect_err("the table is unusable");
    error
        .to_string()
        .replace(&file.path().display().to_string(), "FILE")
}

#[test]
fn red_wine_has_six_groups() {
    let table = Table::red_wine(0).unwrap();
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
    let held: Vec<usize> = table
        .held_out
        .iter()
        .map(|rows| rows.classes.len())
        .collect();
    assert_eq!(held, [2, 13, 170, 159, 49, 4]);
    assert_eq!(
        table.training.classes.len() + held.iter().sum::<usize>(),
        1599
    );
    assert_eq!((table.width, table.classes), (11, 2));
    let total: f64 = table.capabilities.iter().map(|c| c.frequency).sum();
    assert!((total - 1.0).abs() < 1e-12);
}

#[test]
fn training_columns_are_standardised() {
    let table = Table::red_wine(1).unwrap();
    for column in 0..11 {
        let values = table.training.features[column..]
            .iter()
            .step_by(11)
            .map(|&v| f64::from(v));
        let n = table.training.classes.len() as f64;
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
    let table = Table::open(file.path(), "y", "g", 0).unwrap();
    assert_eq!(
        (table.width, table.classes, table.capabilities.len()),
        (2, 2, 4)
    );
    assert_eq!(table.capabilities[2].name, "g=2");
    assert!(
        table
            .training
            .features
            .iter()
            .skip(1)
            .step_by(2)
            .all(|&value| value == 0.0)
    );
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let drawn = table.draw(9, &mut random, &Device::flex());
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
    let file = file(&format!("y,g,a\n0,1,5\n1,2,6\n0,2,7\n1,1,8\n{several}"));
    let table = Table::open(file.path(), "y", "g", 0).unwrap();
    assert_eq!(
        names(&table),
        ["g=1", "g=2", "g=other (30 groups of a single row)"]
    );
    assert!(table.training.labels.iter().all(Option::is_some));
    let sizes: Vec<usize> = table
        .held_out
        .iter()
        .map(|rows| rows.classes.len())
        .collect();
    assert_eq!(sizes, [1, 1, 7]);
    assert_eq!(table.members[2].len(), 23);
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
    let file = file("y,g,a\n0,1,5\n1,2,6\n0,2,7\n1,2,8\n1,3,6\n0,3,9\n");
    for seed in 0..5 {
        let table = Table::open(file.path(), "y", "g", seed).unwrap();
        assert_eq!(names(&table), ["g=2", "g=3 (and 1, a single row)"]);
        assert_eq!(
            table
                .training
                .labels
                .iter()
                .filter(|label| **label == Some(1))
                .count(),
            2
        );
        // It is trained on, never held out: there is nothing to measure it by.
        let held_out = &table.held_out[1];
        assert_eq!(held_out.classes.len(), 1);
        assert!(table.training.labels.iter().all(Option::is_some));
        let lone = table
            .training
            .features
            .iter()
            .copied()
            .fold(f32::INFINITY, f32::min);
        assert!(
            held_out.features[0] > lone,
            "the row with a = 5 is the least"
        );
    }
}

#[test]
fn unusable_tables_say_why() {
    assert_eq!(
        refused("y,a\n1,2\n"),
        "table FILE: there is no column 'g'; its columns are y, a"
    );
    assert_eq!(
        refused("y,g,a\n1,2,3\n0,red,3\n"),
        "table FILE, line 3, column 'g': 'red' is not a finite number"
    );
    assert_eq!(
        refused("y,g,a\n1,2,3\n0,1,NaN\n"),
        "table FILE, line 3, column 'a': 'NaN' is not a finite number"
    );
    assert_eq!(
        refused("y,g,a\n1,2,3\n0,1,1e300\n"),
        "table FILE, line 3, column 'a': '1e300' is not a finite number"
    );
    assert_eq!(
        refused("y,g,a\n1,2,3\n0,1,\n"),
        "table FILE, line 3, column 'a': '' is not a finite number"
    );
    assert!(
        refused("y,g,a\n1,2,3\n0,1\n").contains("line: 3"),
        "{}",
        refused("y,g,a\n1,2,3\n0,1\n")
    );
    assert_eq!(
        refused("y,g,a\n1,2,3\n"),
        "table FILE: has 1 rows; at least 2 are needed"
    );
    assert_eq!(
        refused(""),
        "table FILE: there is no column 'y'; its columns are "
    );
    assert_eq!(
        refused("y,g\n1,2\n0,2\n"),
        "table FILE: has no feature column beside label and group"
    );
    assert_eq!(
        refused("y,g,a\n1,2,3\n1,2,4\n"),
        "table FILE: the label column holds 1 distinct values; from 2 to 100 are needed"
    );
    assert_eq!(
        refused("y,g,a\n1,2,3\n0,1,4\n"),
        "table FILE: every group has a single row; none can be measured"
    );
    let missing = Table::open(Path::new("/no/such/file.csv"), "y", "g", 0).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("table /no/such/file.csv: No such file")
    );
}

/// Rows through Burn's own dataset are those of a file, and every way to draw them gives them back.
#[test]
fn a_dataset_is_a_table() {
    use burn::data::dataset::InMemDataset;
    use rand::SeedableRng;

    let row = |i: usize| TableRow {
        features: vec![i as f32, (i % 3) as f32],
        label: (i % 2) as f64,
        group: (i % 5) as f64,
    };
    let rows: Vec<TableRow> = (0..40).map(row).collect();
    let text: String = rows
        .iter()
        .map(|r| {
            format!(
                "{},{},{},{}\n",
                r.features[0], r.features[1], r.label, r.group
            )
        })
        .collect();
    let file = file(&format!("a,b,y,g\n{text}"));
    let read = Table::open(file.path(), "y", "g", 3).unwrap();
    let table = Table::from_dataset(&InMemDataset::new(rows), "g", 3).unwrap();
    assert_eq!(table.training.features, read.training.features);
    assert_eq!(table.capabilities, read.capabilities);

    let device = Device::flex();
    let items = table.items().unwrap();
    assert_eq!(items, 40 - 5 * 2);
    let picked = table.pick(&[0, items - 1], &device).unwrap();
    assert_eq!(
        picked.labels,
        [table.training.labels[0], table.training.labels[items - 1]]
    );
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let chosen = table.draw_of(&[4, 0, 4], &mut random, &device).unwrap();
    assert_eq!(chosen.labels, [Some(4), Some(0), Some(4)]);

    let refused = |rows: Vec<TableRow>| {
        let table = Table::from_dataset(&InMemDataset::new(rows), "g", 0);
        table.map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        refused(vec![
            row(0),
            TableRow {
                features: vec![1.0],
                ..row(1)
            }
        ]),
        "table dataset: item 1 has 1 features, those before have 2"
    );
    assert_eq!(
        refused(vec![
            TableRow {
                group: f64::NAN,
                ..row(0)
            },
            row(1)
        ]),
        "table dataset: item 0 holds a number that is not finite"
    );
    assert!(refused(Vec::new()).contains("has 0 rows"));
}
