//! The first line of a CSV file.

use std::collections::HashMap;
use std::io::Read;

use csv::Reader;
use gradual_registry::excerpt;

use super::error::{SHORT, TableError};

/// Most columns.
const COLUMNS: usize = 100_000;

/// The first line.
pub(super) struct Header<'a> {
    table: &'a str,
    pub(super) names: Vec<String>,
    /// Where each name stands.
    places: HashMap<String, usize>,
}

impl<'a> Header<'a> {
    pub(super) fn read<R: Read>(
        reader: &mut Reader<R>,
        table: &'a str,
    ) -> Result<Self, TableError> {
        let unusable = |problem: String| TableError::Unusable {
            table: table.to_owned(),
            problem,
        };
        let cells = reader
            .byte_headers()
            .map_err(|error| TableError::of_csv(table, error))?;
        if cells.is_empty() {
            return Err(unusable(
                "is empty; a line with the names of the columns is needed, and one for each row"
                    .to_owned(),
            ));
        }
        if cells.len() > COLUMNS {
            return Err(unusable(format!(
                "has {} columns; {COLUMNS} is the most",
                cells.len()
            )));
        }
        let mut names = Vec::with_capacity(cells.len());
        for (at, cell) in cells.iter().enumerate() {
            let name = std::str::from_utf8(cell).map_err(|_| {
                unusable(format!(
                    "the name of column {} is not UTF-8 text: '{}'",
                    at + 1,
                    excerpt(&String::from_utf8_lossy(cell), SHORT)
                ))
            })?;
            names.push(name.to_owned());
        }
        if let Some(at) = names.iter().position(String::is_empty) {
            let why = match at {
                _ if names[0].starts_with("sep=") => {
                    "; the first line, which tells Excel what stands between cells, has to go"
                }
                0 => "; where pandas wrote it, write it with index=False",
                _ if at + 1 == names.len() => {
                    "; is there a separator too many at the end of the lines?"
                }
                _ => "",
            };
            return Err(unusable(format!(
                "column {} of {} has no name{why}",
                at + 1,
                names.len()
            )));
        }
        let mut places = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            if let Some(before) = places.insert(name.clone(), at) {
                return Err(unusable(format!(
                    "two columns are named '{}': {} and {}",
                    excerpt(name, SHORT),
                    before + 1,
                    at + 1
                )));
            }
        }
        Ok(Self {
            table,
            names,
            places,
        })
    }

    pub(super) fn find(&self, column: &str) -> Result<usize, TableError> {
        let found = self.places.get(column).copied();
        found.ok_or_else(|| TableError::Column {
            table: self.table.to_owned(),
            column: column.to_owned(),
            known: self.names.clone(),
        })
    }

    /// A table whose columns are wrong.
    pub(super) fn unusable(&self, problem: String) -> TableError {
        TableError::Unusable {
            table: self.table.to_owned(),
            problem,
        }
    }
}

/// Whether pandas gave a column this name because it had none.
pub(super) fn is_index(name: &str) -> bool {
    let number = name.strip_prefix("Unnamed: ");
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}
