//! Is the jump the threshold's? Width of each rise by accuracy against its width by measures without one.

use gradual_measure::statistics::median;
use gradual_measure::{Emergence, Measure};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{self, Layout, LogAxis};
use super::canvas::{Frame, line, text};
use super::hits::spread;
use super::looks::Looks;
use super::svg::px;
use super::{Figure, Panel, legend, not_drawn};
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::{number, tick};
use crate::style::MUTED;
use crate::table::{Cell, Table};

/// Points that a panel shows.
const MOST: usize = 600;

/// A capability of an arm: medians over seeds of width / t50.
struct Point {
    arm: usize,
    capability: String,
    accuracy: f64,
    other: f64,
}

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let mut data = Table::new(
        "threshold",
        &["arm", "capability", "measure", "by_accuracy", "by_measure"],
    );
    let names: Vec<&str> = folder.shown().map(|arm| arm.name.as_str()).collect();
    let looks = Looks::of(folder);
    let mut panels: Vec<Panel> = Vec::new();
    let mut left_out = 0;
    for measure in [Measure::Loss, Measure::Probability] {
        let points = points(folder, measure);
        for point in &points {
            data.push([
                Cell::from(names[point.arm]),
                point.capability.as_str().into(),
                measure.name().into(),
                point.accuracy.into(),
                point.other.into(),
            ]);
        }
        if !points.is_empty() {
            left_out += points.len().saturating_sub(MOST);
            let points: Vec<&Point> = spread(points.len(), MOST).map(|at| &points[at]).collect();
            panels.push(panel(&names, &looks, measure, &points)?);
        }
    }
    Ok(Figure {
        title: "Is it the threshold?",
        caption: format!(
            "Width / t50 of every rise by accuracy (across) and by a measure without a threshold (up), on the same \
             evaluations; a point per capability and arm, median over seeds. Far above the diagonal the jump is the \
             accuracy’s, not the model’s (Schaeffer et al. 2023).{}",
            not_drawn(left_out)
        ),
        legend: None,
        panels,
        data,
        aside: false,
    })
}

fn points(folder: &Folder, measure: Measure) -> Vec<Point> {
    let mut points = Vec::new();
    for (index, arm) in folder.shown().enumerate() {
        let runs = arm.counted();
        let Some(first) = runs.first() else { continue };
        for name in first.summary.capabilities.keys() {
            let width = |by: Measure| {
                let all = runs.iter().filter_map(|run| {
                    let one: &Emergence = run.summary.capabilities.get(name)?.by(by)?;
                    one.relative_width
                });
                median(&all.collect::<Vec<_>>()).filter(|&width| width > 0.0)
            };
            if let Some((accuracy, other)) = width(Measure::Accuracy).zip(width(measure)) {
                points.push(Point {
                    arm: index,
                    capability: name.clone(),
                    accuracy,
                    other,
                });
            }
        }
    }
    points
}

fn panel(
    names: &[&str],
    looks: &Looks<'_>,
    measure: Measure,
    points: &[&Point],
) -> Result<Panel, ReportError> {
    let frame = Frame {
        figure: "threshold",
        arm: measure.name(),
        about: format!("Width of rises by accuracy and by {}", measure.name()),
        size: (360, 324 + legend::height(names.len()) as u32),
        legend: None,
    };
    let layout = Layout {
        x_label: "width / t50 by accuracy",
        y_label: "width / t50 by the other",
        left: 36.0,
        y_ticks: true,
    };
    frame.draw(|area, hits| {
        let (plot, key) = area.split_vertically(px(296.0));
        let all = || {
            points
                .iter()
                .flat_map(|point| [point.accuracy, point.other])
        };
        let axis = || LogAxis::over(all(), tick);
        axis::chart(&plot, &layout, (axis(), axis()), |chart| {
            let diagonal = [axis().low(), axis().high()].map(|at| (at, at));
            chart.draw_series(LineSeries::new(diagonal, line(1.0, MUTED)))?;
            for point in points {
                let at = (point.accuracy, point.other);
                let colour = looks.colour(point.arm);
                let letters = text(7.5, legend::on(colour), HPos::Center, VPos::Center);
                chart.plotting_area().draw(
                    &(EmptyElement::at(at)
                        + Circle::new((0, 0), px(5.0), colour.mix(0.85).filled())
                        + Text::new(looks.key(point.arm).letter, (0, 0), letters)),
                )?;
                let place = chart.plotting_area().map_coordinate(&at);
                let title = format!(
                    "{}, {}: {} by accuracy, {} by {}",
                    names[point.arm],
                    point.capability,
                    number(point.accuracy),
                    number(point.other),
                    measure.name()
                );
                hits.circle(place, 6.0, &title);
            }
            Ok(())
        })?;
        legend::draw(&key, &looks.keys())
    })
}
