//! The numbers behind a claim: a row of dots for each arm.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{self, Layout, LinearAxis, LogAxis};
use super::canvas::{Frame, line, text};
use super::svg::px;
use crate::ReportError;
use crate::numbers::{number, steps, tick};
use crate::style::{self, INK, MUTED};
use crate::text::shorten;

/// One metric in several arms.
pub(crate) struct Dots<'a> {
    /// File name without extension.
    pub(crate) name: &'a str,
    pub(crate) metric: &'a str,
    /// Names, and numbers by seed.
    pub(crate) arms: Vec<(&'a str, Vec<(u64, f64)>)>,
    /// Where the claim says that the first arm must be, seen from the last: drawn for each seed.
    pub(crate) limit: Option<f64>,
}

/// The dots as an SVG document that stands alone. A thick line is the geometric mean of a row.
pub(crate) fn dots(shown: &Dots<'_>) -> Result<String, ReportError> {
    let positive = |value: &f64| *value > 0.0;
    let values = || shown.arms.iter().flat_map(|arm| &arm.1).map(|one| one.1);
    let x = LogAxis::over(values().chain(shown.limit).filter(positive), tick);
    let rows = shown.arms.len();
    let frame = Frame {
        figure: shown.name,
        arm: "",
        about: format!("{} by arm and seed", shown.metric),
        size: (560, 56 + 26 * rows as u32),
        legend: None,
    };
    let layout = Layout {
        x_label: shown.metric,
        y_label: "",
        left: 130.0,
        y_ticks: false,
    };
    let panel = frame.draw(|area, hits| {
        let y = LinearAxis::new(0.5 - rows as f64, 0.5, steps);
        axis::chart(area, &layout, (x, y), |chart| {
            if let Some(limit) = shown.limit.filter(positive) {
                let pole = [(limit, 0.5 - rows as f64), (limit, 0.5)];
                chart.draw_series(DashedLineSeries::new(pole, 12, 12, line(1.0, MUTED)))?;
            }
            for (index, (name, values)) in shown.arms.iter().enumerate() {
                let row = -(index as f64);
                let colour = style::arm(index);
                let letters = text(11.0, INK, HPos::Right, VPos::Center);
                chart.plotting_area().draw(
                    &(EmptyElement::at((x.low(), row))
                        + Text::new(shorten(name, 20), (-px(6.0), 0), letters)),
                )?;
                let sound: Vec<(u64, f64)> =
                    values.iter().copied().filter(|one| one.1 > 0.0).collect();
                for &(seed, value) in &sound {
                    let place = (value, row);
                    let dot = Circle::new(place, px(4.0), colour.mix(0.6).filled());
                    chart.draw_series([dot])?;
                    let title = format!("{name}, seed {seed}: {}", number(value));
                    hits.circle(chart.plotting_area().map_coordinate(&place), 5.0, &title);
                }
                if !sound.is_empty() {
                    let logs = sound.iter().map(|one| one.1.ln()).sum::<f64>();
                    let mean = (logs / sound.len() as f64).exp();
                    let mark = [(mean, row - 0.3), (mean, row + 0.3)];
                    chart.draw_series(LineSeries::new(mark, line(2.5, colour)))?;
                }
            }
            Ok(())
        })
    })?;
    Ok(panel.standalone)
}
