//! What can be wrong with lines of text.

use std::path::PathBuf;

use gradual_registry::excerpt;
use thiserror::Error;

use crate::setting::SettingError;

/// Most characters of a value or a name in a message.
pub(super) const SHORT: usize = 60;
/// Most characters of a path in a message.
pub(super) const LONG: usize = 240;

/// Text that can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TextError {
    /// The file can't be opened.
    #[error("text {}: {source}", excerpt(&path.display().to_string(), LONG))]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// The bytes can't be read, or are no lines of JSON.
    #[error("text {text}: {source}")]
    Read {
        /// The file.
        text: String,
        /// The system's reason, or what the bytes are.
        source: std::io::Error,
    },
    /// A line is no JSON object that can be used.
    #[error("text {text}, line {line}: {problem}")]
    Line {
        /// The file.
        text: String,
        /// Line of the file, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A field of a line can't be used.
    #[error("text {text}, line {line}, field \"{field}\": {problem}")]
    Field {
        /// The file.
        text: String,
        /// Line of the file, from 1.
        line: u64,
        /// Name of the field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is nothing to learn from.
    #[error("text {text}: {problem}")]
    Unusable {
        /// The file.
        text: String,
        /// What is missing.
        problem: String,
    },
    /// The tokenizer's file can't be used.
    #[error("tokenizer {}: {problem}", excerpt(&path.display().to_string(), LONG))]
    Tokenizer {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting makes no sense.
    #[error(transparent)]
    Setting(#[from] SettingError),
}
