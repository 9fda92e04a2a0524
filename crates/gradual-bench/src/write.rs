//! The files of a measurement.

use std::path::Path;

use anyhow::Context;

use crate::measured::Measured;

/// Makes the folder `out` and writes every measurement to `raw.jsonl` in it.
pub(crate) fn write_raw(out: &Path, all: &[Measured]) -> anyhow::Result<()> {
    std::fs::create_dir_all(out).with_context(|| out.display().to_string())?;
    let raw: Vec<String> = all
        .iter()
        .map(serde_json::to_string)
        .collect::<Result<_, _>>()?;
    replace(&out.join("raw.jsonl"), &(raw.join("\n") + "\n"))
}

/// Writes a whole file under a temporary name and renames it.
pub(crate) fn replace(file: &Path, text: &str) -> anyhow::Result<()> {
    let mut temporary = file.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = Path::new(&temporary);
    std::fs::write(temporary, text)
        .and_then(|()| std::fs::rename(temporary, file))
        .with_context(|| format!("could not write {}", file.display()))
}
