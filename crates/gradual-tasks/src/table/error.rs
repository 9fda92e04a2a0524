//! What can be wrong with a table.

use std::path::PathBuf;

use gradual_registry::{excerpt, nearest};
use thiserror::Error;

use crate::counted::counted;

/// Most characters of a cell or a name in a message.
pub(super) const SHORT: usize = 60;
/// Most characters of a path in a message.
pub(super) const LONG: usize = 240;
/// Most names of columns in a message.
pub(super) const LISTED: usize = 20;

/// A table that can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file can't be opened.
    #[error("{}: {source}", excerpt(&path.display().to_string(), LONG))]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The bytes can't be read, or are no text.
    #[error("{table}: {source}")]
    Read {
        /// The file.
        table: String,
        /// The system's reason, or what the bytes are.
        source: std::io::Error,
    },
    /// A line does not have as many cells as the header.
    #[error("{table}, line {line}: it has {}, but the header has {columns}", counted(*cells, "cell"))]
    Ragged {
        /// The file.
        table: String,
        /// Line of the file, the header being line 1.
        line: u64,
        /// How many cells it has.
        cells: usize,
        /// How many it should have.
        columns: usize,
    },
    /// There is no such column.
    #[error(
        "{table}: there is no column '{}'{}",
        excerpt(column, SHORT),
        there_are(column, known)
    )]
    Column {
        /// The file.
        table: String,
        /// The name asked for.
        column: String,
        /// The names in the header.
        known: Vec<String>,
    },
    /// A cell is not a number that can be used.
    #[error(
        "{table}, line {line}, column '{}': '{}' {problem}",
        excerpt(column, SHORT),
        excerpt(cell, SHORT)
    )]
    Cell {
        /// The file.
        table: String,
        /// Line of the file, the header being line 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// The cell.
        cell: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is nothing to learn from.
    #[error("{table}: {problem}")]
    Unusable {
        /// The file.
        table: String,
        /// What is missing.
        problem: String,
    },
}

impl TableError {
    /// What the CSV reader could not read.
    pub(super) fn of_csv(table: &str, error: csv::Error) -> Self {
        let source = match error.into_kind() {
            csv::ErrorKind::Io(source) => source,
            // Records of bytes and of any length cause no other.
            other => std::io::Error::other(format!("{other:?}")),
        };
        Self::Read {
            table: table.to_owned(),
            source,
        }
    }
}

/// The columns that there are, and why the one that was asked for may not be among them.
fn there_are(column: &str, known: &[String]) -> String {
    let near = nearest(column, known.iter().map(String::as_str));
    let near = near.map_or_else(String::new, |near| {
        format!(", did you mean '{}'?", excerpt(near, SHORT))
    });
    let listed: Vec<String> = known
        .iter()
        .take(LISTED)
        .map(|name| excerpt(name, SHORT))
        .collect();
    let more = match known.len().saturating_sub(LISTED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let listed = listed.join(", ") + &more;
    let cause = match known {
        [only] if only.contains('|') => {
            return format!(
                "; its only column is '{listed}': cells are told apart by commas, semicolons or tabs, and this file \
                 seems to have bars"
            );
        }
        [_] => return format!("{near}; its only column is '{listed}'"),
        _ if known.iter().all(|name| name.parse::<f64>().is_ok()) => {
            "; the first line has to name the columns"
        }
        _ => "",
    };
    format!("{near}; its columns are {listed}{cause}")
}
