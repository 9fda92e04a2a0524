use gradual_runs::RunsError;
use gradual_runs::files::{JOURNALS, is_journal_name};

/// The journals of a run: those that every run has, and those that a program writes itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct JournalNames {
    more: Vec<String>,
}

impl JournalNames {
    /// With the journals `more`. Names that differ by case alone are one file on some systems.
    pub(crate) fn new(more: &[&str]) -> Result<Self, RunsError> {
        let mut names = Self::default();
        for name in more {
            let taken = names.journals().any(|each| each.eq_ignore_ascii_case(name));
            if taken || !is_journal_name(name) {
                return Err(RunsError::Journal {
                    name: (*name).to_owned(),
                });
            }
            names.more.push((*name).to_owned());
        }
        Ok(names)
    }

    pub(crate) fn journals(&self) -> impl Iterator<Item = &str> {
        JOURNALS
            .into_iter()
            .chain(self.more.iter().map(String::as_str))
    }
}
