//! Singular values of the gradients at a few steps, with what the estimators of the number of groups make of
//! them, a panel per arm.

use std::collections::BTreeMap;

use gradual_runs::GroupingRecord;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::Figure;
use super::axis::{self, Layout, LogAxis};
use super::canvas::{Frame, line, text};
use super::hits::thinned;
use super::series;
use super::svg::px;
use crate::ReportError;
use crate::folder::{Arm, Folder};
use crate::numbers::{number, steps, tick};
use crate::style::{self, MUTED};
use crate::table::{Cell, Table};
use crate::text::shorten;

/// Columns of pixels of a panel.
const COLUMNS: usize = 80;
/// Points of a line that can be pointed at.
const POINTED: usize = 48;
/// Height of a line of what the estimators said, above the axes, its left end, and its letters at most.
const ROW: f64 = 12.0;
const LEFT: f64 = 8.0;
const LETTERS: usize = 70;
/// How many steps are shown.
const SHOWN: usize = 5;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let arms: Vec<(&Arm, Vec<&GroupingRecord>)> = folder
        .shown()
        .map(|arm| (arm, shown(arm)))
        .filter(|(_, lines)| !lines.is_empty())
        .collect();
    let values = || {
        let lines = arms.iter().flat_map(|(_, lines)| lines);
        lines.flat_map(|line| line.spectrum.iter().copied())
    };
    // What is rounding, against the largest, is not shown.
    let floor = values().fold(0.0, f64::max) * 1e-6;
    let longest = arms
        .iter()
        .flat_map(|(_, lines)| lines)
        .map(|line| line.spectrum.len())
        .max()
        .unwrap_or(1);
    let axes = (
        LogAxis::over([1.0, longest.max(2) as f64], steps),
        LogAxis::over(values().filter(|&value| value > floor), tick),
    );

    let mut data = Table::new("spectrum", &["arm", "step", "kind", "index", "value"]);
    let mut panels = Vec::new();
    for (arm, lines) in &arms {
        for one in lines {
            for (index, &value) in (1_u64..).zip(&one.spectrum) {
                data.push([
                    Cell::from(arm.name.as_str()),
                    one.step.into(),
                    "singular value".into(),
                    index.into(),
                    value.into(),
                ]);
            }
            for (name, &said) in &one.estimates {
                data.push([
                    Cell::from(arm.name.as_str()),
                    one.step.into(),
                    name.as_str().into(),
                    said.into(),
                    Cell::Number(None),
                ]);
            }
        }
        let step = |line: Option<&&GroupingRecord>| line.map_or(0, |line| line.step);
        let (first, last) = (step(lines.first()), step(lines.last()));
        let ends = [format!("step {}", steps(first as f64)), steps(last as f64)];
        let said = estimates(lines);
        let above = ROW * said.len() as f64;
        let frame = Frame {
            figure: "spectrum",
            arm: &arm.label,
            about: format!("Singular values of the gradients, arm {}", arm.name),
            size: (360, 250 + above as u32),
            legend: Some(&ends),
        };
        let layout = Layout {
            x_label: "index",
            y_label: "singular value",
            left: 44.0,
            y_ticks: true,
        };
        panels.push(frame.draw(|area, hits| {
            for (row, (groups, names)) in said.iter().enumerate() {
                let words = shorten(&format!("{groups}: {}", names.join(", ")), LETTERS);
                let place = (px(LEFT), px(ROW * (row as f64 + 0.5)));
                let letters = text(9.5, MUTED, HPos::Left, VPos::Center);
                area.draw(&Text::new(words, place, letters))?;
            }
            let below = area.margin(px(above), 0, 0, 0);
            axis::chart(&below, &layout, axes, |chart| {
                for grouping in lines {
                    let share = (grouping.step - first) as f64 / (last - first).max(1) as f64;
                    let colour = style::ramp(share);
                    let points: Vec<(f64, f64)> = (1..)
                        .map(f64::from)
                        .zip(grouping.spectrum.iter().copied())
                        .filter(|&(_, value)| value > floor)
                        .collect();
                    let along: Vec<(f64, f64)> =
                        points.iter().map(|point| (point.0.ln(), point.1)).collect();
                    let points: Vec<(f64, f64)> = series::drawn(&along, COLUMNS)
                        .into_iter()
                        .map(|(index, value)| (index.exp().round(), value))
                        .collect();
                    chart.draw_series(LineSeries::new(points.clone(), line(1.5, colour)))?;
                    for (index, value) in thinned(points.len(), POINTED).map(|at| points[at]) {
                        let place = chart.plotting_area().map_coordinate(&(index, value));
                        let step = number(grouping.step as f64);
                        let title = format!("step {step}, index {index}: {}", number(value));
                        hits.circle(place, 3.0, &title);
                    }
                    chart.draw_series(
                        points
                            .into_iter()
                            .map(|point| Circle::new(point, px(1.75), colour.filled())),
                    )?;
                }
                let (low, high) = (axes.1.low(), axes.1.high());
                for groups in said.keys().map(|&groups| groups as f64) {
                    if groups <= axes.0.high() {
                        let pole = [(groups, low), (groups, high)];
                        chart.draw_series(DashedLineSeries::new(pole, 4, 12, line(0.75, MUTED)))?;
                    }
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Singular spectrum",
        caption: "Leading singular values of the per-example gradients at up to five steps of the first seed, \
                  from early to late. A few values far above the rest are as many common directions. Dashed: how many \
                  groups each estimator saw at the last of these steps, with the names of the estimators above."
            .to_owned(),
        legend: None,
        panels,
        data,
        aside: false,
    })
}

/// Up to [`SHOWN`] lines with a spectrum, evenly chosen, of the first run that has any.
fn shown(arm: &Arm) -> Vec<&GroupingRecord> {
    let lines = arm
        .counted()
        .into_iter()
        .map(|run| {
            let lines = run.groupings.iter();
            let mut lines: Vec<&GroupingRecord> =
                lines.filter(|line| !line.spectrum.is_empty()).collect();
            lines.sort_by_key(|line| line.step);
            lines
        })
        .find(|lines| !lines.is_empty())
        .unwrap_or_default();
    let count = lines.len().min(SHOWN);
    (0..count)
        .map(|index| lines[index * (lines.len() - 1) / (count - 1).max(1)])
        .collect()
}

/// What the estimators said last, fewest groups first, those that agree together.
fn estimates<'a>(lines: &[&'a GroupingRecord]) -> BTreeMap<u64, Vec<&'a str>> {
    let mut found: BTreeMap<u64, Vec<&str>> = BTreeMap::new();
    for (name, &said) in lines.last().into_iter().flat_map(|one| &one.estimates) {
        found.entry(said).or_default().push(name);
    }
    found
}
