//! What programs the runs were made with, and on which machines.

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
    /// Runs by machine.
    machines: BTreeMap<String, usize>,
}

/// What tells one machine from another, where that was written down.
const MACHINE: [&str; 4] = ["device", "os", "arch", "cores"];

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
        let said = |key: &&str| match found.get(key) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(format!("{number} {key}")),
            _ => None,
        };
        let machine: Vec<String> = MACHINE.iter().filter_map(said).collect();
        if !machine.is_empty() {
            *self
                .machines
                .entry(shorten(&machine.join(", "), 100))
                .or_default() += 1;
        }
        self.first.get_or_insert(found);
    }

    /// Whether seconds of one run are those of another: they are not on different machines.
    pub(super) fn are_timed_alike(&self) -> bool {
        self.machines.len() < 2
    }

    /// That several versions made the runs, or several machines, where they did.
    pub(super) fn notes(&self) -> impl Iterator<Item = String> {
        let versions = each(&self.runs, "by")
            .map(|each| format!("Different versions of the program made the runs: {each}."));
        let machines = each(&self.machines, "on").map(|each| {
            format!("The runs were made on different machines or devices, and how long they took is not compared: {each}.")
        });
        versions.into_iter().chain(machines)
    }
}

/// How many runs are of each, where there are several.
fn each(runs: &BTreeMap<String, usize>, word: &str) -> Option<String> {
    let each = runs
        .iter()
        .map(|(one, &number)| format!("{} {word} {one}", count(number, "run", "runs")));
    let each: Vec<String> = each.collect();
    (each.len() > 1).then(|| each.join("; "))
}
