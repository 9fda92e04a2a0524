//! Groups that a CSV file names.

use std::collections::HashMap;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;

use csv::StringRecord;
use gradual_registry::excerpt;

use super::error::{ImageError, SHORT};
use crate::line_ends::LineEnds;
use crate::quoted::Quoted;
use crate::separator::{first_line, sniff};

/// Most bytes of the file.
const BYTES: u64 = 1 << 28;
/// The columns.
const COLUMNS: [&str; 2] = ["file", "group"];

/// The group of each image, by the names of the images.
pub(super) fn groups(
    from: impl Read,
    path: &Path,
    images: &[String],
) -> Result<Vec<String>, ImageError> {
    let mut from = BufReader::new(from.take(BYTES + 1));
    let failed = |source| ImageError::Read {
        path: path.to_owned(),
        source,
    };
    let first = first_line(&mut from).map_err(failed)?;
    let separator = sniff(&first, &COLUMNS);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(Quoted::new(
            LineEnds::new(first.as_slice().chain(from)),
            separator,
        ));
    let wrong = |line: u64, problem: String| ImageError::Line {
        path: path.to_owned(),
        line,
        problem,
    };
    let csv = |error: csv::Error| {
        let line = error.position().map_or(1, csv::Position::line);
        let said = error.to_string();
        match error.into_kind() {
            csv::ErrorKind::Io(source) => failed(source),
            _ => wrong(line, said),
        }
    };
    let header = reader.headers().map_err(csv)?.clone();
    let find = |column: &str| {
        let found = header.iter().position(|name| name == column);
        found.ok_or_else(|| {
            let names: Vec<String> = header.iter().map(|name| excerpt(name, SHORT)).collect();
            if names.is_empty() {
                return wrong(
                    1,
                    "the file is empty; a line with the columns file and group is needed"
                        .to_owned(),
                );
            }
            wrong(
                1,
                format!(
                    "there is no column '{column}'; file and group are needed, and there are {}",
                    excerpt(&names.join(", "), 4 * SHORT)
                ),
            )
        })
    };
    let [file, group] = [find(COLUMNS[0])?, find(COLUMNS[1])?];
    let places = images
        .iter()
        .enumerate()
        .map(|(at, name)| (name.as_str(), at));
    let places: HashMap<&str, usize> = places.collect();
    let mut groups: Vec<Option<String>> = vec![None; images.len()];
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(csv)? {
        let line = record.position().map_or(0, csv::Position::line);
        let cell = |at: usize, column: &str| {
            let cell = record.get(at).unwrap_or_default();
            match cell.is_empty() || cell.contains(['\n', '\r']) {
                true => Err(wrong(
                    line,
                    format!("column '{column}' is empty or of several lines"),
                )),
                false => Ok(cell),
            }
        };
        let (name, group) = (cell(file, COLUMNS[0])?, cell(group, COLUMNS[1])?);
        let shown = excerpt(name, 4 * SHORT);
        let Some(&at) = places.get(name) else {
            return Err(wrong(
                line,
                format!(
                    "column 'file': there is no image '{shown}'; names are as '{}'",
                    images[0]
                ),
            ));
        };
        if groups[at].replace(group.to_owned()).is_some() {
            return Err(wrong(
                line,
                format!("column 'file': '{shown}' stands above, too"),
            ));
        }
    }
    let all = images.iter().zip(groups).map(|(name, group)| {
        group.ok_or_else(|| {
            ImageError::of(
                path,
                format!("names no group of '{}'", excerpt(name, 4 * SHORT)),
            )
        })
    });
    all.collect()
}
