//! What programs the runs were made with.

use std::collections::BTreeMap;
use std::path::Path;

use gradual_runs::files::{self, ENVIRONMENT};
use serde_json::Value;

use crate::numbers::count;
use crate::text::shorten;

/// The machines and programs that runs were made with, as `environment.json` has them.
#[derive(Default)]
pub(super) struct Programs {
    /// That of the first run that has one.
    pub(super) first: Option<Value>,
    /// Runs by version and commit.
    runs: BTreeMap<String, usize>,
}

impl Programs {
    /// Adds that of the run in a folder, if it has one.
    pub(super) fn add(&mut self, run: &Path) {
        let text = files::text(&run.join(ENVIRONMENT)).unwrap_or_default();
        let Ok(found) = serde_json::from_str::<Value>(&text) else {
            return;
        };
        let of = |key: &str| found.get(key).and_then(Value::as_str);
        if let Some(version) = of("gradual") {
            let commit = of("commit").map(|commit| format!(" ({commit})"));
            let said = format!("{version}{}", commit.unwrap_or_default());
            *self.runs.entry(shorten(&said, 64)).or_default() += 1;
        }
        self.first.get_or_insert(found);
    }

    /// That several versions made the runs, where they did.
    pub(super) fn note(&self) -> Option<String> {
        let each = self
            .runs
            .iter()
            .map(|(version, &runs)| format!("{} by {version}", count(runs, "run", "runs")));
        let each: Vec<String> = each.collect();
        (each.len() > 1).then(|| {
            format!(
                "Different versions of the program made the runs: {}.",
                each.join(", ")
            )
        })
    }
}
