use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
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
    /// A journal at `path` that begins with `content`, in the place of one that may be there. It is a new file: whatever
    /// else the old one was called is not written.
    ///
    /// # Errors
    /// Those of [`files::replace`].
    pub fn create(path: &Path, content: impl AsRef<[u8]>) -> Result<Self, RunsError> {
        Ok(Self {
            file: files::replace_open(path, content)?,
            path: path.to_owned(),
        })
    }

    /// Another handle of the same journal.
    ///
    /// # Errors
    /// [`RunsError::File`] when the system gives none.
    pub fn try_clone(&self) -> Result<Self, RunsError> {
        let file = self.file.try_clone();
        Ok(Self {
            file: file.map_err(RunsError::file("open", &self.path))?,
            path: self.path.clone(),
        })
    }

    /// Adds a line. One that can't be written as a whole is not there at all.
    ///
    /// # Errors
    /// [`RunsError::File`], also when somebody removed the file or put another in its place.
    pub fn append(&mut self, line: String) -> Result<(), RunsError> {
        self.append_bytes((line + "\n").as_bytes())
    }

    /// Adds bytes that belong together, for a file that is not made of lines. Those that can't be written as a whole are
    /// not there at all.
    ///
    /// # Errors
    /// Those of [`append`](Self::append).
    pub fn append_bytes(&mut self, bytes: &[u8]) -> Result<(), RunsError> {
        let path = &self.path;
        // A file that was removed or exchanged would swallow the line.
        let there = fs::symlink_metadata(path).and_then(|found| {
            match files::is_same(&self.file, &found)? {
                true => Ok(()),
                false => Err(io::Error::other("another file is in its place")),
            }
        });
        there.map_err(RunsError::file("find", path))?;
        let before = self
            .file
            .metadata()
            .map_err(RunsError::file("look at", path))?;
        let written = self.file.write_all(bytes);
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
    /// Reads a journal line by line, and [checks](Record::check) each record. The last line of an unfinished run may be
    /// torn, without its line feed, and is then left out.
    ///
    /// # Errors
    /// [`RunsError::Line`] naming a line that is no such record or does not follow the one before, and those of
    /// [`files::open`]. A line of more than [`files::MOST_BYTES`] is [`RunsError::TooLong`].
    pub fn read(path: &Path, finished: bool) -> Result<Self, RunsError> {
        let mut lines = BufReader::new(files::open(path)?);
        let mut records: Vec<R> = Vec::new();
        let mut torn: Option<(usize, RunsError)> = None;
        let mut line = Vec::new();
        for number in 1.. {
            line.clear();
            let mut limited = (&mut lines).take(files::MOST_BYTES + 1);
            let read = limited.read_until(b'\n', &mut line);
            if read.map_err(RunsError::file("read", path))? == 0 {
                break;
            }
            let fault = |line, source| RunsError::Line {
                path: path.to_owned(),
                line,
                source: Box::new(source),
            };
            if line.len() as u64 > files::MOST_BYTES {
                return Err(RunsError::TooLong {
                    path: path.to_owned(),
                    most: files::MOST_BYTES,
                });
            }
            if line.trim_ascii().is_empty() {
                continue;
            }
            if let Some((torn, source)) = torn.take() {
                return Err(fault(torn, source));
            }
            let record = match record::<R>(path, &line) {
                Ok(record) => record,
                // What was cut has no line feed; what has one is a line, and wrong.
                Err(source) if !finished && !line.ends_with(b"\n") => {
                    torn = Some((number, source));
                    continue;
                }
                Err(source) => return Err(fault(number, source)),
            };
            record
                .check(records.last())
                .map_err(|source| fault(number, source))?;
            records.push(record);
        }
        Ok(Self {
            records,
            torn: torn.map(|(line, _)| line),
        })
    }
}

fn record<R: Record>(path: &Path, line: &[u8]) -> Result<R, RunsError> {
    let line = std::str::from_utf8(line).map_err(|error| RunsError::NotText {
        path: path.to_owned(),
        at: error.valid_up_to(),
    })?;
    R::from_line(line)
}
