//! Gradualness against tax, the headline: how wide rises are and how far apart, against how long the run
//! takes.

use gradual_measure::{Curve, Metric};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{self, Layout, LogAxis};
use super::canvas::{Frame, line, text};
use super::hits::spread;
use super::svg::px;
use super::{Figure, Panel, legend, not_drawn};
use crate::ReportError;
use crate::folder::{Arm, Folder, Run};
use crate::numbers::{count, number, tick};
use crate::style;
use crate::table::{Cell, Table};

/// Points that a panel shows.
const MOST: usize = 600;

/// One run in a panel. Censored numbers are lower bounds.
struct Point {
    arm: usize,
    seed: u64,
    tax: f64,
    slower: bool,
    value: f64,
    wider: bool,
}

impl Point {
    /// The tax, and how far its arrow reaches.
    fn across(&self) -> [f64; 2] {
        [self.tax, self.tax * if self.slower { 1.2 } else { 1.0 }]
    }

    /// The number, and how far its arrow reaches.
    fn down(&self) -> [f64; 2] {
        [self.value, self.value * if self.wider { 1.4 } else { 1.0 }]
    }
}

/// What a panel shows against the tax.
#[derive(Clone, Copy)]
enum Kind {
    Width,
    Spread,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Width => "tax-width",
            Self::Spread => "tax-spread",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Width => Metric::RelativeWidth.label(),
            Self::Spread => Metric::Spread.label(),
        }
    }

    /// The number of a run, and whether it is a lower bound.
    fn of(self, run: &Run) -> Option<(f64, bool)> {
        match self {
            Self::Width => Some((run.summary.value(Metric::RelativeWidth)?, false)),
            Self::Spread => {
                let spread = run.summary.spread;
                Some((spread.ratio.or(spread.at_least)?, spread.ratio.is_none()))
            }
        }
    }
}

/// How far a run must come for its steps to count as the tax.
#[derive(Clone, Copy)]
enum Goal {
    /// A mean accuracy of 90 %.
    Ninety,
    /// A mean skill of 50 %, for experiments whose baseline never gets to 90 %.
    Half,
}

impl Goal {
    fn of(folder: &Folder) -> Self {
        let reaches = |arm: &Arm| {
            let mut runs = arm.runs.iter();
            arm.name == arm.baseline && runs.any(|run| run.summary.steps_to_90.is_some())
        };
        if folder.arms.iter().any(reaches) {
            Self::Ninety
        } else {
            Self::Half
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Ninety => "tax: steps to 90 %, baseline = 1",
            Self::Half => "tax: steps to skill 50 %, baseline = 1",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Ninety => "steps to 90 % mean accuracy",
            Self::Half => "steps to 50 % mean skill (the baseline never comes to 90 % accuracy)",
        }
    }

    fn steps(self, run: &Run) -> Option<f64> {
        match self {
            Self::Ninety => run.summary.steps_to_90,
            Self::Half => Curve::mean(&run.curves.skills()).ok()?.first_crossing(0.5),
        }
    }

