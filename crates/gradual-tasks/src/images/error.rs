//! What can be wrong with images.

use std::path::{Path, PathBuf};

use gradual_registry::excerpt;
use thiserror::Error;

use crate::setting::SettingError;

/// Most characters of a path in a message.
pub(super) const LONG: usize = 240;
/// Most characters of a name in a message.
pub(super) const SHORT: usize = 60;

/// A path in a message.
pub(super) fn shown(path: &Path) -> String {
    excerpt(&path.display().to_string(), LONG)
}

/// Images that can't be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImageError {
    /// A file or a folder can't be read.
    #[error("{}: {source}", shown(path))]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is no image that can be used, or a folder no folder of images.
    #[error("{}: {problem}", shown(path))]
    Unusable {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A line of the file that names the groups is wrong.
    #[error("{}, line {line}: {problem}", shown(path))]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, the header being line 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A setting makes no sense.
    #[error(transparent)]
    Setting(#[from] SettingError),
}

impl ImageError {
    /// What is wrong with a file.
    pub(super) fn of(path: &Path, problem: impl Into<String>) -> Self {
        Self::Unusable {
            path: path.to_owned(),
            problem: problem.into(),
        }
    }
}
