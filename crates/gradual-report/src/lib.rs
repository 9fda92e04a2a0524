#![doc = include_str!("../README.md")]
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
//! files.json     the list of these files, by which the next report knows that it may replace them
//! ```
//!
//! The report is written into a hidden folder beside its place and put there as a whole ([`ReportFolder`]): who looks
//! sees the old report or the new one, also with several at once, and also where one fails or is stopped.
//!
//! The page has a size that does not grow with the experiment: of very many arms, capabilities, groups, seeds or
//! evaluations figures and tables show a part, and say so; files beside it hold all.
//!
//! The flow of the data: `folder` reads and checks, `results` aggregates over seeds, `verdicts` judges the claims by
//! the results, `figures`, `tables`, `prose` and `page` write. A run without `DONE` is
//! shown and marked; it enters the means of an arm only while that arm has no finished run, and never a
//! verdict. [`claims`] writes the verdicts of several experiments as a page of documentation.
//!
//! [`LinePlot`], [`HeatMap`] and [`Sheet`] show other measurements than learning curves, in the same look.

mod claims;
mod column;
pub mod command;
mod error;
mod figures;
mod folder;
mod heard;
mod index;
mod numbers;
mod order;
mod output;
mod page;
#[cfg(feature = "parquet")]
mod parquet;
mod prose;
mod results;
mod sheet;
mod stop;
mod style;
mod table;
mod tables;
mod tensorboard;
mod text;
mod verdicts;
mod watch;

use std::path::{Path, PathBuf};

pub use claims::claims;
pub use error::ReportError;
pub use figures::{HeatMap, Line, LinePlot, Stroke};
pub use index::{Indexed, check_index, index};
pub use output::ReportFolder;
pub use sheet::Sheet;
pub use tensorboard::EventFile;

use heard::Heard;
use output::{Written, is_of_groups};
use stop::Stop;
pub use table::csv_cell;

use table::Table;

/// How often runs are read again because another report of them came meanwhile.
const READINGS: usize = 3;

/// Writes the report of the experiment in `dir`, that is `runs/<experiment>`, to `dir/report` and returns
/// the path of its `index.html`.
///
/// # Errors
/// When `dir` is no folder of an experiment with at least one evaluated run, a file in it is unreadable or
/// torn (a torn last line of an unfinished run is left out with a note), its runs can't be compared
/// ([`ReportError::Incomparable`]), or the report cannot be written. What was there before then stays.
pub fn report(dir: &Path) -> Result<PathBuf, ReportError> {
    Report::new([dir]).write()
}

/// The content of `summary.json` in the report of the experiment in `dir`, without writing a report: the numbers of every
/// run and arm, their effects against the baseline, shares and verdicts.
///
/// # Errors
/// Those of [`report`] on what is read.
pub fn summary(dir: &Path) -> Result<String, ReportError> {
    let folder = folder::Folder::read(dir, false, &Stop::default())?;
    results::Results::of(&folder).to_json()
}

/// What a report is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `index.html` and the figures as SVG.
    Html,
    /// Tables and the numbers behind each figure as comma-separated values. A text that a spreadsheet would take for a
    /// formula (it begins with `=`, `+`, `-`, `@`, a tab or a line break) has an apostrophe before it.
    Csv,
    /// The same as Parquet files. Needs the feature `parquet` of this crate.
    Parquet,
}

/// A report of one experiment, or of several side by side.
///
/// ```no_run
/// use gradual_report::{Format, Report};
///
/// let page = Report::new(["runs/sparse-parity", "runs/skills"])
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
    without_verdicts: bool,
    stop: Stop,
    heard: Heard,
}

