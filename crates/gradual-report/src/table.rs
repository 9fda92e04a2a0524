//! A table with typed columns, for files.

use csv::Writer;
use gradual_runs::streams::printable;

use crate::ReportError;

/// One value of a table. A column holds one kind.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Number(Option<f64>),
    Whole(Option<u64>),
    Flag(bool),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<f64>> for Cell {
    fn from(number: Option<f64>) -> Self {
        Self::Number(number)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Whole(Some(number))
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Whole(Some(number as u64))
    }
}

impl From<bool> for Cell {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl Cell {
    /// As CSV holds it: numbers in full, nothing for what is absent, an apostrophe before a text that a spreadsheet would
    /// take for a formula (OWASP, "CSV Injection"), and by their numbers characters that would steer a terminal.
    fn text(&self) -> String {
        match self {
            Self::Text(text) => match printable(text) {
                text if text.starts_with(FORMULA) => format!("'{text}"),
                text => text,
            },
            // With a point or an exponent: readers that guess types must not take 1.0 for a whole number.
            Self::Number(number) => number.map_or_else(String::new, |number| format!("{number:?}")),
            Self::Whole(number) => number.map_or_else(String::new, |number| number.to_string()),
            Self::Flag(flag) => flag.to_string(),
        }
    }
}

/// A text as a cell of comma-separated values: in quotes where it needs them, with an apostrophe before what a
/// spreadsheet would take for a formula, and with control characters other than tabs and line feeds by their numbers.
///
/// ```
/// assert_eq!(gradual_report::csv_cell("a, b"), "\"a, b\"");
/// assert_eq!(gradual_report::csv_cell("=1+1"), "'=1+1");
/// assert_eq!(gradual_report::csv_cell("a\x1b[2Jb"), "a\\u{1b}[2Jb");
/// ```
#[must_use]
pub fn csv_cell(text: &str) -> String {
    let text = Cell::from(text).text();
    match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    }
}

/// What a formula begins with, or what a spreadsheet passes over before one.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '\t', '\n', '＝', '＋', '－', '＠'];

/// Rows under named columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Table {
    /// File name without extension.
    pub(crate) name: String,
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(name: &str, heads: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            heads: heads.iter().map(|&head| head.to_owned()).collect(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        self.rows.push(row.into_iter().collect());
    }

    /// The table as comma-separated values with a line of names.
    pub(crate) fn csv(&self) -> Result<Vec<u8>, ReportError> {
        let error = |reason: String| ReportError::Table {
            table: self.name.clone(),
            reason,
        };
        let mut writer = Writer::from_writer(Vec::new());
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(Cell::text).collect());
        for row in std::iter::once(self.heads.clone()).chain(rows) {
            writer
                .write_record(row)
                .map_err(|source| error(source.to_string()))?;
        }
        writer
            .into_inner()
            .map_err(|source| error(source.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_a_formula() {
        let mut table = Table::new("t", &["a", "b"]);
        for begin in FORMULA {
            table.push([format!("{begin}1+1").as_str().into(), (-1.0).into()]);
        }
        table.push(["a=1".into(), 1e-9.into()]);
        let bytes = table.csv().unwrap();
        let mut reader = csv::Reader::from_reader(&bytes[..]);
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        for (row, begin) in rows.iter().zip(FORMULA) {
            assert_eq!(row[0], format!("'{begin}1+1"));
            assert_eq!(&row[1], "-1.0");
        }
        assert_eq!(&rows[FORMULA.len()][0], "a=1");
    }

    #[test]
    fn no_text_steers_a_terminal() {
        let mut table = Table::new("t", &["a", "b"]);
        table.push(["\u{1b}]0;x\u{7}\r".into(), "\u{202e}two\nlines\t".into()]);
        let text = String::from_utf8(table.csv().unwrap()).unwrap();
        assert_eq!(
            text,
            "a,b\n\\u{1b}]0;x\\u{7}\\u{d},\"\\u{202e}two\nlines\t\"\n"
        );
    }

    #[test]
    fn numbers_say_what_they_are() {
        let mut table = Table::new("t", &["a", "b", "c", "d"]);
        table.push(["x, y".into(), 1.0.into(), 1_u64.into(), None.into()]);
        table.push(["\"z\"".into(), 1e-9.into(), Cell::Whole(None), 0.25.into()]);
        let text = String::from_utf8(table.csv().unwrap()).unwrap();
        assert_eq!(text, "a,b,c,d\n\"x, y\",1.0,1,\n\"\"\"z\"\"\",1e-9,,0.25\n");
    }
}
