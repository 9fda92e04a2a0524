//! Reading a table into columns.

use std::fs::File;
use std::path::Path;

use burn::data::dataset::Dataset;

use super::error::TableError;
use super::row::{DATASET, TableRow};

/// A table taken apart: features row-major, `[rows, width]`, and a label and a group per row.
pub(super) struct Columns {
    pub(super) width: usize,
    pub(super) features: Vec<f32>,
    pub(super) labels: Vec<f64>,
    pub(super) groups: Vec<f64>,
}

impl Columns {
    pub(super) fn from_dataset(dataset: &dyn Dataset<TableRow>) -> Result<Self, TableError> {
        let unusable = |problem: String| TableError::Unusable {
            table: DATASET.to_owned(),
            problem,
        };
        let mut columns = Self {
            width: 0,
            features: Vec::new(),
            labels: Vec::new(),
            groups: Vec::new(),
        };
        for at in 0..dataset.len() {
            let row = dataset.get(at);
            let row = row.map_err(|source| unusable(format!("item {at}: {source}")))?;
            if at == 0 {
                columns.width = row.features.len();
            }
            if row.features.len() != columns.width {
                return Err(unusable(format!(
                    "item {at} has {} features, those before have {}",
                    row.features.len(),
                    columns.width
                )));
            }
            let rest = [row.label, row.group].map(|value| value as f32);
            if !row
                .features
                .iter()
                .chain(&rest)
                .all(|value| value.is_finite())
            {
                return Err(unusable(format!(
                    "item {at} holds a number that is not finite"
                )));
            }
            columns.features.extend_from_slice(&row.features);
            columns.labels.push(row.label);
            columns.groups.push(row.group);
        }
        Ok(columns)
    }

    pub(super) fn open(path: &Path, label: &str, group: &str) -> Result<Self, TableError> {
        let table = path.display().to_string();
        let file = File::open(path).map_err(|source| TableError::Open {
            path: path.to_owned(),
            source,
        })?;
        let csv_error = |source| TableError::Csv {
            table: table.clone(),
            source,
        };
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(file);
        let names: Vec<String> = reader
            .headers()
            .map_err(csv_error)?
            .iter()
            .map(str::to_owned)
            .collect();
        let find = |column: &str| {
            let found = names.iter().position(|name| name == column);
            found.ok_or_else(|| TableError::Column {
                table: table.clone(),
                column: column.to_owned(),
                known: names.clone(),
            })
        };
        let (label, group) = (find(label)?, find(group)?);

        let mut columns = Self {
            width: (0..names.len())
                .filter(|&at| at != label && at != group)
                .count(),
            features: Vec::new(),
            labels: Vec::new(),
            groups: Vec::new(),
        };
        for record in reader.records() {
            let record = record.map_err(csv_error)?;
            for (at, cell) in record.iter().enumerate() {
                let value = cell
                    .parse::<f64>()
                    .ok()
                    .filter(|value| (*value as f32).is_finite());
                let value = value.ok_or_else(|| TableError::Cell {
                    table: table.clone(),
                    line: record.position().map_or(0, csv::Position::line),
                    column: names[at].clone(),
                    cell: cell.to_owned(),
                })?;
                // −0 and 0 are one value.
                let value = value + 0.0;
                if at == label {
                    columns.labels.push(value);
                }
                if at == group {
                    columns.groups.push(value);
                }
                if at != label && at != group {
                    columns.features.push(value as f32);
                }
            }
        }
        Ok(columns)
    }

    /// The red-wine table of the crate linfa-datasets; good wines score above 6.
    pub(super) fn red_wine() -> Self {
        let wine = linfa_datasets::winequality();
        let groups: Vec<f64> = wine.targets.iter().map(|&quality| quality as f64).collect();
        Self {
            width: wine.records.ncols(),
            features: wine.records.iter().map(|&value| value as f32).collect(),
            labels: groups
                .iter()
                .map(|&quality| f64::from(quality > 6.0))
                .collect(),
            groups,
        }
    }
}
