//! The files of a measurement.

use std::path::Path;

use anyhow::Context;
use gradual::runs::files::replace;

use crate::measured::Measured;

/// Makes the folder `out` and writes every measurement to `raw.jsonl` in it.
pub(crate) fn write_raw(out: &Path, all: &[Measured]) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let raw: Vec<String> = all
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    Ok(replace(&out.join("raw.jsonl"), raw.join("\n") + "\n")?)
}
