//! Records as lines of JSON.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::RunsError;
use crate::files::MOST_BYTES;
use crate::finite;
use crate::keys;

/// Version of the run-folder format that this crate writes and reads.
pub const SCHEMA: u32 = 1;

/// A record of a run folder: one JSON object.
pub trait Record: Serialize + DeserializeOwned {
    /// Kind of record, for messages.
    const NAME: &'static str;

    /// The schema that the record carries.
    fn schema(&self) -> u32;

    /// Refuses numbers that such a record can't hold: an accuracy of 7.5, or, after the record `before` of the same
    /// journal, a step that is not later. Reading a journal or a file does this for every record.
    ///
    /// # Errors
    /// [`RunsError::Value`] naming the entry, its value and what was expected.
    fn check(&self, before: Option<&Self>) -> Result<(), RunsError> {
        let _ = before;
        Ok(())
    }

    /// The record as one line of JSON, without the line feed.
    ///
    /// # Errors
    /// [`RunsError::NotFinite`] naming the entry that is NaN or infinite, which JSON can't hold; [`RunsError::Long`] when the
    /// line is longer than what is read; [`RunsError::Write`] when the record can't be written for another reason.
    fn to_line(&self) -> Result<String, RunsError> {
        finite::check(self, Self::NAME)?;
        let line = serde_json::to_string(self).map_err(|source| RunsError::Write {
            record: Self::NAME,
            source,
        })?;
        // With its line feed.
        match line.len() as u64 >= MOST_BYTES {
            true => Err(RunsError::Long {
                record: Self::NAME,
                bytes: line.len() as u64,
                most: MOST_BYTES,
            }),
            false => Ok(line),
        }
    }

    /// Reads a record from one line (or a whole file) of JSON.
    ///
    /// # Errors
    /// [`RunsError::Read`] when the text is not such a record or has a key twice in one object, [`RunsError::Schema`] when it was written by another
    /// version of the format.
    fn from_line(line: &str) -> Result<Self, RunsError> {
        let record: Self = serde_json::from_str(line).map_err(RunsError::read(Self::NAME))?;
        keys::check(line).map_err(RunsError::read(Self::NAME))?;
        if record.schema() == SCHEMA {
            Ok(record)
        } else {
            Err(RunsError::Schema {
                record: Self::NAME,
                expected: SCHEMA,
                got: record.schema(),
            })
        }
    }
}
