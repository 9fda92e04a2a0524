use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::RunsError;
use crate::files;
use crate::record::Record;

/// A file of a run folder that grows by whole lines.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Opens the journal at `path`, creating it where there is none.
    ///
    /// # Errors
    /// [`RunsError::File`] when it can't be opened.
    pub fn open(path: &Path) -> Result<Self, RunsError> {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Ok(Self {
            file: file.map_err(RunsError::file("open", path))?,
            path: path.to_owned(),
        })
    }

    /// Adds a line. One that can't be written as a whole is not there at all.
    ///
    /// # Errors
    /// [`RunsError::File`], also when somebody removed the file.
    pub fn append(&mut self, line: String) -> Result<(), RunsError> {
        let path = &self.path;
        // A file that was removed would swallow the line.
        let before = fs::metadata(path).map_err(RunsError::file("find", path))?;
        let written = self.file.write_all((line + "\n").as_bytes());
        written.map_err(|source| {
            // What is left of the line would be torn; if that fails too, a checkpoint mends it.
            let _ = self.file.set_len(before.len());
            RunsError::file("write", path)(source)
        })
    }

    /// Brings all lines to disk.
    ///
    /// # Errors
    /// [`RunsError::File`] when the system can't.
    pub fn sync(&self) -> Result<(), RunsError> {
        let synced = self.file.sync_all();
        synced.map_err(RunsError::file("sync", &self.path))
    }
}

/// The records of a journal.
#[derive(Clone, Debug, PartialEq)]
pub struct Lines<R> {
    /// One for each line, in order; empty lines are passed over.
    pub records: Vec<R>,
    /// The number of the last line, from 1, where it was torn and left out.
    pub torn: Option<usize>,
}

impl<R: Record> Lines<R> {
    /// Reads a journal. The last line of an unfinished run may be torn and is then left out.
    ///
    /// # Errors
    /// [`RunsError::Line`] naming a line that is no such record, [`RunsError::Missing`] without such a file and
    /// [`RunsError::File`] when it can't be read.
    pub fn read(path: &Path, finished: bool) -> Result<Self, RunsError> {
        let content = files::text(path)?;
        let lines: Vec<(usize, &str)> = (1..)
            .zip(content.lines())
            .filter(|(_, line)| !line.trim().is_empty())
            .collect();
        let last = lines.last().map_or(0, |(number, _)| *number);
        let mut records = Vec::with_capacity(lines.len());
        let mut torn = None;
        for (number, line) in lines {
            match R::from_line(line) {
                Ok(record) => records.push(record),
                Err(_) if !finished && number == last => torn = Some(number),
                Err(source) => {
                    return Err(RunsError::Line {
                        path: path.to_owned(),
                        line: number,
                        source: Box::new(source),
                    });
                }
            }
        }
        Ok(Self { records, torn })
    }
}
