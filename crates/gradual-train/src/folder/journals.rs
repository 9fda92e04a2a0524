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

/// A journal beside the copy of it that a checkpoint holds.
pub(super) enum Compared {
    /// It begins with the copy.
    Whole,
    /// It ends before the copy does: how many lines are missing, or torn.
    Lost(String),
    /// It holds something else from this line on, counted from 1.
    Contradicts { line: usize },
}

/// Compares a journal with the copy of it that a checkpoint holds. Null bytes at the end are a torn line: a system that
/// stopped may have kept the length of a file without its content.
pub(super) fn compare(folder: &Path, name: &str, copy: &[u8]) -> Result<Compared, RunsError> {
    let path = folder.join(name);
    let mut begins = Vec::new();
    if files::is_file(&path)? {
        let mut limited = files::open(&path)?.take(copy.len() as u64);
        limited
            .read_to_end(&mut begins)
            .map_err(RunsError::file("read", &path))?;
    }
    if begins == copy {
        return Ok(Compared::Whole);
    }
    let lines = |content: &[u8]| content.iter().filter(|&&byte| byte == b'\n').count();
    let same = copy
        .iter()
        .zip(&begins)
        .take_while(|(one, other)| one == other);
    let same = same.count();
    if begins[same..].iter().any(|&byte| byte != 0) {
        let line = lines(&copy[..same]) + 1;
        return Ok(Compared::Contradicts { line });
    }
    let (here, then) = (lines(&copy[..same]), lines(copy));
    Ok(Compared::Lost(format!("{} of {then} lines", then - here)))
}
