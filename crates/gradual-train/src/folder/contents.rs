//! What of a run folder is ours.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use gradual_runs::files::{self, CHECKPOINTS, CONFIG, DONE, JOURNALS, MOST_BYTES};
use gradual_runs::{RunConfig, RunsError};

use crate::journal_names::JournalNames;

/// Whether a folder is at `path`. Neither it nor the folder of its arm, where it lies in one, is a link.
pub(super) fn is_there(path: &Path, config: &RunConfig) -> Result<bool, RunsError> {
    if let Some(arm) = path.parent()
        && arm
            .file_name()
            .is_some_and(|name| name == config.arm.as_str())
    {
        files::is_folder(arm)?;
    }
    files::is_folder(path)
}

/// A file or folder of a run that is in the folder, whatever it is.
pub(super) fn first_of_run(path: &Path, names: &JournalNames) -> Result<Option<String>, RunsError> {
    let ours: Vec<&str> = [CONFIG, DONE, CHECKPOINTS]
        .into_iter()
        .chain(names.journals())
        .collect();
    first_of(path, &ours)
}

/// The first of these names that anything in the folder has.
pub(super) fn first_of(path: &Path, names: &[&str]) -> Result<Option<String>, RunsError> {
    for name in names {
        let file = path.join(name);
        match fs::symlink_metadata(&file) {
            Ok(_) => return Ok(Some((*name).to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(source) => return Err(RunsError::file("look at", &file)(source)),
        }
    }
    Ok(None)
}

/// How many whole lines the longest journal has that grows with evaluations, counted up to two.
pub(super) fn lines_of_begun(path: &Path) -> Result<usize, RunsError> {
    let mut most = 0;
    for name in JOURNALS {
        let file = path.join(name);
        if !files::is_file(&file)? {
            continue;
        }
        let mut lines = BufReader::new(files::open(&file)?);
        let mut line = Vec::new();
        for number in 1..=2 {
            line.clear();
            let mut limited = std::io::Read::take(&mut lines, MOST_BYTES);
            limited
                .read_until(b'\n', &mut line)
                .map_err(RunsError::file("read", &file))?;
            if line.last() != Some(&b'\n') {
                break;
            }
            most = most.max(number);
        }
    }
    Ok(most)
}
