//! Data of a table, which all seeds share.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use burn::data::dataset::Dataset;
use gradual_registry::excerpt;
use sha2::{Digest, Sha256};

use super::columns::{Checked, Columns, Names, Target};
use super::error::{LONG, TableError};
use super::feature::Reading;
use super::options::{Predicted, TableOptions};
use super::row::TableRow;
use super::{read, source};

/// What messages call a table that came from a dataset.
const DATASET: &str = "dataset";
/// What messages call a table that came from standard input.
const INPUT: &str = "standard input";

/// A table that was read, for as many [`Table`](super::Table)s as there are seeds. A clone shares its rows.
#[derive(Debug, Clone)]
pub struct TableData {
    pub(super) columns: Arc<Checked>,
    predicted: Predicted,
    group: String,
    sha256: String,
}

impl TableData {
    /// Reads a CSV file with a header, once and from its beginning to its end: a pipe will do. `-` is standard input.
    /// Cells are told apart by commas, semicolons or tabs. A column holds numbers or names; each distinct name becomes
    /// an input of the model. A table has at most 1 GiB, 100 000 columns and 100 million cells.
    ///
    /// # Errors
    ///
    /// [`TableError`] naming the file and what is wrong: file or column missing, columns without a name or with the
    /// name of another, line and column of a cell that is neither a finite number nor a name, a column of both, more
    /// names in a column than are allowed, a missing label or group, lines with more or fewer cells than the header,
    /// fewer than two rows, fewer than two classes or more than 100, more than 50 000 groups, no group of two rows, too
    /// large a file.
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self, TableError> {
        let name = match path.as_os_str() == "-" {
            true => INPUT.to_owned(),
            false => excerpt(&path.display().to_string(), LONG),
        };
        Self::from_source(source::open(path)?, name, options)
    }

    /// The same of any bytes, called `name` in messages.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub fn read(from: impl Read, name: &str, options: &TableOptions) -> Result<Self, TableError> {
        let source = source::Source::new(from, source::BYTES);
        Self::from_source(source, excerpt(name, LONG), options)
    }

    fn from_source<R: Read>(
        source: source::Source<R>,
        name: String,
        options: &TableOptions,
    ) -> Result<Self, TableError> {
        let (columns, sha256) = read::read(source, &name, options)?;
        Ok(Self {
            columns: Arc::new(columns.check(false)?),
            predicted: options.predicted.clone(),
            group: options.group.clone(),
            sha256,
        })
    }

    /// Red-wine quality (Cortez et al. 2009; UCI repository): 1 599 wines, 11 measurements. The label
    /// is whether the quality score is above 6, the group is the score: groups of 10 to 681 wines.
    ///
    /// # Errors
    ///
    /// None that the shipped data would cause.
    pub fn red_wine() -> Result<Self, TableError> {
        let wine = linfa_datasets::winequality();
        let rows = wine.records.outer_iter().zip(&wine.targets);
        let rows = rows.map(|(features, &quality)| {
            Ok(TableRow {
                // In single precision, as what is published of this table was computed.
                features: features
                    .iter()
                    .map(|&value| f64::from(value as f32))
                    .collect(),
                label: f64::from(quality > 6),
                group: quality as f64,
            })
        });
        let names = wine.feature_names().to_vec();
        Self::from_rows(rows, "red wine", ["good", "quality"], &names)
    }

    /// Any of Burn's datasets whose items are rows, such as one in memory, from a database, or mapped
    /// from other items; the column that names the groups is called `group`.
    ///
    /// # Errors
    ///
    /// [`TableError`] for rows of different lengths, numbers that are not finite, an item that can't be
    /// had, and whatever [`open`](Self::open) refuses of a table.
    pub fn from_dataset(dataset: &dyn Dataset<TableRow>, group: &str) -> Result<Self, TableError> {
        let row = |at| {
            dataset.get(at).map_err(|source| TableError::Unusable {
                table: DATASET.to_owned(),
                problem: format!("item {at}: {source}"),
            })
        };
        Self::from_rows((0..dataset.len()).map(row), DATASET, ["label", group], &[])
    }

    /// Features without a name of their own are counted.
    fn from_rows(
        rows: impl Iterator<Item = Result<TableRow, TableError>>,
        table: &str,
        [label, group]: [&str; 2],
        named: &[String],
    ) -> Result<Self, TableError> {
        let unusable = |problem: String| TableError::Unusable {
            table: table.to_owned(),
            problem,
        };
        let names = Names {
            table: table.to_owned(),
            predicted: Predicted::Class(label.to_owned()),
            group: group.to_owned(),
        };
        let mut rows = rows.peekable();
        let width = match rows.peek() {
            Some(Ok(first)) => first.features.len(),
            _ => 0,
        };
        let name = |at: usize| match named.get(at) {
            Some(name) => name.clone(),
            None => format!("feature {}", at + 1),
        };
        let features = (0..width).map(|at| Reading::new(&name(at), false));
        let (mut columns, mut digest) = (Columns::new(names, features.collect()), Sha256::new());
        for (at, row) in rows.enumerate() {
            let row = row?;
            if row.features.len() != width {
                return Err(unusable(format!(
                    "item {at} has {} features, those before have {width}",
                    row.features.len()
                )));
            }
            let features = row.features.iter().all(|value| value.is_finite());
            if !features || !row.label.is_finite() || !row.group.is_finite() {
                return Err(unusable(format!(
                    "item {at} holds a number that is not finite"
                )));
            }
            for (feature, &value) in columns.features.iter_mut().zip(&row.features) {
                match value as f32 {
                    single if f64::from(single) == value => digest.update(single.to_le_bytes()),
                    _ => digest.update(value.to_le_bytes()),
                }
                feature.push_number(value + 0.0);
            }
            // −0 and 0 are one value.
            let [label, group] = [row.label, row.group].map(|value| value + 0.0);
            digest.update(label.to_le_bytes());
            digest.update(group.to_le_bytes());
            let [label, group] = [label, group].map(written);
            columns.push(Target::Class(&label), &group)?;
        }
        Ok(Self {
            columns: Arc::new(columns.check(true)?),
            predicted: Predicted::Class(label.to_owned()),
            group: group.to_owned(),
            sha256: format!("{:x}", digest.finalize()),
        })
    }

    /// SHA-256 of the bytes of the file, in hexadecimal digits; of the numbers of a dataset.
    #[must_use]
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The column that is predicted.
    #[must_use]
    pub fn predicted(&self) -> &Predicted {
        &self.predicted
    }

    /// The column of the groups.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// What was made of the columns: a sentence each, of columns of numbers one together.
    #[must_use]
    pub fn described(&self) -> &[String] {
        &self.columns.described
    }

    /// The same with the name of the table, and what is unusual about it, though it can be learned.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.columns.notes
    }
}

/// A number in few characters, from which no other is written alike.
fn written(value: f64) -> String {
    match value.abs() {
        1e17.. => format!("{value:e}"),
        size if size > 0.0 && size < 1e-9 => format!("{value:e}"),
        _ => value.to_string(),
    }
}
