//! What can be wrong with a table.

use std::path::PathBuf;

use thiserror::Error;

/// A table that can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file can't be opened.
    #[error("table {}: {source}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A row does not have as many cells as the header, or is not text.
    #[error("table {table}: {source}")]
    Csv {
        /// The file.
        table: String,
        /// Which row, and what is wrong with it.
        source: csv::Error,
    },
    /// There is no such column.
    #[error("table {table}: there is no column '{column}'; its columns are {}", known.join(", "))]
    Column {
        /// The file.
        table: String,
        /// The name asked for.
        column: String,
        /// The names in the header.
        known: Vec<String>,
    },
    /// A cell is not a finite number.
    #[error("table {table}, line {line}, column '{column}': '{cell}' is not a finite number")]
    Cell {
        /// The file.
        table: String,
        /// Line of the file, the header being line 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// The cell.
        cell: String,
    },
    /// There is nothing to learn from.
    #[error("table {table}: {problem}")]
    Unusable {
        /// The file.
        table: String,
        /// What is missing.
        problem: String,
    },
}
