use std::collections::BTreeMap;
use std::path::Path;

use gradual_measure::Evaluation;
use serde::{Deserialize, Serialize};

use crate::config::RunConfig;
use crate::digest::Digest;
use crate::error::RunsError;
use crate::files::{self, CURVES, DONE, JOURNALS};
use crate::journal::Lines;
use crate::keys;
use crate::message::shown;

/// How a finished run ended, and what its journals were then: `DONE`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// How it ended; none in an empty file, which old runs have. These went on to their last step.
    #[serde(default)]
    pub end: Option<RunEnd>,
    /// Why it was stopped, for people.
    #[serde(default)]
    pub reason: Option<String>,
    /// Steps that were left out because of NaN or infinite numbers.
    #[serde(default)]
    pub skipped_steps: u64,
    /// Length and checksum of each journal. None in files from before this entry, which only runs have whose
    /// configuration is of that time: a change of the journals would not be seen then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journals: Option<BTreeMap<String, Digest>>,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEnd {
    /// All steps were done.
    Completed,
    /// An observer stopped it.
    Stopped,
}

impl Done {
    /// That of the run in `folder`; none where the run did not finish.
    ///
    /// # Errors
    /// Those of [`files::text`], and [`RunsError::Unreadable`] for anything but such a file.
    pub fn read(folder: &Path) -> Result<Option<Self>, RunsError> {
        let path = folder.join(DONE);
        let text = match files::text(&path) {
            Ok(text) => text,
            Err(RunsError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        if text.trim().is_empty() {
            return Ok(Some(Self::default()));
        }
        let read = serde_json::from_str(&text);
        let read = read.and_then(|read| keys::check(&text).map(|()| read));
        let read = read.map_err(|source| RunsError::Unreadable {
            path,
            source: Box::new(RunsError::read("end of a run")(source)),
        });
        read.map(Some)
    }

    /// Writes it into the folder of the run.
    ///
    /// # Errors
    /// [`RunsError::Write`], and those of [`files::replace`].
    pub fn write(&self, folder: &Path) -> Result<(), RunsError> {
        let line = serde_json::to_string(self).map_err(|source| RunsError::Write {
            record: "end of a run",
            source,
        })?;
        files::replace(&folder.join(DONE), line + "\n")
    }

    /// Refuses what does not prove that the run of `config` in `folder` finished with the journals that are there.
    ///
    /// # Errors
    /// [`RunsError::Unsigned`] without digests of the journals, unless the run is from before configurations had a recipe
    /// or a task; [`RunsError::Steps`] when such an old run has no evaluation of its last step and was not stopped, and
    /// those of [`Lines::read`]; those of [`check_journals`](Self::check_journals).
    pub fn check(&self, folder: &Path, config: &RunConfig) -> Result<(), RunsError> {
        if self.journals.is_none() && !config.is_of_old_form() {
            return Err(RunsError::Unsigned {
                path: folder.join(DONE),
            });
        }
        self.check_journals(folder)?;
        if self.journals.is_some() {
            return Ok(());
        }
        let path = folder.join(CURVES);
        let curves: Lines<Evaluation> = Lines::read(&path, true)?;
        match curves.records.last() {
            Some(last) => self.check_last_step(folder, last.step, config.steps),
            None => Err(RunsError::Missing { path }),
        }
    }

    /// Refuses a finished run of `steps` steps whose last evaluation, of step `last`, is not of its last step. A run that
    /// was stopped may have ended before.
    pub(crate) fn check_last_step(
        &self,
        folder: &Path,
        last: u64,
        steps: u64,
    ) -> Result<(), RunsError> {
        if last > steps || (last < steps && self.end != Some(RunEnd::Stopped)) {
            return Err(RunsError::Steps {
                path: folder.join(CURVES),
                last,
                steps,
            });
        }
        Ok(())
    }

    /// Refuses a run in `folder` whose journals are not what they were when it finished. A file without their digests
    /// says nothing of that.
    ///
    /// # Errors
    /// [`RunsError::Changed`] naming a journal that is missing, shorter, longer, changed or new; those of
    /// [`Digest::of_file`].
    pub fn check_journals(&self, folder: &Path) -> Result<(), RunsError> {
        let Some(journals) = &self.journals else {
            return Ok(());
        };
        let changed = |name: &str, problem: String| RunsError::Changed {
            path: folder.join(name),
            problem,
        };
        if let Some(name) = journals.keys().find(|name| !files::is_journal_name(name)) {
            return Err(changed(
                DONE,
                format!("it lists {}, which is no journal", shown(name)),
            ));
        }
        for name in JOURNALS {
            let there = name == CURVES || files::is_file(&folder.join(name))?;
            if there && !journals.contains_key(name) {
                return Err(changed(name, format!("{DONE} does not list it")));
            }
        }
        for (name, then) in journals {
            let path = folder.join(name);
            let length = match files::length(&path) {
                Ok(length) => length,
                Err(RunsError::Missing { .. }) => {
                    return Err(changed(name, String::from("it is missing")));
                }
                Err(error) => return Err(error),
            };
            if length != then.bytes {
                let problem = format!("it has {length} bytes and had {}", then.bytes);
                return Err(changed(name, problem));
            }
            if Digest::of_file(&path)? != *then {
                return Err(changed(name, String::from("its content is another")));
            }
        }
        Ok(())
    }
}
