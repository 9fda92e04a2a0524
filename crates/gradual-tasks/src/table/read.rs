//! Reading a CSV file.

use std::io::{BufReader, Cursor, Read};

use csv::ByteRecord;
use gradual_registry::excerpt;

use super::cell::{Cell, SEVERAL_LINES, is_missing};
use super::columns::{Columns, Names, Target};
use super::error::{SHORT, TableError};
use super::feature::Reading;
use super::header::{Header, is_index};
use super::options::{Predicted, TableOptions};
use super::source::Source;
use crate::line_ends::LineEnds;
use crate::quoted::Quoted;
use crate::separator::{first_line, sniff};

/// Bytes that are read at once.
const BUFFER: usize = 1 << 16;

/// What a column of the file is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Predicted,
    Group,
    Feature,
    /// A feature whose numbers are names.
    Categorical,
    Ignored,
}

impl Role {
    fn is_feature(self) -> bool {
        matches!(self, Self::Feature | Self::Categorical)
    }
}

/// The columns of a CSV file, and its digest. `name` is what messages call it.
pub(super) fn read<R: Read>(
    source: Source<R>,
    name: &str,
    options: &TableOptions,
) -> Result<(Columns, String), TableError> {
    check(options, name)?;
    let mut source = BufReader::with_capacity(BUFFER, source);
    let read = |source| TableError::Read {
        table: name.to_owned(),
        source,
    };
    let first = first_line(&mut source).map_err(read)?;
    let asked = [options.predicted.column(), options.group.as_str()];
    let separator = sniff(&first, &asked);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .flexible(true)
        .buffer_capacity(BUFFER)
        .from_reader(Quoted::new(
            LineEnds::new(Cursor::new(first).chain(source)),
            separator,
        ));
    let header = Header::read(&mut reader, name)?;
    let roles = roles(&header, options)?;
    let features = header.names.iter().zip(&roles);
    let features = features.filter(|(_, role)| role.is_feature());
    let features = features.map(|(name, role)| Reading::new(name, *role == Role::Categorical));
    let names = Names {
        table: name.to_owned(),
        predicted: options.predicted.clone(),
        group: options.group.clone(),
    };
    let mut columns = Columns::new(names, features.collect());
    let mut record = ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| TableError::of_csv(name, error))?
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
        let (mut target, mut group, mut feature) = (None, "", 0);
        for (at, cell) in record.iter().enumerate() {
            let refused = |problem: &str| TableError::Cell {
                table: name.to_owned(),
                line,
                column: header.names[at].clone(),
                cell: String::from_utf8_lossy(cell).into_owned(),
                problem: problem.to_owned(),
            };
            if roles[at] == Role::Ignored {
                continue;
            }
            let text = std::str::from_utf8(cell)
                .map_err(|_| refused("is not UTF-8 text; save the table as UTF-8"))?;
            match roles[at] {
                Role::Ignored => {}
                Role::Feature | Role::Categorical => {
                    let pushed = columns.features[feature].push(text, options);
                    pushed.map_err(|problem| refused(&problem))?;
                    feature += 1;
                }
                Role::Predicted => {
                    let read = predicted(&options.predicted, text);
                    target = Some(read.map_err(|problem| refused(&problem))?);
                }
                Role::Group => {
                    group = named(text, "group").map_err(|problem| refused(&problem))?;
                }
            }
        }
        if let Some(target) = target {
            columns.push(target, group)?;
        }
    }
    if columns.rows() == 0 {
        return Err(TableError::Unusable {
            table: name.to_owned(),
            problem: "has a header and no rows; at least 2 are needed".to_owned(),
        });
    }
    let (_, source) = reader.into_inner().into_inner().into_inner().into_inner();
    Ok((columns, source.into_inner().sha256()))
}

/// Refuses what no table can be read by.
fn check(options: &TableOptions, table: &str) -> Result<(), TableError> {
    let refused = |problem: String| {
        Err(TableError::Unusable {
            table: table.to_owned(),
            problem,
        })
    };
    let predicted = options.predicted.column();
    if predicted == options.group {
        let column = excerpt(predicted, SHORT);
        return refused(format!(
            "the column '{column}' is both predicted and the group, so that every group would be of one class; name \
             another column as the group"
        ));
    }
    options.check().or_else(|error| refused(error.to_string()))
}

/// What every column of the file is.
fn roles(header: &Header<'_>, options: &TableOptions) -> Result<Vec<Role>, TableError> {
    let mut roles = vec![Role::Feature; header.names.len()];
    roles[header.find(options.predicted.column())?] = Role::Predicted;
    roles[header.find(&options.group)?] = Role::Group;
    for (list, role, columns) in [
        ("ignore", Role::Ignored, &options.ignore),
        ("categorical", Role::Categorical, &options.categorical),
    ] {
        for column in columns {
            let at = header.find(column)?;
            let is = match roles[at] {
                Role::Predicted => "what is predicted",
                Role::Group => "the group",
                Role::Ignored if role == Role::Categorical => "left out (ignore)",
                _ => {
                    roles[at] = role;
                    continue;
                }
            };
            return Err(header.unusable(format!(
                "{list} names the column '{}', which is {is}",
                excerpt(column, SHORT)
            )));
        }
    }
    let named = header.names.iter().zip(&roles);
    let index = named.filter(|(_, role)| role.is_feature());
    match index.map(|(name, _)| name).find(|name| is_index(name)) {
        Some(name) => Err(header.unusable(format!(
            "the column '{}' is an index that pandas wrote and read; write the table with index=False, or leave the \
             column out (--ignore, or `ignore` in a file)",
            excerpt(name, SHORT)
        ))),
        None => Ok(roles),
    }
}

/// A cell of what is predicted, or what is wrong with it.
fn predicted<'a>(predicted: &Predicted, text: &'a str) -> Result<Target<'a>, String> {
    match predicted {
        Predicted::Class(_) => Ok(Target::Class(named(text, "label")?)),
        Predicted::Number(_) => match Cell::new(text)? {
            Cell::Number(number) => Ok(Target::Number(number)),
            Cell::Missing => Err("is a missing value; leave out rows without a target".to_owned()),
            Cell::Text(_) => Err(
                "is not a finite number, which a target is; classes are predicted with label in the place of target"
                    .to_owned(),
            ),
        },
    }
}

/// The name of a label or a group, or what is wrong with it.
fn named<'a>(text: &'a str, what: &str) -> Result<&'a str, String> {
    if is_missing(text) {
        return Err(format!(
            "is a missing value; give each row a {what}, or leave out rows without one"
        ));
    }
    match text.contains(['\n', '\r']) {
        true => Err(SEVERAL_LINES.to_owned()),
        false => Ok(text),
    }
}
