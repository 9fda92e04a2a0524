//! Labels.

use std::collections::HashMap;
use std::path::Path;

use anyhow::bail;
use burn::tensor::DType;
use gradual::runs::shown;
use gradual::runs::streams::tell;

use super::arrays;
use super::columns::Table;
use super::ends_in;

/// The label of each example by number, and the names of these.
#[derive(Debug, Clone, Default)]
pub(crate) struct Labels {
    pub(crate) of: Vec<Option<usize>>,
    /// In order: whole numbers by value, texts by letter.
    pub(crate) names: Vec<String>,
}

/// What stands for a missing cell, as spreadsheets, R, pandas and SQL write it.
const MISSING: [&str; 10] = [
    "", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "NULL", "null",
];

/// The labels of a column. Where all are whole numbers, those below zero are none, as in an array.
fn of_cells(path: &Path, cells: Vec<&str>) -> Vec<Option<String>> {
    let there = |cell: &&str| !MISSING.contains(cell);
    let whole = |cell: &str| cell.parse::<i64>().ok();
    let all_whole = cells
        .iter()
        .copied()
        .filter(there)
        .all(|cell| whole(cell).is_some());
    let mut numbers: HashMap<u64, &str> = HashMap::new();
    let same = cells.iter().filter(|cell| there(cell)).find_map(|cell| {
        let number = cell
            .parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())?;
        let other = numbers.insert((number + 0.0).to_bits(), cell)?;
        (other != *cell).then_some((other, *cell))
    });
    if let Some((one, other)) = same {
        tell(format!(
            "note: {}: the labels {} and {} are one number, but two groups",
            path.display(),
            shown(one),
            shown(other)
        ));
    }
    let labels = cells.into_iter().map(|cell| {
        let none = !there(&cell) || all_whole && whole(cell).is_some_and(|label| label < 0);
        (!none).then(|| cell.to_owned())
    });
    labels.collect()
}

/// Labels: an array `[n]` of whole numbers, of which those below zero are no label, or the column `label` of a table, in
/// which a missing cell is none, too.
pub(crate) fn read(path: &Path) -> anyhow::Result<Labels> {
    let found: Vec<Option<String>> = match ends_in(path, "csv") {
        true => {
            let table = Table::read(path)?;
            let cells = table.column(path, "label")?.into_iter();
            of_cells(path, cells.map(|(_, cell)| cell).collect())
        }
        false => {
            let array = arrays::one(path, "labels")?;
            array.check_dimensions("labels", "[n], one for each example", 1)?;
            if matches!(array.data.dtype(), DType::F32 | DType::F64 | DType::U64) {
                bail!(
                    "{}: expected labels as whole numbers of at most 64 bits with a sign, found {}; convert them to int64",
                    array.name,
                    array.data.dtype().name()
                );
            }
            let numbers = array.data.iter::<i64>();
            numbers
                .map(|label| (label >= 0).then(|| label.to_string()))
                .collect()
        }
    };
    if !found.is_empty() && found.iter().all(Option::is_none) {
        bail!(
            "{}: no example has a label: every one is below zero or missing",
            path.display()
        );
    }
    let mut names: Vec<String> = found.iter().flatten().cloned().collect();
    let number = |name: &String| name.parse::<i64>().ok();
    match names.iter().all(|name| number(name).is_some()) {
        true => names.sort_by_key(|name| (number(name), name.clone())),
        false => names.sort(),
    }
    names.dedup();
    let places: HashMap<&str, usize> = names.iter().map(String::as_str).zip(0..).collect();
    let of = found
        .iter()
        .map(|label| {
            label
                .as_deref()
                .and_then(|label| places.get(label).copied())
        })
        .collect();
    Ok(Labels { of, names })
}
