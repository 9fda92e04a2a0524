//! The open journals of a run.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;

use gradual_runs::{Digest, Journal, RunsError, files};

/// The journals of a run by name, each with nobody else's hand on it.
#[derive(Debug)]
pub(super) struct Journals(BTreeMap<String, Journal>);

impl Journals {
    /// New ones in the folder, each with what it begins with.
    pub(super) fn create<'a>(
        folder: &Path,
        contents: impl Iterator<Item = (&'a str, &'a [u8])>,
    ) -> Result<Self, RunsError> {
        let open = contents.map(|(name, content)| {
            Ok((
                name.to_owned(),
                Journal::create(&folder.join(name), content)?,
            ))
        });
        Ok(Self(open.collect::<Result<_, RunsError>>()?))
    }

    pub(super) fn append(&mut self, name: &str, line: String) -> Result<(), RunsError> {
        let journal = self.0.get_mut(name).ok_or_else(|| undeclared(name))?;
        journal.append(line)
    }

    /// Another handle of a journal.
    pub(super) fn handle(&self, name: &str) -> Result<Journal, RunsError> {
        let journal = self.0.get(name).ok_or_else(|| undeclared(name))?;
        journal.try_clone()
    }

    /// Brings all to disk, and says what they hold.
    pub(super) fn digests(&self, folder: &Path) -> Result<BTreeMap<String, Digest>, RunsError> {
        let each = self.0.iter().map(|(name, journal)| {
            journal.sync()?;
            Ok((name.clone(), Digest::of_file(&folder.join(name))?))
        });
        each.collect()
    }
}

fn undeclared(name: &str) -> RunsError {
    RunsError::Undeclared {
        name: name.to_owned(),
    }
}

/// A sentence where a journal does not begin with the copy of it that the checkpoint of `step` holds.
pub(super) fn lost(
    folder: &Path,
    name: &str,
    copy: &[u8],
    step: u64,
) -> Result<Option<String>, RunsError> {
    let path = folder.join(name);
    let mut begins = Vec::new();
    if files::is_file(&path)? {
        let mut limited = files::open(&path)?.take(copy.len() as u64);
        limited
            .read_to_end(&mut begins)
            .map_err(RunsError::file("read", &path))?;
    }
    if begins == copy {
        return Ok(None);
    }
    let lines = |content: &[u8]| content.iter().filter(|&&byte| byte == b'\n').count();
    let problem = match (lines(&begins), lines(copy)) {
        (here, then) if here < then => format!("had lost {} of {then} lines", then - here),
        (_, then) => format!("differed in its first {then} lines"),
    };
    Ok(Some(format!(
        "{name} {problem}, which are put back from the checkpoint of step {step}"
    )))
}
