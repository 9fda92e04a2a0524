//! The figures of the report, each a row of small panels; and the plot of lines for other programs.

mod axis;
mod canvas;
mod churn;
mod claim;
mod curves;
mod flow;
mod heat;
mod hits;
mod legend;
mod overlay;
mod plot;
mod predicted;
mod raster;
mod rows;
mod series;
mod shares;
mod signs;
mod spectrum;
mod svg;
mod tax;
mod threshold;
mod times;

pub(crate) use claim::{Dots, dots};
pub use heat::HeatMap;
pub use plot::{Line, LinePlot, Stroke};
pub(crate) use svg::escape;

use gradual_measure::Measure;

use crate::ReportError;
use crate::folder::Folder;
use crate::table::Table;

/// One figure: panels that share their axes.
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    /// How to read it.
    pub(crate) caption: String,
    /// The ends of the colour ramp, where the figure uses it and its panels do not say.
    pub(crate) legend: Option<[String; 2]>,
    pub(crate) panels: Vec<Panel>,
    /// The numbers that are shown.
    pub(crate) data: Table,
    /// Whether it is folded away at first.
    pub(crate) aside: bool,
}

/// One drawing.
pub(crate) struct Panel {
    /// File name without extension.
    pub(crate) name: String,
    /// SVG with CSS variables as colours.
    pub(crate) inline: String,
    /// SVG to stand alone.
    pub(crate) standalone: String,
    /// Width in pixels at full size.
    pub(crate) width: u32,
}

/// All figures for which there is something to show, the headline first.
pub(crate) fn all(folder: &Folder) -> Result<Vec<Figure>, ReportError> {
    let figures = [
        tax::figure(folder)?,
        curves::figure(folder, Measure::Accuracy)?,
        raster::figure(folder)?,
        overlay::figure(folder)?,
        times::figure(folder)?,
        threshold::figure(folder)?,
        curves::figure(folder, Measure::Loss)?,
        curves::figure(folder, Measure::Probability)?,
        curves::figure(folder, Measure::Progress)?,
        predicted::figure(folder)?,
        flow::figure(folder)?,
        churn::figure(folder)?,
        shares::figure(folder)?,
        signs::figure(folder)?,
        spectrum::figure(folder)?,
    ];
    Ok(figures
        .into_iter()
        .filter(|figure| !figure.panels.is_empty())
        .collect())
}
