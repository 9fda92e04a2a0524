//! A table taken apart, row by row.

use super::error::TableError;
use super::groups::{Named, named_groups};
use super::values::Values;

/// Fewest and most classes; more are taken for a mistake.
const CLASSES: std::ops::RangeInclusive<usize> = 2..=100;
/// Most distinct values of the group column.
const GROUPS: usize = 50_000;
/// Most cells.
const CELLS: usize = 100_000_000;

/// What a table is called in messages, and its columns.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) table: String,
    pub(super) label: String,
    pub(super) group: String,
}

/// A table whose rows are added one after another.
#[derive(Debug)]
pub(super) struct Columns {
    names: Names,
    width: usize,
    features: Vec<f32>,
    labels: Vec<u32>,
    pub(super) label_values: Values,
    groups: Vec<u32>,
    pub(super) group_values: Values,
}

/// A table that can be learned.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) width: usize,
    /// Row-major, `[rows, width]`.
    pub(super) features: Vec<f32>,
    /// Of each row.
    pub(super) classes: Vec<i32>,
    pub(super) num_classes: usize,
    pub(super) groups: Vec<Named>,
    pub(super) notes: Vec<String>,
}

impl Checked {
    /// The features of a row.
    pub(super) fn row(&self, row: u32) -> &[f32] {
        let from = row as usize * self.width;
        &self.features[from..from + self.width]
    }
}

impl Columns {
    /// An empty table of `width` features.
    pub(super) fn new(names: Names, width: usize) -> Self {
        Self {
            names,
            width,
            features: Vec::new(),
            labels: Vec::new(),
            label_values: Values::default(),
            groups: Vec::new(),
            group_values: Values::default(),
        }
    }

    pub(super) fn rows(&self) -> usize {
        self.labels.len()
    }

    fn unusable(&self, problem: String) -> TableError {
        TableError::Unusable {
            table: self.names.table.clone(),
            problem,
        }
    }

    /// One row more, its label and group as places among the values.
    pub(super) fn push(
        &mut self,
        features: &[f32],
        label: u32,
        group: u32,
    ) -> Result<(), TableError> {
        self.features.extend_from_slice(features);
        self.labels.push(label);
        self.groups.push(group);
        if self.label_values.len() > *CLASSES.end() {
            return Err(self.unusable(format!(
                "the label column {} holds more than {} distinct values; a class for each is learned, so there may be \
                 from {} to {} of them",
                self.names.label,
                CLASSES.end(),
                CLASSES.start(),
                CLASSES.end()
            )));
        }
        if self.group_values.len() > GROUPS {
            return Err(self.unusable(format!(
                "the group column {} holds more than {GROUPS} distinct values; does it name rows instead of groups?",
                self.names.group
            )));
        }
        if self.features.len() + 2 * self.rows() > CELLS {
            return Err(self.unusable(format!("has more than {CELLS} cells, the most of a table")));
        }
        Ok(())
    }

    /// The table, if it can be learned. `group` is what groups are called.
    pub(super) fn check(self, group: &str) -> Result<Checked, TableError> {
        let rows = self.rows();
        if rows < 2 {
            let rows = match rows {
                0 => String::from("no rows"),
                _ => String::from("1 row"),
            };
            return Err(self.unusable(format!("has {rows}; at least 2 are needed")));
        }
        if self.width == 0 {
            return Err(self.unusable("has no feature column beside label and group".to_owned()));
        }
        if self.label_values.len() < *CLASSES.start() {
            return Err(self.unusable(format!(
                "the label column {} holds 1 distinct value; from {} to {} are needed",
                self.names.label,
                CLASSES.start(),
                CLASSES.end()
            )));
        }
        let (values, ranks) = self.group_values.ranked();
        let column: Vec<u32> = self
            .groups
            .iter()
            .map(|&place| ranks[place as usize])
            .collect();
        let mut notes = Vec::new();
        if values.len() >= 10 && 2 * values.len() >= rows {
            notes.push(format!(
                "table {}: the group column {} holds {} distinct values in {rows} rows; does it name rows instead of \
                 groups?",
                self.names.table,
                self.names.group,
                values.len()
            ));
        }
        if self.names.label == self.names.group {
            notes.push(format!(
                "table {}: the column {} is label and group, so every group is of one class",
                self.names.table, self.names.label
            ));
        }
        let groups = named_groups(group, &values, &column).ok_or_else(|| TableError::Unusable {
            table: self.names.table.clone(),
            problem: format!(
                "every group has a single row; none can be measured. Does the group column {} name rows instead of \
                 groups?",
                self.names.group
            ),
        })?;
        let (classes, ranks) = self.label_values.ranked();
        Ok(Checked {
            width: self.width,
            features: self.features,
            classes: self
                .labels
                .iter()
                .map(|&place| ranks[place as usize] as i32)
                .collect(),
            num_classes: classes.len(),
            groups,
            notes,
        })
    }
}
