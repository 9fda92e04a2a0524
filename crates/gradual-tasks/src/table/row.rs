//! Rows of a dataset.

/// One row of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct TableRow {
    /// What the model sees, as many numbers in every row.
    pub features: Vec<f64>,
    /// What it predicts: equal numbers are one class.
    pub label: f64,
    /// The group: equal numbers are one capability.
    pub group: f64,
}
