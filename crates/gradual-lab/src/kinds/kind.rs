//! What a kind of task is.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail};
use clap::ArgMatches;
use gradual_tasks::SettingError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use toml::Table;

use crate::quality::Quality;
use crate::training::AnyTask;

/// A kind of task: what stands in an experiment's file as `[task.NAME]`.
pub(crate) trait Kind: Sync {
    /// Its name in files.
    fn name(&self) -> &'static str;

    /// Checks the settings of an experiment's file where they stand, so that an error knows its line.
    fn check(&self, file: &str) -> Result<(), toml::de::Error>;

    /// A command that takes the flags of this kind too.
    fn with_flags(&self, command: clap::Command) -> clap::Command;

    /// What the flags say, put into the settings.
    fn apply(&self, flags: &ArgMatches, settings: &mut Table) -> anyhow::Result<()>;

    /// The learning rate for these settings where a file gives none.
    fn rate(&self, settings: &Table) -> anyhow::Result<f64>;

    /// Refuses settings that make no sense, as [`open`](Self::open) does, but reads no data. Of their types alone
    /// [`check`](Self::check) takes care.
    fn validate(&self, settings: Table) -> anyhow::Result<()> {
        let _ = settings;
        Ok(())
    }

    /// Whether these settings lack data that only a user has.
    fn lacks_data(&self, settings: &Table) -> bool {
        let _ = settings;
        false
    }

    /// The task, or one whose groups are [looked at](Quality) along its runs.
    fn open(&self, settings: Table, quality: Option<Quality>) -> anyhow::Result<Box<dyn AnyTask>>;
}

/// Where settings of type `C` stand in an experiment's file; all else in it is left alone.
#[derive(Deserialize)]
#[serde(bound = "C: DeserializeOwned")]
struct Places<C> {
    #[serde(rename = "task")]
    _task: BTreeMap<String, C>,
    #[serde(rename = "quick", default)]
    _quick: Option<QuickPlace<C>>,
}

#[derive(Deserialize)]
#[serde(bound = "C: DeserializeOwned")]
struct QuickPlace<C> {
    #[serde(rename = "task", default)]
    _task: Option<BTreeMap<String, C>>,
}

/// [`Kind::check`] for settings that are a `C`, whose fields all have defaults.
pub(super) fn check<C: DeserializeOwned>(file: &str) -> Result<(), toml::de::Error> {
    toml::from_str::<Places<C>>(file).map(|_| ())
}

/// The settings as a `C`.
pub(super) fn settings<C: DeserializeOwned>(kind: &dyn Kind, settings: Table) -> anyhow::Result<C> {
    // A run folder could not hold them, and two such runs would look alike.
    let non_finite =
        |value: &toml::Value| value.as_float().is_some_and(|number| !number.is_finite());
    if let Some((key, value)) = settings.iter().find(|(_, value)| non_finite(value)) {
        bail!(
            "task.{}.{key} = {value}, but it is a finite number",
            kind.name()
        );
    }
    let read = settings.try_into();
    read.with_context(|| format!("settings of the task {}", kind.name()))
}

/// Puts the values of the flags that were given in the place of settings of these names.
pub(super) fn put<V: Into<toml::Value>, const N: usize>(
    settings: &mut Table,
    flags: [(&str, Option<V>); N],
) {
    for (name, value) in flags {
        if let Some(value) = value {
            settings.insert(name.to_owned(), value.into());
        }
    }
}

/// A setting that makes no sense, as it stands in a file.
pub(super) fn refused(kind: &dyn Kind, error: &SettingError) -> anyhow::Error {
    anyhow!("task.{}.{error}", kind.name())
}

/// Refuses to look at the groups of a kind that nobody has written the looks for.
pub(super) fn without_quality(kind: &dyn Kind, quality: Option<&Quality>) -> anyhow::Result<()> {
    match quality {
        Some(_) => bail!(
            "the task {} has no [quality]: leave the section out",
            kind.name()
        ),
        None => Ok(()),
    }
}
