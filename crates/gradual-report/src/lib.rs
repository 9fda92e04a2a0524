//! Reads the run folders of experiments and writes their report.
//!
//! [`report`] takes `runs/<experiment>` and writes `runs/<experiment>/report`; [`Report`] compares several
//! experiments and has options.
//!
//! ```text
//! index.html     the report: self-contained, inline figures, no network
//! figures/*.svg  the figures one by one, and the numbers behind each as figures/*.csv
//! tables/*.csv   the numbers for people and spreadsheets
//! tensorboard/   event files, when asked for
//! summary.json   the numbers for scripts
//! ```
//!
//! The flow of the data: `folder` reads and checks, `results` aggregates over seeds, `verdicts` judges the claims by
//! the results, `figures`, `tables`, `prose` and `page` write. A run without `DONE` is
//! shown and marked; it enters the means of an arm only while that arm has no finished run, and never a
//! verdict. [`claims`] writes the verdicts of several experiments as a page of documentation.
//!
//! [`LinePlot`], [`HeatMap`] and [`Sheet`] show other measurements than learning curves, in the same look.

mod claims;
mod column;
mod error;
mod figures;
mod folder;
mod numbers;
mod page;
#[cfg(feature = "parquet")]
mod parquet;
mod prose;
mod results;
mod sheet;
mod style;
mod table;
mod tables;
mod tensorboard;
mod verdicts;
mod write;

use std::path::{Path, PathBuf};

pub use claims::claims;
pub use error::ReportError;
pub use figures::{HeatMap, Line, LinePlot, Stroke};
pub use sheet::Sheet;

use table::Table;

/// Writes the report of the experiment in `dir`, that is `runs/<experiment>`, to `dir/report` and returns
/// the path of its `index.html`. Every file is written to a temporary name and renamed.
///
/// # Errors
/// When `dir` is no folder of an experiment with at least one evaluated run, a file in it is unreadable or
/// torn (a torn last line of an unfinished run is left out with a note), or the report cannot be
/// written.
pub fn report(dir: &Path) -> Result<PathBuf, ReportError> {
    Report::of([dir]).write()
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `index.html` and the figures as SVG.
    Html,
    /// Tables and the numbers behind each figure as comma-separated values.
    Csv,
    /// The same as Parquet files. Needs the feature `parquet` of this crate.
    Parquet,
}

/// A report of one experiment, or of several side by side.
///
/// ```no_run
/// use gradual_report::{Format, Report};
///
/// let page = Report::of(["runs/sparse-parity", "runs/skills"])
///     .with_formats(&[Format::Html, Format::Csv])
///     .with_out("runs/both")
///     .write()?;
/// # Ok::<(), gradual_report::ReportError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Report {
    dirs: Vec<PathBuf>,
    formats: Vec<Format>,
    tensorboard: bool,
    out: Option<PathBuf>,
}

impl Report {
    /// A report of the experiments in `dirs`, each `runs/<experiment>`, as HTML and CSV.
    ///
    /// With more than one, arms are named `<experiment>/<arm>`, each is compared with the baseline of its own
    /// experiment, and the verdicts are corrected for the claims of all.
    #[must_use]
    pub fn of<P: Into<PathBuf>>(dirs: impl IntoIterator<Item = P>) -> Self {
        Self {
            dirs: dirs.into_iter().map(Into::into).collect(),
            formats: vec![Format::Html, Format::Csv],
            tensorboard: false,
            out: None,
        }
    }

    /// Writes these formats instead. `summary.json` is always written.
    #[must_use]
    pub fn with_formats(mut self, formats: &[Format]) -> Self {
        self.formats = formats.to_vec();
        self
    }

    /// Writes TensorBoard event files too, one folder for each run.
    #[must_use]
    pub fn with_tensorboard(mut self, wanted: bool) -> Self {
        self.tensorboard = wanted;
        self
    }

    /// Writes to this folder. Otherwise that is `report` in the folder of the experiment; for several, `report`
    /// beside the first.
    #[must_use]
    pub fn with_out(mut self, out: impl Into<PathBuf>) -> Self {
        self.out = Some(out.into());
        self
    }

    /// Writes the report and returns the path of `index.html`, or of `summary.json` without one. Every file is
    /// written to a temporary name and renamed.
    ///
    /// # Errors
    /// Those of [`report`]; [`ReportError::NoFolder`] without folders and [`ReportError::Format`] for a format
    /// that this build can't write.
    pub fn write(&self) -> Result<PathBuf, ReportError> {
        let wants = |format| self.formats.contains(&format);
        if wants(Format::Parquet) && !cfg!(feature = "parquet") {
            return Err(ReportError::Format { format: "parquet" });
        }
        let folder = folder::Folder::read_all(&self.dirs)?;
        let results = results::Results::of(&folder);
        let target = self.target();
        let summary = target.join("summary.json");
        write::text(&summary, &results.to_json()?)?;

        let figures = figures::all(&folder)?;
        for table in tables::all(&folder, &results) {
            self.table(&target.join("tables"), &table)?;
        }
        for figure in &figures {
            self.table(&target.join("figures"), &figure.data)?;
        }
        if self.tensorboard {
            tensorboard::write(&folder, &target.join("tensorboard"))?;
        }
        if !wants(Format::Html) {
            return Ok(summary);
        }
        for panel in figures.iter().flat_map(|figure| &figure.panels) {
            let path = target.join("figures").join(format!("{}.svg", panel.name));
            write::text(&path, &panel.standalone)?;
        }
        let index = target.join("index.html");
        let page = page::html(&folder, &results, &figures, wants(Format::Csv));
        write::text(&index, &page)?;
        Ok(index)
    }

    fn target(&self) -> PathBuf {
        match (&self.out, &self.dirs[..]) {
            (Some(out), _) => out.clone(),
            (None, [one]) => one.join("report"),
            (None, dirs) => {
                let beside = dirs.first().and_then(|dir| dir.parent());
                beside.unwrap_or(Path::new("")).join("report")
            }
        }
    }

    fn table(&self, folder: &Path, table: &Table) -> Result<(), ReportError> {
        let path = |extension: &str| folder.join(format!("{}.{extension}", table.name));
        if self.formats.contains(&Format::Csv) {
            write::bytes(&path("csv"), &table.csv()?)?;
        }
        #[cfg(feature = "parquet")]
        if self.formats.contains(&Format::Parquet) {
            write::bytes(&path("parquet"), &parquet::bytes(table)?)?;
        }
        Ok(())
    }
}
