//! Reads the run folders of one experiment and writes its report.
//!
//! [`report`] takes `runs/<experiment>` and writes `runs/<experiment>/report`:
//!
//! ```text
//! index.html     the report: self-contained, inline figures, no network, no script
//! figures/*.svg  the figures one by one
//! tables/*.csv   the numbers for people and spreadsheets
//! summary.json   the numbers for scripts
//! ```
//!
//! The way of the numbers: `folder` reads and checks, `results` aggregates over seeds, `verdicts` holds the
//! results against the claims, `figures`, `tables`, `prose` and `page` write. A run without `DONE` is
//! shown and marked; it enters the means of an arm only while that arm has no finished run, and never a
//! verdict.
//!
//! [`LinePlot`], [`HeatMap`] and [`Sheet`] show other measurements than learning curves, in the same look.

mod error;
mod figures;
mod folder;
mod numbers;
mod page;
mod prose;
mod results;
mod sheet;
mod style;
mod tables;
mod verdicts;
mod write;

use std::path::{Path, PathBuf};

pub use error::ReportError;
pub use figures::{HeatMap, Line, LinePlot, Stroke};
pub use sheet::Sheet;

/// Writes the report of the experiment in `dir`, that is `runs/<experiment>`, to `dir/report` and returns
/// the path of its `index.html`. Every file is written to a temporary name and renamed.
///
/// # Errors
/// When `dir` is no folder of an experiment with at least one evaluated run, a file in it is unreadable or
/// torn (a torn last line of an unfinished run is left out with a note), or the report cannot be
/// written.
pub fn report(dir: &Path) -> Result<PathBuf, ReportError> {
    let folder = folder::Folder::read(dir)?;
    let results = results::Results::of(&folder);
    let figures = figures::all(&folder)?;

    let target = dir.join("report");
    write::text(&target.join("summary.json"), &results.to_json()?)?;
    for (name, table) in tables::all(&folder, &results)? {
        write::bytes(&target.join("tables").join(name), &table)?;
    }
    for panel in figures.iter().flat_map(|figure| &figure.panels) {
        let path = target.join("figures").join(format!("{}.svg", panel.name));
        write::text(&path, &panel.standalone)?;
    }
    let index = target.join("index.html");
    write::text(&index, &page::html(&folder, &results, &figures))?;
    Ok(index)
}
