//! The configuration of a run in a folder.

use gradual_runs::{RunConfig, SCHEMA};
use serde_json::json;

/// Of so many steps of 32 examples.
pub(crate) fn written(steps: u64) -> RunConfig {
    RunConfig {
        schema: SCHEMA,
        experiment: "products".into(),
        arm: "means".into(),
        seed: 3,
        steps,
        draw: 32,
        backend: "flex".into(),
        task: json!({}),
        recipe: json!({}),
        settings: json!({}),
    }
}
