//! Panels with a row for every capability.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Chart, LinearAxis};
use super::canvas::{Drawn, text};
use super::series::Order;
use super::svg::px;
use crate::numbers::steps;
use crate::style::MUTED;
use crate::text::width;

/// The height of a row in pixels: rows of 20 capabilities stay readable.
pub(super) const ROW: f64 = 15.0;

/// The width of a letter of a name in pixels.
const LETTER: f64 = 6.8;

/// Room for the names in pixels.
pub(super) fn left(order: &Order) -> f64 {
    let longest = order.labels.iter().map(|label| width(label)).max();
    (longest.unwrap_or_default() as f64 * LETTER + 8.0).max(30.0)
}

/// The size of a panel with this many rows.
pub(super) fn size(rows: usize) -> (u32, u32) {
    (360, 74 + (rows as f64 * ROW) as u32)
}

/// Rows run downwards: the first capability stands on top, at 0, the next at −1.
pub(super) fn axis(rows: usize) -> LinearAxis {
    LinearAxis::new(0.5 - rows as f64, 0.5, steps)
}

/// Writes the label of a row to the left of the axes, which begin at `low`.
pub(super) fn label<X>(
    chart: &mut Chart<'_, '_, X, LinearAxis>,
    low: f64,
    row: f64,
    label: &str,
) -> Drawn
where
    X: plotters::coord::ranged1d::Ranged<ValueType = f64>,
{
    let style = text(11.0, MUTED, HPos::Right, VPos::Center);
    let label = Text::new(label.to_owned(), (-px(5.0), 0), style);
    chart
        .plotting_area()
        .draw(&(EmptyElement::at((low, row)) + label))?;
    Ok(())
}
