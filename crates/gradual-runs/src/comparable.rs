//! Which runs of an experiment may be compared.
//!
//! A verdict says what an arm does to a run, all else equal. So all runs of an experiment have one task with one set of
//! data, one number of examples per step, one backend, one evaluation grid, and equally many steps once a slower arm's
//! slowdown is taken out. Runs of one arm have one recipe.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::config::RunConfig;
use crate::difference::{Difference, differences};
use crate::error::RunsError;

/// The entries in which two runs of an experiment differ and must not, if they are to be compared; none where they may.
#[must_use]
pub fn incomparable(one: &RunConfig, other: &RunConfig) -> Vec<Difference> {
    let same_arm = one.arm == other.arm;
    differences(&shared(one, same_arm), &shared(other, same_arm))
}

/// What has to agree between runs: with the recipe where both are of one arm.
fn shared(config: &RunConfig, recipe: bool) -> Value {
    let slowdown = config.recipe.get("slowdown").and_then(Value::as_u64);
    let slowdown = slowdown.filter(|&slowdown| slowdown > 0).unwrap_or(1);
    let steps = match config.steps.checked_rem(slowdown) {
        Some(0) => json!(config.steps / slowdown),
        _ => json!(config.steps as f64 / slowdown as f64),
    };
    let mut shared = json!({
        "experiment": config.experiment,
        "steps": steps,
        "draw": config.draw,
        "backend": config.backend,
        "task": config.task,
        "settings": config.settings,
    });
    if recipe {
        shared["recipe"] = config.recipe.clone();
    }
    shared
}

/// Refuses runs, each with its folder, of which two can't be compared.
///
/// Every run is compared with the first, and with the first of its arm.
///
/// # Errors
/// [`RunsError::Incomparable`] naming two of them and the entries in which they differ.
pub fn check<'a>(
    runs: impl IntoIterator<Item = (&'a PathBuf, &'a RunConfig)>,
) -> Result<(), RunsError> {
    let mut firsts: Vec<(&PathBuf, &RunConfig)> = Vec::new();
    for (folder, config) in runs {
        let of_arm = firsts.iter().find(|(_, first)| first.arm == config.arm);
        for (other, first) in firsts.first().into_iter().chain(of_arm) {
            let differences = incomparable(first, config);
            if !differences.is_empty() {
                return Err(RunsError::Incomparable {
                    one: (*other).clone(),
                    other: folder.clone(),
                    differences,
                });
            }
        }
        if of_arm.is_none() {
            firsts.push((folder, config));
        }
    }
    Ok(())
}
