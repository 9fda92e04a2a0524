//! Singular values of the gradients at a few steps, a panel per arm.

use gradual_measure::Grouping;
use plotters::prelude::*;

use super::Figure;
use super::axis::{self, Layout, LogAxis};
use super::canvas::{Frame, line, px};
use crate::ReportError;
use crate::folder::{Arm, Folder};
use crate::numbers::{steps, tick};
use crate::style;

/// How many steps are shown.
const SHOWN: usize = 5;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let arms: Vec<(&Arm, Vec<&Grouping>)> = folder
        .with_runs()
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

    let mut panels = Vec::new();
    for (arm, lines) in &arms {
        let step = |line: Option<&&Grouping>| line.map_or(0, |line| line.step);
        let (first, last) = (step(lines.first()), step(lines.last()));
        let ends = [format!("step {}", steps(first as f64)), steps(last as f64)];
        let frame = Frame {
            figure: "spectrum",
            arm: &arm.name,
            about: format!("Singular values of the gradients, arm {}", arm.name),
            size: (360, 250),
            legend: Some(&ends),
        };
        let layout = Layout {
            x_label: "index",
            y_label: "singular value",
            left: 44.0,
            y_ticks: true,
        };
        panels.push(frame.draw(|area| {
            axis::chart(area, &layout, axes, |chart| {
                for grouping in lines {
                    let share = (grouping.step - first) as f64 / (last - first).max(1) as f64;
                    let colour = style::ramp(share);
                    let points: Vec<(f64, f64)> = (1..)
                        .map(f64::from)
                        .zip(grouping.spectrum.iter().copied())
                        .filter(|&(_, value)| value > floor)
                        .collect();
                    chart.draw_series(LineSeries::new(points.clone(), line(1.5, colour)))?;
                    chart.draw_series(
                        points
                            .into_iter()
                            .map(|point| Circle::new(point, px(1.75), colour.filled())),
                    )?;
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Singular spectrum",
        caption: "Leading singular values of the per-example gradients at up to five steps of the first seed, \
                  from early to late. A few values far above the rest are as many common directions."
            .to_owned(),
        legend: None,
        panels,
    })
}

/// Up to [`SHOWN`] lines with a spectrum, evenly chosen, of the first run that has any.
fn shown(arm: &Arm) -> Vec<&Grouping> {
    let lines = arm
        .counted()
        .into_iter()
        .map(|run| {
            let lines = run.groupings.iter();
            let mut lines: Vec<&Grouping> =
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