impl Report {
    /// A report of the experiments in `dirs`, each `runs/<experiment>`, as HTML and CSV.
    ///
    /// With more than one, arms are named `<experiment>/<arm>`, each is compared with the baseline of its own
    /// experiment, and the verdicts are corrected for the claims of all.
    #[must_use]
    pub fn new<P: Into<PathBuf>>(dirs: impl IntoIterator<Item = P>) -> Self {
        Self {
            dirs: dirs.into_iter().map(Into::into).collect(),
            formats: vec![Format::Html, Format::Csv],
            tensorboard: false,
            out: None,
            without_verdicts: false,
            stop: Stop::default(),
            heard: Heard::default(),
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
    /// beside the first. What is there may only be a report, which is replaced ([`ReportFolder`]).
    #[must_use]
    pub fn with_out(mut self, out: impl Into<PathBuf>) -> Self {
        self.out = Some(out.into());
        self
    }

    /// Judges no claim and compares no arm with the baseline. Then runs may be shown together that can't be compared,
    /// such as runs on different data; a note names a difference.
    #[must_use]
    pub fn without_verdicts(mut self, without: bool) -> Self {
        self.without_verdicts = without;
        self
    }

    /// Stops once `asked` says so: it is asked between runs, figures and files, and last before the report is put in
    /// its place. [`write`](Self::write) then returns [`ReportError::Interrupted`].
    #[must_use]
    pub fn interrupted_by(mut self, asked: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        self.stop = Stop::when(asked);
        self
    }

    /// Tells `listener` the notes that stand in the report, such as arms without a run: the first ten, and how many more there are.
    #[must_use]
    pub fn noting(mut self, listener: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.heard = Heard::by(listener);
        self
    }

    /// Writes the report and returns the path of `index.html`, or of `summary.json` without one.
    ///
    /// # Errors
    /// Those of [`report`]; [`ReportError::NoFolder`] without folders, [`ReportError::Format`] for a format
    /// that this build can't write, [`ReportError::Foreign`] when something that is no report is in its place,
    /// [`ReportError::OfGroups`] when one is that compares found groups, and [`ReportError::Interrupted`]. Whatever the error, what was there before stays as it was.
    pub fn write(&self) -> Result<PathBuf, ReportError> {
        let wants = |format| self.formats.contains(&format);
        if wants(Format::Parquet) && !cfg!(feature = "parquet") {
            return Err(ReportError::Format { format: "parquet" });
        }
        folder::check_all(&self.dirs)?;
        let target = ReportFolder::check(&self.target())?;
        if is_of_groups(&target) {
            return Err(ReportError::OfGroups { path: target });
        }
        let mut readings = 1..READINGS;
        loop {
            // The last one stays, whatever came meanwhile.
            let before = readings.next().map(|_| Written::at(&target));
            if let Some(page) = self.write_to(&target, before)? {
                return Ok(page);
            }
        }
    }

    /// Writes the report as the folder `target`; none where another one has come there since the one `before`, which may have seen more
    /// of the runs.
    fn write_to(
        &self,
        target: &Path,
        before: Option<Written>,
    ) -> Result<Option<PathBuf>, ReportError> {
        let wants = |format| self.formats.contains(&format);
        let folder = folder::Folder::read_all(&self.dirs, self.without_verdicts, &self.stop)?;
        let results = results::Results::of(&folder);
        let mut figures = figures::all(&folder, &self.stop)?;

        let mut report = ReportFolder::new(target)?;
        report.write("summary.json", results.to_json()?)?;
        for table in tables::all(&folder, &results) {
            self.table(&mut report, "tables", &table)?;
        }
        for figure in &mut figures {
            self.table(&mut report, "figures", &figure.data)?;
            figure.data.rows = Vec::new();
        }
        if self.tensorboard {
            tensorboard::write(&folder, &mut report, &self.stop)?;
        }
        let first = if wants(Format::Html) {
            for panel in figures.iter().flat_map(|figure| &figure.panels) {
                let name = format!("figures/{}.svg", panel.name);
                self.stop.check()?;
                report.write(&name, &panel.standalone)?;
            }
            let page = page::html(&folder, &results, &figures, wants(Format::Csv));
            report.write("index.html", page)?;
            "index.html"
        } else {
            "summary.json"
        };
        let goes_on = || self.stop.check().is_ok();
        self.stop.check()?;
        let Some(place) = report.swap_after(before, goes_on)? else {
            return Ok(None);
        };
        self.heard.tell(&folder.notes);
        Ok(Some(place.join(first)))
    }

    /// Writes the claims of the experiments to the Markdown file `page`, as [`claims`] does.
    ///
    /// # Errors
    /// Those of [`claims`], and [`ReportError::Interrupted`].
    pub fn write_claims(&self, page: &Path) -> Result<(), ReportError> {
        claims::write(&self.dirs, page, &self.stop)
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

    fn table(
        &self,
        report: &mut ReportFolder,
        part: &str,
        table: &Table,
    ) -> Result<(), ReportError> {
        self.stop.check()?;
        let name = |extension: &str| format!("{part}/{}.{extension}", table.name);
        if self.formats.contains(&Format::Csv) {
            report.write(&name("csv"), table.csv()?)?;
        }
        #[cfg(feature = "parquet")]
        if self.formats.contains(&Format::Parquet) {
            report.write(&name("parquet"), parquet::bytes(table)?)?;
        }
        Ok(())
    }
}
