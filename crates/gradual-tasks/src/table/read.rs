//! Reading a CSV file.

use std::collections::HashMap;
use std::io::Read;

use csv::{ByteRecord, Reader};
use gradual_registry::excerpt;

use super::columns::{Columns, Names};
use super::error::{SHORT, TableError};
use super::number::{number, single};
use super::source::Source;

/// Most columns.
const COLUMNS: usize = 100_000;
/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// The columns of a CSV file, and its digest. `name` is what messages call it.
pub(super) fn read<R: Read>(
    source: Source<R>,
    name: &str,
    label: &str,
    group: &str,
) -> Result<(Columns, String), TableError> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .flexible(true)
        .buffer_capacity(BUFFER)
        .from_reader(source);
    let header = Header::read(&mut reader, name)?;
    let (label_at, group_at) = (header.find(label)?, header.find(group)?);
    let names = Names {
        table: name.to_owned(),
        label: format!("'{}'", excerpt(label, SHORT)),
        group: format!("'{}'", excerpt(group, SHORT)),
    };
    let is_feature = |at: &usize| *at != label_at && *at != group_at;
    let width = (0..header.names.len()).filter(is_feature).count();
    let mut columns = Columns::new(names, width);
    let (mut record, mut features) = (ByteRecord::new(), Vec::with_capacity(width));
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| failed(name, error))?
    {
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() != header.names.len() {
            return Err(TableError::Ragged {
                table: name.to_owned(),
                line,
                cells: record.len(),
                columns: header.names.len(),
            });
        }
        features.clear();
        let (mut label, mut group) = (0, 0);
        for (at, cell) in record.iter().enumerate() {
            let refused = |problem: String| TableError::Cell {
                table: name.to_owned(),
                line,
                column: header.names[at].clone(),
                cell: String::from_utf8_lossy(cell).into_owned(),
                problem,
            };
            let text =
                std::str::from_utf8(cell).map_err(|_| refused("is not UTF-8 text".to_owned()))?;
            if is_feature(&at) {
                features.push(single(text).map_err(|problem| refused(problem.to_owned()))?);
                continue;
            }
            let what = match at == label_at {
                true => "label",
                false => "group",
            };
            let value = number(text).map_err(|problem| refused(of_kind(problem, text, what)))?;
            let same = || {
                refused(format!(
                    "is the same number in double precision as another {what} above it; only numbers of up to 15 \
                     digits are told apart"
                ))
            };
            if at == label_at {
                label = columns
                    .label_values
                    .place_of(value, text)
                    .ok_or_else(same)?;
            }
            if at == group_at {
                group = columns
                    .group_values
                    .place_of(value, text)
                    .ok_or_else(same)?;
            }
        }
        columns.push(&features, label, group)?;
    }
    if columns.rows() == 0 {
        return Err(TableError::Unusable {
            table: name.to_owned(),
            problem: "has a header and no rows; at least 2 are needed".to_owned(),
        });
    }
    Ok((columns, reader.into_inner().sha256()))
}

/// What to do about a text where the number of a label or a group belongs.
fn of_kind(problem: &str, text: &str, what: &str) -> String {
    let is_name = text.chars().any(char::is_alphabetic) && text.parse::<f64>().is_err();
    match is_name {
        true => format!("{problem}; give each {what} a number instead of a name"),
        false => problem.to_owned(),
    }
}

fn failed(table: &str, error: csv::Error) -> TableError {
    let source = match error.into_kind() {
        csv::ErrorKind::Io(source) => source,
        // Records of bytes and of any length cause no other.
        other => std::io::Error::other(format!("{other:?}")),
    };
    TableError::Read {
        table: table.to_owned(),
        source,
    }
}

/// The first line.
struct Header<'a> {
    table: &'a str,
    names: Vec<String>,
}

impl<'a> Header<'a> {
    fn read<R: Read>(reader: &mut Reader<R>, table: &'a str) -> Result<Self, TableError> {
        let unusable = |problem: String| TableError::Unusable {
            table: table.to_owned(),
            problem,
        };
        let cells = reader
            .byte_headers()
            .map_err(|error| failed(table, error))?;
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
                0 => "; where pandas wrote it, write it with index=False",
                _ if at + 1 == names.len() => {
                    "; is there a comma too many at the end of the lines?"
                }
                _ => "",
            };
            return Err(unusable(format!(
                "column {} of {} has no name{why}",
                at + 1,
                names.len()
            )));
        }
        let mut first = HashMap::new();
        for (at, name) in names.iter().enumerate() {
            if let Some(before) = first.insert(name.as_str(), at) {
                return Err(unusable(format!(
                    "two columns are named '{}': {} and {}",
                    excerpt(name, SHORT),
                    before + 1,
                    at + 1
                )));
            }
        }
        Ok(Self { table, names })
    }

    fn find(&self, column: &str) -> Result<usize, TableError> {
        let found = self.names.iter().position(|name| name == column);
        found.ok_or_else(|| TableError::Column {
            table: self.table.to_owned(),
            column: column.to_owned(),
            known: self.names.clone(),
        })
    }
}
