//! Gradualness against tax: how far apart capabilities emerge, against how long the run takes.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::Figure;
use super::axis::{self, Layout, LogAxis};
use super::canvas::{Frame, line, px, shorten, text};
use crate::ReportError;
use crate::folder::{Folder, Run};
use crate::numbers::{steps, tick};
use crate::style::{self, INK};

/// One run in the figure. Censored numbers are lower bounds.
struct Point {
    arm: usize,
    steps: f64,
    slower: bool,
    spread: f64,
    wider: bool,
}

impl Point {
    /// The steps, and how far its arrow reaches.
    fn across(&self) -> [f64; 2] {
        [self.steps, self.steps * if self.slower { 1.2 } else { 1.0 }]
    }

    /// The spread, and how far its arrow reaches.
    fn down(&self) -> [f64; 2] {
        [
            self.spread,
            self.spread * if self.wider { 1.4 } else { 1.0 },
        ]
    }
}

/// The point of a run; `None` when no or only one capability ever arose.
fn point(arm: usize, run: &Run) -> Option<Point> {
    let spread = run.summary.spread;
    let steps = run.summary.steps_to_90;
    Some(Point {
        arm,
        steps: steps.unwrap_or(run.summary.last_step as f64),
        slower: steps.is_none(),
        spread: spread.ratio.or(spread.at_least)?,
        wider: spread.ratio.is_none(),
    })
}

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let arms: Vec<_> = folder.with_runs().collect();
    let points: Vec<Point> = arms
        .iter()
        .enumerate()
        .flat_map(|(index, arm)| {
            let runs = arm.counted().into_iter();
            runs.filter_map(move |run| point(index, run))
        })
        .filter(|point| point.steps > 0.0)
        .collect();
    let runs: usize = arms.iter().map(|arm| arm.counted().len()).sum();
    let mut caption = "Largest over smallest t50 against the steps to 90 % mean accuracy, one point per run. \
                       Down is together, left is fast. An arrow marks a lower bound: the run ended before all \
                       capabilities had come, or before 90 %."
        .to_owned();
    if points.len() < runs {
        caption.push_str(&format!(
            " {} of {runs} runs are not shown: no capability arose in them.",
            runs - points.len()
        ));
    }
    let mut panels = Vec::new();
    if !points.is_empty() {
        let rows = arms.len().div_ceil(2);
        let frame = Frame {
            figure: "tax",
            arm: "",
            about: "Spread of emergence against steps to 90 % mean accuracy".to_owned(),
            size: (480, 330 + 18 * rows as u32),
            legend: None,
        };
        let layout = Layout {
            x_label: "steps to 90 % mean accuracy",
            y_label: "max t50 / min t50",
            left: 34.0,
            y_ticks: true,
        };
        panels.push(frame.draw(|area| {
            let (plot, legend) = area.split_vertically(px(322.0));
            let axes = (
                LogAxis::over(points.iter().flat_map(Point::across), steps),
                LogAxis::over(points.iter().flat_map(Point::down).chain([1.0]), tick),
            );
            axis::chart(&plot, &layout, axes, |chart| {
                for point in &points {
                    let colour = style::arm(point.arm);
                    let place = (point.steps, point.spread);
                    let area = chart.plotting_area();
                    if point.wider {
                        let shaft = [(0, -px(8.0)), (0, -px(19.0))];
                        let head = [(-px(4.0), -px(14.0)), (0, -px(19.0)), (px(4.0), -px(14.0))];
                        area.draw(
                            &(EmptyElement::at(place)
                                + PathElement::new(shaft, line(1.5, colour))
                                + PathElement::new(head, line(1.5, colour))),
                        )?;
                    }
                    if point.slower {
                        let shaft = [(px(8.0), 0), (px(19.0), 0)];
                        let head = [(px(14.0), -px(4.0)), (px(19.0), 0), (px(14.0), px(4.0))];
                        area.draw(
                            &(EmptyElement::at(place)
                                + PathElement::new(shaft, line(1.5, colour))
                                + PathElement::new(head, line(1.5, colour))),
                        )?;
                    }
                    let letter_style = text(10.0, WHITE, HPos::Center, VPos::Center);
                    area.draw(
                        &(EmptyElement::at(place)
                            + Circle::new((0, 0), px(7.0), colour.mix(0.85).filled())
                            + Text::new(letter(point.arm), (0, 0), letter_style)),
                    )?;
                }
                Ok(())
            })?;
            for (index, arm) in arms.iter().enumerate() {
                let x = if index < rows { 30.0 } else { 250.0 };
                let y = px(10.0 + 18.0 * (index % rows) as f64);
                let colour = style::arm(index);
                legend.draw(&Circle::new((px(x), y), px(7.0), colour.filled()))?;
                let letter_style = text(10.0, WHITE, HPos::Center, VPos::Center);
                legend.draw(&Text::new(letter(index), (px(x), y), letter_style))?;
                let name = text(12.0, INK, HPos::Left, VPos::Center);
                legend.draw(&Text::new(shorten(&arm.name, 28), (px(x + 13.0), y), name))?;
            }
            Ok(())
        })?);
    }
    Ok(Figure {
        title: "Gradualness against tax",
        caption,
        legend: None,
        panels,
    })
}

/// A to Z, then a to z.
fn letter(index: usize) -> String {
    let letters = ('A'..='Z').chain('a'..='z');
    letters.cycle().nth(index).unwrap_or('?').to_string()
}
