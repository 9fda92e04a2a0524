//! Panels with a row for every capability.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{Chart, LinearAxis};
use super::canvas::{Drawn, shorten, text};
use super::series::Order;
use super::svg::px;
use crate::numbers::steps;
use crate::style::MUTED;

/// The height of a row in pixels: rows of 20 capabilities stay readable.
pub(super) const ROW: f64 = 15.0;

/// Characters of a name that are shown.
const LONGEST: usize = 14;

/// Room for the names in pixels.
pub(super) fn left(order: &Order) -> f64 {
    let longest = order.names.iter().map(|name| name.chars().count()).max();
    (longest.unwrap_or_default().min(LONGEST) as f64 * 6.0 + 8.0).max(30.0)
}

/// The size of a panel with this many rows.
pub(super) fn size(rows: usize) -> (u32, u32) {
    (360, 74 + (rows as f64 * ROW) as u32)
}

/// Rows run downwards: the first capability stands on top, at 0, the next at −1.
pub(super) fn axis(rows: usize) -> LinearAxis {
    LinearAxis::new(0.5 - rows as f64, 0.5, steps)
}

/// Writes the name of a row to the left of the axes, which begin at `low`.
pub(super) fn label<X>(
    chart: &mut Chart<'_, '_, X, LinearAxis>,
    low: f64,
    row: f64,
    name: &str,
) -> Drawn
where
    X: plotters::coord::ranged1d::Ranged<ValueType = f64>,
{
    let style = text(11.0, MUTED, HPos::Right, VPos::Center);
    let name = Text::new(shorten(name, LONGEST), (-px(5.0), 0), style);
    chart
        .plotting_area()
        .draw(&(EmptyElement::at((low, row)) + name))?;
    Ok(())
}
