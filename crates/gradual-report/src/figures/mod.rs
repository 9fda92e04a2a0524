//! The figures of the report, each a row of small panels; and the plot of lines for other programs.

mod axis;
mod canvas;
mod curves;
mod heat;
mod plot;
mod series;
mod shares;
mod spectrum;
mod tax;
mod times;

pub(crate) use canvas::escape;
pub use heat::HeatMap;
pub use plot::{Line, LinePlot, Stroke};

use crate::ReportError;
use crate::folder::Folder;

/// One figure: panels that share their axes.
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    /// How to read it.
    pub(crate) caption: String,
    /// The ends of the colour ramp, where the figure uses it and its panels do not say.
    pub(crate) legend: Option<[String; 2]>,
    pub(crate) panels: Vec<Panel>,
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

/// All figures for which there is something to show.
pub(crate) fn all(folder: &Folder) -> Result<Vec<Figure>, ReportError> {
    let figures = [
        curves::figure(folder)?,
        times::figure(folder)?,
        shares::figure(folder)?,
        spectrum::figure(folder)?,
        tax::figure(folder)?,
    ];
    Ok(figures
        .into_iter()
        .filter(|figure| !figure.panels.is_empty())
        .collect())
}
