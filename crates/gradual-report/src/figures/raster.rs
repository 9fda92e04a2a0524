//! The emergence raster: skill of every capability (down) over time (across), a panel per arm.

use gradual_measure::{Curve, Measure};
use plotters::prelude::*;

use super::Figure;
use super::axis::{self, Layout, LinearAxis};
use super::canvas::Frame;
use super::rows;
use super::series::{self, Order};
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::{number, steps};
use crate::style;
use crate::table::Table;

/// Columns.
const COLUMNS: usize = 72;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let mut data = Table::new("raster", &["arm", "capability", "step", "skill"]);
    let mut panels = Vec::new();
    let ends = ["skill 0".to_owned(), "1".to_owned()];
    for arm in folder.shown().filter(|arm| folder.end_of(arm) > 0.0) {
        let end = folder.end_of(arm);
        let (width, height) = rows::size(order.names.len());
        let frame = Frame {
            figure: "raster",
            arm: &arm.label,
            about: format!("Skill of every capability over time, arm {}", arm.name),
            // The colour bar takes its room below.
            size: (width, height + 16),
            legend: Some(&ends),
        };
        let layout = Layout {
            x_label: "step",
            y_label: "",
            left: rows::left(&order),
            y_ticks: false,
        };
        let runs = arm.counted();
        panels.push(frame.draw(|area, hits| {
            let axes = (
                LinearAxis::new(0.0, end, steps),
                rows::axis(order.names.len()),
            );
            axis::chart(area, &layout, axes, |chart| {
                for (index, name) in order.names.iter().enumerate() {
                    let row = -(index as f64);
                    rows::label(chart, 0.0, row, &order.labels[index])?;
                    let curves: Vec<Curve> = runs
                        .iter()
                        .filter_map(|run| run.curves.capability(name)?.by(Measure::Accuracy))
                        .map(|skill| skill.from_origin(0.0))
                        .collect();
                    let Some(mean) = series::mean(&curves) else {
                        continue;
                    };
                    let edge = |column: usize| end * column as f64 / COLUMNS as f64;
                    let middle = |column: usize| (edge(column) + edge(column + 1)) / 2.0;
                    // Nothing is shown after the end of an arm that is shorter than others.
                    let cells: Vec<(f64, RGBColor)> = (0..COLUMNS)
                        .take_while(|&column| middle(column) <= mean.last_step())
                        .map(|column| {
                            let value = mean.at(middle(column));
                            (value, style::ramp(value))
                        })
                        .collect();
                    let mut column = 0;
                    // Neighbours of one colour are one rectangle.
                    for run in cells.chunk_by(|one, other| one.1 == other.1) {
                        let (from, to) = (edge(column), edge(column + run.len()));
                        column += run.len();
                        let corners = [(from, row - 0.46), (to, row + 0.46)];
                        // A little into the next one hides the seam.
                        let over = if column < COLUMNS { end * 0.002 } else { 0.0 };
                        let drawn = [corners[0], (to + over, row + 0.46)];
                        chart.draw_series([Rectangle::new(drawn, run[0].1.filled())])?;
                        let place = corners.map(|at| chart.plotting_area().map_coordinate(&at));
                        let (first, last) = (run[0].0, run[run.len() - 1].0);
                        let title = format!(
                            "{name}, step {} to {}: {} to {}",
                            number(from),
                            number(to),
                            number(first),
                            number(last)
                        );
                        hits.rectangle(place[0], place[1], &title);
                    }
                    for (column, (value, _)) in cells.iter().enumerate() {
                        data.push([
                            arm.name.as_str().into(),
                            name.as_str().into(),
                            middle(column).into(),
                            (*value).into(),
                        ]);
                    }
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Emergence raster",
        caption: format!(
            "Skill of every capability (a row each, frequent ones on top) over time, mean over seeds. Together is a \
             vertical edge, one after the other a slanted one; sudden is a sharp edge, gradual a soft one.{}",
            order.sampled()
        ),
        legend: None,
        panels,
        data,
        aside: false,
    })
}
