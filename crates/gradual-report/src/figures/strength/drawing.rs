//! One metric against strength.

use gradual_measure::Metric;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::super::axis::{self, Chart, Layout, LogAxis};
use super::super::canvas::{Drawn, Frame, line, text};
use super::super::centre::Centre;
use super::super::looks::Looks;
use super::super::svg::px;
use super::super::{Panel, legend};
use super::Found;
use crate::ReportError;
use crate::folder::Arm;
use crate::numbers::{count, number, tick};
use crate::style::MUTED;
use crate::text::shorten;

/// Height of the axes in pixels.
const HEIGHT: f64 = 260.0;
/// Letters of the arms that found one number of groups.
const NAMES: usize = 40;

/// The arms of a series by strength: what they are at, the arm, its number, and how many seeds have it.
pub(super) struct Line<'a> {
    pub(super) series: &'a str,
    pub(super) points: Vec<(f64, &'a Arm, Centre, usize)>,
}

/// What a panel shows.
pub(super) struct Drawing<'a> {
    pub(super) name: &'a str,
    pub(super) metric: Metric,
    pub(super) x_label: &'a str,
    pub(super) lines: Vec<Line<'a>>,
    pub(super) baselines: Vec<(&'a str, Centre)>,
    pub(super) found: &'a [Found],
    pub(super) looks: &'a Looks<'a>,
}

type Plane<'a, 'b> = Chart<'a, 'b, LogAxis, LogAxis>;

impl<'a> Drawing<'a> {
    /// The panel; `None` where no arm has the number.
    pub(super) fn panel(&self) -> Result<Option<Panel>, ReportError> {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        if points().next().is_none() {
            return Ok(None);
        }
        let key = |line: &Line<'a>| legend::Key {
            letter: String::new(),
            name: line.series,
            colour: self.looks.series(line.series),
        };
        let keys: Vec<legend::Key<'_>> = self.lines.iter().map(key).collect();
        let y_label = self.metric.label();
        let frame = Frame {
            figure: self.name,
            arm: "",
            about: format!("{y_label} against {}", self.x_label),
            size: (360, HEIGHT as u32 + legend::height(keys.len()) as u32),
            legend: None,
        };
        let layout = Layout {
            x_label: self.x_label,
            y_label,
            left: 34.0,
            y_ticks: true,
        };
        let found = self.found.iter().map(|found| found.groups);
        let ends = points().flat_map(|point| point.2.ends());
        let base = self.baselines.iter().flat_map(|one| one.1.ends());
        let axes = (
            LogAxis::over(points().map(|point| point.0).chain(found), tick),
            LogAxis::over(ends.chain(base), tick),
        );
        let panel = frame.draw(|area, hits| {
            let (plot, key) = area.split_vertically(px(HEIGHT));
            axis::chart(&plot, &layout, axes, |chart| {
                self.grounds(chart, axes)?;
                for one in &self.lines {
                    one.draw(chart, self.looks.series(one.series))?;
                    for (at, arm, centre, seeds) in &one.points {
                        let place = (*at, centre.mean.value);
                        let least = if centre.mean.least { "at least " } else { "" };
                        let interval = centre.interval.map_or_else(String::new, |interval| {
                            format!(" ({} to {})", number(interval.low), number(interval.high))
                        });
                        let title = format!(
                            "{}: {y_label} {least}{}{interval}, {}",
                            arm.name,
                            number(centre.mean.value),
                            count(*seeds, "seed", "seeds")
                        );
                        hits.circle(chart.plotting_area().map_coordinate(&place), 6.0, &title);
                    }
                }
                Ok(())
            })?;
            legend::draw(&key, &keys)
        })?;
        Ok(Some(panel))
    }

    /// The baselines, and the numbers of groups that were found.
    fn grounds(&self, chart: &mut Plane<'_, '_>, (x, y): (LogAxis, LogAxis)) -> Drawn {
        for (name, centre) in &self.baselines {
            let [low, high] = centre.ends();
            if low < high {
                let corners = [(x.low(), y.clamp(low)), (x.high(), y.clamp(high))];
                chart.draw_series([Rectangle::new(corners, MUTED.mix(0.18).filled())])?;
            }
            let mean = centre.mean.value;
            let even = [(x.low(), mean), (x.high(), mean)];
            chart.draw_series(DashedLineSeries::new(even, 12, 12, line(1.0, MUTED)))?;
            let letters = text(10.0, MUTED, HPos::Right, VPos::Bottom);
            chart.plotting_area().draw(
                &(EmptyElement::at((x.high(), mean))
                    + Text::new(shorten(name, 24), (-px(4.0), -px(2.0)), letters)),
            )?;
        }
        for found in self.found {
            let upright = [(found.groups, y.low()), (found.groups, y.high())];
            chart.draw_series(DashedLineSeries::new(upright, 4, 10, line(1.0, MUTED)))?;
            let letters = text(9.5, MUTED, HPos::Left, VPos::Bottom)
                .pos(Pos::new(HPos::Left, VPos::Bottom))
                .transform(FontTransform::Rotate270);
            let names = shorten(&found.arms.join(", "), NAMES);
            chart.plotting_area().draw(
                &(EmptyElement::at((found.groups, y.low()))
                    + Text::new(names, (-px(2.0), -px(4.0)), letters)),
            )?;
        }
        Ok(())
    }
}

impl Line<'_> {
    fn draw(&self, chart: &mut Plane<'_, '_>, colour: RGBColor) -> Drawn {
        let points = self.points.iter().map(|(at, _, centre, _)| (*at, centre));
        let means = points.clone().map(|(at, centre)| (at, centre.mean.value));
        chart.draw_series(LineSeries::new(means, line(1.75, colour)))?;
        for (at, centre) in points {
            let place = (at, centre.mean.value);
            if let Some(interval) = centre.interval {
                let bar = [(at, interval.low), (at, interval.high)];
                chart.draw_series([PathElement::new(bar, line(1.25, colour.mix(0.6)))])?;
            }
            chart.draw_series([Circle::new(place, px(3.5), colour.filled())])?;
            if centre.mean.least {
                let pen = line(1.5, colour);
                let shaft = [(0, -px(5.0)), (0, -px(14.0))];
                let head = [(-px(3.5), -px(10.0)), (0, -px(14.0)), (px(3.5), -px(10.0))];
                chart.plotting_area().draw(
                    &(EmptyElement::at(place)
                        + PathElement::new(shaft, pen)
                        + PathElement::new(head, pen)),
                )?;
            }
        }
        Ok(())
    }
}
