use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::difference::{Difference, differences};
use crate::error::RunsError;
use crate::files::CONFIG;
use crate::record::Record;

/// How a run was configured: `config.json`.
///
/// It holds everything that the numbers of the run follow from, so that a run is resumed by an equal configuration
/// alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunConfig {
    /// Format version, [`SCHEMA`](crate::SCHEMA).
    pub schema: u32,
    /// Name of the experiment.
    pub experiment: String,
    /// Name of the arm.
    pub arm: String,
    /// Seed of the run.
    pub seed: u64,
    /// Optimizer steps of a finished run.
    pub steps: u64,
    /// Examples per step; 0 where another program that wrote the run does not tell.
    #[serde(default)]
    pub draw: u64,
    /// Name of the backend; empty where another program that wrote the run does not tell.
    #[serde(default)]
    pub backend: String,
    /// The task with all its settings. Null, and left out, where a loop says nothing of it, and in folders from before
    /// this entry.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub task: Value,
    /// The whole recipe of the arm: grouping, composition, scale, sampler, optimizer, with all parameters. Null, and
    /// left out, where a loop says nothing of it, and in folders from before this entry.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub recipe: Value,
    /// Everything else that the experiment sets, such as the steps between evaluations.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
}

impl RunConfig {
    /// Whether its recipe looks through a model that learns before the run begins.
    pub(crate) fn has_proxy(&self) -> bool {
        self.recipe
            .get("proxy")
            .is_some_and(|proxy| !proxy.is_null())
    }

    /// Whether it is from before configurations held a task and a recipe.
    pub(crate) fn is_of_old_form(&self) -> bool {
        self.task.is_null() && self.recipe.is_null()
    }

    /// The entries in which the configuration in the text of a `config.json` differs from this one; none where a run of
    /// this configuration can go on in its folder. Entries of the text that this version does not know count, too.
    ///
    /// # Errors
    /// [`RunsError::Read`] and [`RunsError::Schema`] when the text is no configuration, and those of
    /// [`to_line`](Record::to_line).
    pub fn differences_from(&self, held: &str) -> Result<Vec<Difference>, RunsError> {
        Self::from_line(held)?;
        let value =
            |text: &str| serde_json::from_str::<Value>(text).map_err(RunsError::read(Self::NAME));
        Ok(differences(&value(held)?, &value(&self.to_line()?)?))
    }

    /// Refuses the folder `path` of another run, whose `config.json` holds `held`.
    ///
    /// # Errors
    /// [`RunsError::Configuration`] naming every entry that differs, [`RunsError::Outdated`] when the folder is from
    /// before configurations held their recipe, and those of [`differences_from`](Self::differences_from).
    pub fn check_same_run(&self, held: &str, path: &Path) -> Result<(), RunsError> {
        let differences = self.differences_from(held)?;
        if differences.is_empty() {
            return Ok(());
        }
        let lacks = |entry: &str| {
            let lacking = |each: &Difference| each.path == entry && each.held.is_none();
            differences.iter().any(lacking)
        };
        let missing = ["recipe", "task"].into_iter().find(|entry| lacks(entry));
        Err(match missing {
            Some(missing) => RunsError::Outdated {
                path: path.to_owned(),
                file: CONFIG,
                missing,
            },
            None => RunsError::Configuration {
                path: path.to_owned(),
                differences,
            },
        })
    }
}