    /// Steps to the goal against those of the baseline under the same seed, and whether that is a lower
    /// bound. Without a number of the baseline there is nothing to compare with.
    fn tax(self, folder: &Folder, arm: &Arm, run: &Run) -> Option<(f64, bool)> {
        let base = if arm.name == arm.baseline {
            Some(run)
        } else {
            folder.paired(arm, run.seed)
        };
        let unit = self.steps(base?).filter(|&steps| steps > 0.0)?;
        let steps = self.steps(run);
        let least = run.summary.last_step as f64;
        Some((steps.unwrap_or(least) / unit, steps.is_none()))
    }
}

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    // The tax is that of the baseline's run.
    let arms: Vec<&Arm> = folder.shown().filter(|_| folder.judged).collect();
    let mut data = Table::new(
        "tax",
        &[
            "arm",
            "seed",
            "metric",
            "tax",
            "tax_is_lower_bound",
            "value",
            "value_is_lower_bound",
        ],
    );
    let goal = Goal::of(folder);
    let mut panels = Vec::new();
    let (mut left_out, mut unseen) = (0, 0);
    let several = folder.has_several_capabilities();
    let kinds = [Kind::Width, Kind::Spread];
    for kind in kinds.into_iter().take(if several { 2 } else { 1 }) {
        let mut points = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            for run in arm.counted() {
                let found = goal.tax(folder, arm, run).zip(kind.of(run));
                let Some(((tax, slower), (value, wider))) = found.filter(|one| one.1.0 > 0.0)
                else {
                    left_out += 1;
                    continue;
                };
                points.push(Point {
                    arm: index,
                    seed: run.seed,
                    tax,
                    slower,
                    value,
                    wider,
                });
            }
        }
        for point in &points {
            data.push([
                Cell::from(arms[point.arm].name.as_str()),
                point.seed.into(),
                kind.label().into(),
                point.tax.into(),
                point.slower.into(),
                point.value.into(),
                point.wider.into(),
            ]);
        }
        if !points.is_empty() {
            unseen += points.len().saturating_sub(MOST);
            let points: Vec<&Point> = spread(points.len(), MOST).map(|at| &points[at]).collect();
            panels.push(panel(kind, goal, &arms, &points)?);
        }
    }
    let mut caption = format!(
        "How gradual (width / t50, up is gradual) and how far apart (max t50 / min t50, down is together) against \
         the tax: {}, as a multiple of the baseline’s under the same seed. One point per run. Anything that is \
         slower is to the right, so an arm is more gradual only where it beats the slow controls at their tax. An \
         arrow marks a lower bound: the run ended before.",
        goal.words()
    );
    if left_out > 0 && !panels.is_empty() {
        caption.push_str(&format!(
            " {} left out: the run, or the baseline’s, never got there.",
            count(left_out, "point is", "points are")
        ));
    }
    caption.push_str(&not_drawn(unseen));
    Ok(Figure {
        title: "Gradualness against tax",
        caption,
        legend: None,
        panels,
        data,
        aside: false,
    })
}

fn panel(kind: Kind, goal: Goal, arms: &[&Arm], points: &[&Point]) -> Result<Panel, ReportError> {
    let names: Vec<&str> = arms.iter().map(|arm| arm.name.as_str()).collect();
    let frame = Frame {
        figure: kind.name(),
        arm: "",
        about: format!("{} against {}", kind.label(), goal.words()),
        size: (360, 290 + legend::height(names.len()) as u32),
        legend: None,
    };
    let layout = Layout {
        x_label: goal.label(),
        y_label: kind.label(),
        left: 34.0,
        y_ticks: true,
    };
    frame.draw(|area, hits| {
        let (plot, key) = area.split_vertically(px(284.0));
        let axes = (
            LogAxis::over(
                points.iter().flat_map(|point| point.across()).chain([1.0]),
                tick,
            ),
            LogAxis::over(points.iter().flat_map(|point| point.down()), tick),
        );
        axis::chart(&plot, &layout, axes, |chart| {
            for point in points {
                let colour = style::arm(point.arm);
                let place = (point.tax, point.value);
                let area = chart.plotting_area();
                for (wanted, shaft, head) in [
                    (
                        point.wider,
                        [(0.0, -8.0), (0.0, -19.0)],
                        [(-4.0, -14.0), (0.0, -19.0), (4.0, -14.0)],
                    ),
                    (
                        point.slower,
                        [(8.0, 0.0), (19.0, 0.0)],
                        [(14.0, -4.0), (19.0, 0.0), (14.0, 4.0)],
                    ),
                ] {
                    if wanted {
                        let pen = line(1.5, colour);
                        area.draw(
                            &(EmptyElement::at(place)
                                + PathElement::new(shaft.map(|(x, y)| (px(x), px(y))), pen)
                                + PathElement::new(head.map(|(x, y)| (px(x), px(y))), pen)),
                        )?;
                    }
                }
                let letters = text(10.0, WHITE, HPos::Center, VPos::Center);
                area.draw(
                    &(EmptyElement::at(place)
                        + Circle::new((0, 0), px(7.0), colour.mix(0.85).filled())
                        + Text::new(legend::letter(point.arm), (0, 0), letters)),
                )?;
                let bound = |is: bool| if is { "at least " } else { "" };
                let title = format!(
                    "{}, seed {}: {} {}{}, tax {}{}",
                    names[point.arm],
                    point.seed,
                    kind.label(),
                    bound(point.wider),
                    number(point.value),
                    bound(point.slower),
                    number(point.tax)
                );
                hits.circle(area.map_coordinate(&place), 8.0, &title);
            }
            Ok(())
        })?;
        legend::draw(&key, &names)
    })
}
