//! Columns of a table of comma-separated values.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context as _, bail};
use gradual::runs::streams::tell;
use gradual_registry::Quotes;

use super::bytes;

/// The longest table that is read, in bytes: 16 MiB. Curves take more than a hundred times as much memory.
const MOST_BYTES: u64 = 16 << 20;

/// A table with a header.
pub(super) struct Table {
    pub(super) columns: Vec<String>,
    /// Each with its line, from 1.
    pub(super) rows: Vec<(u64, Vec<String>)>,
}

/// The first empty line before one that is not, from 1.
fn empty_line(content: &[u8]) -> Option<usize> {
    let lines = content.trim_ascii_end().split(|&byte| byte == b'\n');
    let mut lines = (1..).zip(lines);
    let empty = lines.find(|(_, line)| line.trim_ascii().is_empty());
    empty.map(|(line, _)| line)
}

/// The same with a line feed alone at the end of every line, by which the reader counts them.
fn with_line_feeds(content: &[u8]) -> Vec<u8> {
    let mut lines = Vec::with_capacity(content.len());
    let mut returned = false;
    for &byte in content {
        match (returned, byte) {
            (true, b'\n') => {}
            (_, b'\r') => lines.push(b'\n'),
            _ => lines.push(byte),
        }
        returned = byte == b'\r';
    }
    lines
}

impl Table {
    /// Reads a table whose first line is its header.
    pub(super) fn read(path: &Path) -> anyhow::Result<Self> {
        let content = bytes(path, MOST_BYTES)?;
        let content = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&content);
        if let Err(error) = std::str::from_utf8(content) {
            bail!(
                "{}: is not UTF-8 text from byte {} on; save it as UTF-8",
                path.display(),
                error.valid_up_to() + 1
            );
        }
        let content = with_line_feeds(content);
        let content = content.as_slice();
        if let Err(error) = Quotes::new(b',').all(content) {
            bail!("{}, {error}", path.display());
        }
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(content);
        let failed = || format!("could not read {}", path.display());
        let columns: Vec<String> = reader
            .headers()
            .with_context(failed)?
            .iter()
            .map(str::to_owned)
            .collect();
        let mut seen = HashSet::new();
        if let Some(twice) = columns.iter().find(|name| !seen.insert(name.as_str())) {
            bail!(
                "{}: line 1: the column {} is there twice",
                path.display(),
                gradual::runs::shown(twice)
            );
        }
        // The reader passes over empty lines, and the examples after one would move.
        if let (1, Some(line)) = (columns.len(), empty_line(content)) {
            bail!(
                "{}: line {line} is empty; an empty cell of the only column is written \"\"",
                path.display()
            );
        }
        let mut table = Self {
            columns,
            rows: Vec::new(),
        };
        for record in reader.records() {
            let record = record.with_context(failed)?;
            let line = record.position().map_or(0, csv::Position::line);
            if record.len() != table.columns.len() {
                bail!(
                    "{}: line {line}: expected as many cells as the header has, {}, found {}; the header is {}",
                    path.display(),
                    table.columns.len(),
                    record.len(),
                    table.named()
                );
            }
            let cells = record.iter().map(str::to_owned).collect();
            table.rows.push((line, cells));
        }
        Ok(table)
    }

    /// Where a column is.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// The column of this name, or the only one there is: its cells, each with its line.
    pub(super) fn column(&self, path: &Path, name: &str) -> anyhow::Result<Vec<(u64, &str)>> {
        let at = match (self.place(name), self.columns.len()) {
            (Some(at), _) => at,
            (None, 1) => {
                let only = &self.columns[0];
                if only.parse::<f64>().is_ok() {
                    tell(format!(
                        "note: {}: the first line, {}, is taken for the name of its only column",
                        path.display(),
                        gradual::runs::shown(only)
                    ));
                }
                0
            }
            (None, _) => bail!(
                "{}: line 1: expected a column \"{name}\", or one column alone, found {}",
                path.display(),
                self.named()
            ),
        };
        let cells = self.rows.iter();
        Ok(cells
            .map(|(line, cells)| (*line, cells[at].as_str()))
            .collect())
    }

    /// The names of the columns, for messages, and what may be wrong where there is one alone.
    pub(super) fn named(&self) -> String {
        let names = self.columns.iter().map(|name| gradual::runs::shown(name));
        let names = names.collect::<Vec<_>>().join(", ");
        match self.columns.as_slice() {
            [] => "an empty table".to_owned(),
            [only] if only.is_empty() => "an empty line".to_owned(),
            all if all.iter().any(|name| name.contains([';', '\t', '|'])) => {
                format!("{names}; the columns are told apart by commas")
            }
            _ => names,
        }
    }
}
