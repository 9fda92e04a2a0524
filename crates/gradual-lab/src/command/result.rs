//! What came of an experiment, for scripts.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use anyhow::Context as _;
use serde_json::{Value, json};

/// The folder of the runs, the page of their report, its summary, and the verdicts; a report without verdicts, such as
/// that of groups that are compared with known ones, has no summary.
pub(super) fn of(page: &Path) -> anyhow::Result<Value> {
    let report = page.parent().unwrap_or(page);
    let summary = report.join("summary.json");
    let verdicts = match File::open(&summary) {
        Ok(file) => {
            let could_not = || format!("could not read {}", summary.display());
            let read: Value =
                serde_json::from_reader(BufReader::new(file)).with_context(could_not)?;
            let verdicts = read["verdicts"].as_array().cloned().unwrap_or_default();
            Some(verdicts.iter().map(short).collect::<Vec<_>>())
        }
        Err(_) => None,
    };
    // JSON is text, and a path need not be.
    let text = |path: &Path| path.to_string_lossy().into_owned();
    Ok(json!({
        "folder": report.parent().map(text),
        "page": text(page),
        "summary": verdicts.is_some().then_some(text(&summary)),
        "verdicts": verdicts,
    }))
}

fn short(verdict: &Value) -> Value {
    let of = |name: &str| verdict[name].clone();
    json!({
        "statement": of("statement"),
        "arm": of("arm"),
        "baseline": of("baseline"),
        "metric": of("metric"),
        "ratio": verdict["effect"]["ratio"],
        "seeds": verdict["effect"]["seeds"],
        "verdict": of("verdict"),
        "reason": of("reason"),
    })
}
