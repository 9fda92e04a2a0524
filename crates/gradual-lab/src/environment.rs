//! What a run was made with.

use gradual_backends::backend::Backend;
use serde_json::{Value, json};

/// The content of `environment.json`.
pub(crate) fn environment(backend: &Backend) -> Value {
    json!({
        "schema": gradual::runs::SCHEMA,
        "gradual": env!("CARGO_PKG_VERSION"),
        "burn": "0.22.1",
        "backend": backend.name,
        "device": backend.description,
        "os": std::env::consts::OS,
        "arch": std::env::consts::ARCH,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
    })
}
