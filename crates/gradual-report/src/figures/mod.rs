//! The figures of the report, each a row of small panels; and the plot of lines for other programs.

mod axis;
mod canvas;
mod centre;
mod churn;
mod claim;
mod compact;
mod curves;
mod flow;
mod front;
mod heat;
mod hits;
mod legend;
mod looks;
mod overlay;
mod places;
mod plot;
mod predicted;
mod raster;
mod rows;
mod series;
mod shares;
mod signs;
mod sizes;
mod spectrum;
mod strength;
mod svg;
mod threshold;
mod times;

pub(crate) use claim::{Dots, dots};
pub use heat::HeatMap;
pub use plot::{Line, LinePlot, Stroke};

use std::collections::BTreeSet;

use gradual_measure::Measure;

use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::whole;
use crate::stop::Stop;
use crate::table::Table;
use hits::Hits;

/// One figure: panels that share their axes.
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    /// How to read it.
    pub(crate) caption: String,
    /// What the colours of the ramp mean.
    pub(crate) legend: Option<Legend>,
    pub(crate) panels: Vec<Panel>,
    /// The numbers that are shown.
    pub(crate) data: Table,
    /// Whether it is folded away at first.
    pub(crate) aside: bool,
}

/// What the colours of the ramp mean.
pub(crate) enum Legend {
    /// Its ends.
    Ends([String; 2]),
    /// Names, each with its place on the ramp from 0 to 1.
    Names(Vec<(String, f64)>),
}

/// One drawing.
pub(crate) struct Panel {
    /// File name without extension.
    pub(crate) name: String,
    /// Label of the arm that it shows; empty where it shows several.
    pub(crate) arm: String,
    /// SVG with CSS variables as colours, up to what can be pointed at.
    pub(super) inline: String,
    /// What can be pointed at.
    pub(super) hits: Hits,
    /// SVG to stand alone.
    pub(crate) standalone: String,
    /// Width in pixels at full size.
    pub(crate) width: u32,
}

impl Panel {
    /// SVG with CSS variables as colours, in which at most `most` things can be pointed at.
    pub(crate) fn inline(&self, most: usize) -> String {
        format!("{}{}</svg>\n", self.inline, self.hits.svg(most))
    }

    /// How many things can be pointed at.
    pub(crate) fn pointed(&self) -> usize {
        self.hits.count()
    }
}

/// That points are left out of a drawing, where some are.
fn not_drawn(points: usize) -> String {
    match points {
        0 => String::new(),
        1 => " 1 point, between those that are drawn, is left out.".to_owned(),
        more => format!(
            " {} points, evenly among those that are drawn, are left out.",
            whole(more)
        ),
    }
}

/// All figures for which there is something to show, the headline first.
pub(crate) fn all(folder: &Folder, stop: &Stop) -> Result<Vec<Figure>, ReportError> {
    type Draw = fn(&Folder) -> Result<Figure, ReportError>;
    // Each with whether it compares capabilities with each other.
    let draw: [(bool, Draw); 17] = [
        (false, front::figure),
        (false, strength::figure),
        (true, sizes::figure),
        (false, |folder| curves::figure(folder, Measure::Accuracy)),
        (true, raster::figure),
        (false, overlay::figure),
        (true, times::figure),
        (false, threshold::figure),
        (false, |folder| curves::figure(folder, Measure::Loss)),
        (false, |folder| curves::figure(folder, Measure::Probability)),
        (false, |folder| curves::figure(folder, Measure::Progress)),
        (false, predicted::figure),
        (true, flow::figure),
        (false, churn::figure),
        (true, shares::figure),
        (false, signs::figure),
        (false, spectrum::figure),
    ];
    let several = folder.has_several_capabilities();
    let mut figures = Vec::new();
    for (compares, figure) in draw {
        stop.check()?;
        if several || !compares {
            figures.push(figure(folder)?);
        }
    }
    figures.retain(|figure| !figure.panels.is_empty());
    let panels = figures.iter_mut().flat_map(|figure| &mut figure.panels);
    name_apart(panels.map(|panel| &mut panel.name));
    Ok(figures)
}

/// Gives a name that is taken, in large or small letters, a number.
pub(crate) fn name_apart<'a>(names: impl Iterator<Item = &'a mut String>) {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for name in names {
        let numbered = (2..).map(|number: usize| format!("{name}-{number}"));
        let mut all = std::iter::once(name.clone()).chain(numbered);
        let free = all.find(|one| taken.insert(one.to_lowercase()));
        *name = free.unwrap_or_default();
    }
}
