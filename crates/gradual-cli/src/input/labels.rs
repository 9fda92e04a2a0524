//! Labels.

use std::path::Path;

use anyhow::bail;
use burn::tensor::DType;

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

/// Labels: an array `[n]` of whole numbers, of which those below zero are no label, or the column `label` of a table, in
/// which an empty cell is none.
pub(crate) fn read(path: &Path) -> anyhow::Result<Labels> {
    let found: Vec<Option<String>> = match ends_in(path, "csv") {
        true => {
            let table = Table::read(path)?;
            let cells = table.column(path, "label")?.into_iter();
            cells
                .map(|(_, cell)| (!cell.is_empty()).then(|| cell.to_owned()))
                .collect()
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
    let mut names: Vec<String> = found.iter().flatten().cloned().collect();
    let number = |name: &String| name.parse::<i64>().ok();
    match names.iter().all(|name| number(name).is_some()) {
        true => names.sort_by_key(|name| (number(name), name.clone())),
        false => names.sort(),
    }
    names.dedup();
    let places: std::collections::HashMap<&str, usize> =
        names.iter().map(String::as_str).zip(0..).collect();
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
