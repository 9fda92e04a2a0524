//! One panel of the front.

use std::collections::BTreeMap;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::super::axis::{self, Chart, Layout, LogAxis};
use super::super::canvas::{Area, Drawn, Frame, line, text};
use super::super::centre::{Bound, Centre};
use super::super::hits::Hits;
use super::super::looks::Looks;
use super::super::places::{Box, lead, places};
use super::super::svg::{pixels, px};
use super::super::{Panel, legend};
use super::points::{Mark, Point, Shown};
use super::tax::{Goal, Unit};
use crate::ReportError;
use crate::folder::Arm;
use crate::numbers::{count, number, tick};
use crate::style::{self, MUTED, PAPER};
use crate::text::{shorten, width};

/// Size of a panel in pixels, without its legend; with more marks than [`SEVERAL`] it is higher.
const WIDTH: u32 = 360;
const HEIGHT: u32 = 320;
const HIGHER: u32 = 430;
const SEVERAL: usize = 14;
/// Letters of a name beside its mark.
const NAME: usize = 18;
/// Height of a name, and the width of one of its letters, in pixels.
const LETTER: (f64, f64) = (5.6, 11.0);
/// How far from its mark a name may stand, and a letter in its place.
const NAME_REACH: f64 = 32.0;
const LETTER_REACH: f64 = 160.0;
/// With fewer runs, each can be pointed at.
const FEW: usize = 40;

/// What the claims ask for.
#[derive(Clone, Copy)]
pub(super) struct Region {
    pub(super) wider: f64,
    pub(super) no_slower: f64,
}

/// What a panel shows.
pub(super) struct Drawing<'a> {
    pub(super) name: &'a str,
    pub(super) goal: Goal,
    pub(super) unit: Unit,
    pub(super) shown: Shown,
    pub(super) arms: &'a [&'a Arm],
    pub(super) looks: &'a Looks<'a>,
    pub(super) marks: Vec<Mark>,
    pub(super) runs: Vec<&'a Point>,
    pub(super) region: Option<Region>,
}

type Plane<'a, 'b> = Chart<'a, 'b, LogAxis, LogAxis>;

impl Drawing<'_> {
    /// The panel, with names beside the marks, or with letters and a legend where names have no room.
    pub(super) fn panel(&self) -> Result<Panel, ReportError> {
        let mut fit = true;
        let named = self.draw(Names::Whole, &mut fit)?;
        match fit {
            true => Ok(named),
            false => self.draw(Names::Letters, &mut fit),
        }
    }

    fn draw(&self, names: Names, fit: &mut bool) -> Result<Panel, ReportError> {
        let keys: Vec<legend::Key<'_>> = match names {
            Names::Whole => Vec::new(),
            Names::Letters => {
                let marks = self.marks.iter();
                marks.map(|mark| self.looks.key(mark.arm)).collect()
            }
        };
        let height = match self.marks.len() > SEVERAL {
            true => HIGHER,
            false => HEIGHT,
        };
        let below = match names {
            Names::Whole => 0.0,
            Names::Letters => legend::height(keys.len()),
        };
        let x_label = format!(
            "tax: {} {}, baseline = 1",
            self.unit.name(),
            self.goal.label()
        );
        let frame = Frame {
            figure: self.name,
            arm: "",
            about: format!("{} against {x_label}", self.shown.label()),
            size: (WIDTH, height + below as u32),
            legend: None,
        };
        let layout = Layout {
            x_label: &x_label,
            y_label: self.shown.label(),
            left: 34.0,
            y_ticks: true,
        };
        frame.draw(|area, hits| {
            let (plot, key) = area.split_vertically(px(f64::from(height)));
            let axes = self.axes();
            axis::chart(&plot, &layout, axes, |chart| {
                let taken = self.grounds(chart, axes)?;
                self.faint(chart, hits)?;
                self.lines(chart)?;
                for mark in &self.marks {
                    self.mark(chart, mark, hits)?;
                }
                *fit = self.names(&plot, chart, names, &taken)?;
                Ok(())
            })?;
            legend::draw(&key, &keys)
        })
    }

    fn axes(&self) -> (LogAxis, LogAxis) {
        let ends = |of: fn(&Mark) -> [f64; 2]| self.marks.iter().flat_map(of);
        let runs = |of: fn(&Point) -> Bound| self.runs.iter().map(move |point| of(point).value);
        let y = ends(|mark| mark.value.ends()).chain(runs(|point| point.value));
        let region = self.region.map(|region| region.wider);
        (
            LogAxis::over(
                ends(|mark| mark.tax.ends())
                    .chain(runs(|point| point.tax))
                    .chain([1.0]),
                tick,
            ),
            LogAxis::over(y.chain(region), tick),
        )
    }

    /// What the claims ask for, and the baseline; returns where words stand.
    fn grounds(
        &self,
        chart: &mut Plane<'_, '_>,
        (x, y): (LogAxis, LogAxis),
    ) -> Result<Vec<Box>, std::boxed::Box<dyn std::error::Error>> {
        let mut taken = Vec::new();
        if let Some(Region { wider, no_slower }) = self.region {
            let colour = style::arm(2);
            let corners = [(x.low(), y.high()), (x.clamp(no_slower), y.clamp(wider))];
            chart.draw_series([Rectangle::new(corners, colour.mix(0.13).filled())])?;
            let place = (x.low(), y.high());
            let corner = chart.plotting_area().map_coordinate(&place);
            let across = chart
                .plotting_area()
                .map_coordinate(&(x.clamp(no_slower), y.high()));
            let room = pixels(across.0) - pixels(corner.0) - 5.0;
            let said = [format!("≥ {wider} times wider"), String::from("at no tax")];
            let long = |said: &str| width(said) as f64 * 5.4;
            // In one line where that has room.
            let said = match long(&said.join(" ")) <= room {
                true => vec![said.join(" ")],
                false => said.to_vec(),
            };
            for (row, said) in said.into_iter().enumerate() {
                let letters = text(10.0, colour, HPos::Left, VPos::Center);
                let down = 9.0 + 12.0 * row as f64;
                let half = long(&said) / 2.0;
                taken.push(Box {
                    x: pixels(corner.0) + 5.0 + half,
                    y: pixels(corner.1) + down,
                    half_width: half,
                    half_height: 7.0,
                });
                let words = Text::new(said, (px(5.0), px(down)), letters);
                chart
                    .plotting_area()
                    .draw(&(EmptyElement::at(place) + words))?;
            }
        }
        let even = |from: (f64, f64), to: (f64, f64)| {
            DashedLineSeries::new([from, to], 12, 12, line(1.0, MUTED))
        };
        chart.draw_series(even((1.0, y.low()), (1.0, y.high())))?;
        if matches!(self.shown, Shown::Width) {
            chart.draw_series(even((x.low(), 1.0), (x.high(), 1.0)))?;
        }
        Ok(taken)
    }

    /// The runs.
    fn faint(&self, chart: &mut Plane<'_, '_>, hits: &mut Hits) -> Drawn {
        for point in &self.runs {
            let place = (point.tax.value, point.value.value);
            let colour = self.looks.colour(point.arm).mix(0.3).filled();
            chart.draw_series([Circle::new(place, px(2.0), colour)])?;
            if self.runs.len() <= FEW {
                let title = format!(
                    "{}, seed {}: {} {}, tax {}",
                    self.arms[point.arm].name,
                    point.seed,
                    self.shown.label(),
                    said(point.value),
                    said(point.tax)
                );
                hits.circle(chart.plotting_area().map_coordinate(&place), 4.0, &title);
            }
        }
        Ok(())
    }

    /// A line through the arms of each series, in order of strength.
    fn lines(&self, chart: &mut Plane<'_, '_>) -> Drawn {
        let mut series: BTreeMap<(&str, &str), Vec<(f64, &Mark)>> = BTreeMap::new();
        for mark in &self.marks {
            let arm = self.arms[mark.arm];
            if let Some(one) = &arm.series {
                let key = (arm.baseline.as_str(), one.name.as_str());
                series.entry(key).or_default().push((one.at, mark));
            }
        }
        for ((_, name), mut arms) in series {
            arms.sort_by(|one, other| one.0.total_cmp(&other.0));
            let colour = self.looks.series(name);
            let points = arms.iter().map(|(_, mark)| mark.place());
            chart.draw_series(LineSeries::new(points, line(1.5, colour.mix(0.7))))?;
        }
        Ok(())
    }

    fn mark(&self, chart: &mut Plane<'_, '_>, mark: &Mark, hits: &mut Hits) -> Drawn {
        let (arm, colour, place) = (
            self.arms[mark.arm],
            self.looks.colour(mark.arm),
            mark.place(),
        );
        let area = chart.plotting_area();
        for (ends, across) in [(mark.tax, true), (mark.value, false)] {
            if let Some(interval) = ends.interval {
                let end = |value: f64| match across {
                    true => (value, place.1),
                    false => (place.0, value),
                };
                let bar = [end(interval.low), end(interval.high)];
                area.draw(&PathElement::new(bar, line(1.25, colour.mix(0.55))))?;
            }
        }
        for (bound, shaft, head) in [
            (
                mark.value.mean,
                [(0.0, -6.0), (0.0, -15.0)],
                [(-3.5, -11.0), (0.0, -15.0), (3.5, -11.0)],
            ),
            (
                mark.tax.mean,
                [(6.0, 0.0), (15.0, 0.0)],
                [(11.0, -3.5), (15.0, 0.0), (11.0, 3.5)],
            ),
        ] {
            if bound.least {
                let pen = line(1.5, colour);
                area.draw(
                    &(EmptyElement::at(place)
                        + PathElement::new(shaft.map(|(x, y)| (px(x), px(y))), pen)
                        + PathElement::new(head.map(|(x, y)| (px(x), px(y))), pen)),
                )?;
            }
        }
        match arm.control {
            None => area.draw(&Circle::new(place, px(4.5), colour.filled()))?,
            Some(_) => {
                area.draw(&Circle::new(place, px(4.25), PAPER.filled()))?;
                area.draw(&Circle::new(place, px(4.0), line(1.75, colour)))?;
            }
        }
        let interval = |centre: Centre| {
            let text = said(centre.mean);
            centre.interval.map_or(text.clone(), |interval| {
                format!(
                    "{text} ({} to {})",
                    number(interval.low),
                    number(interval.high)
                )
            })
        };
        let title = format!(
            "{}: {} {}, tax {}, {}",
            arm.name,
            self.shown.label(),
            interval(mark.value),
            interval(mark.tax),
            count(mark.runs, "seed", "seeds")
        );
        hits.circle(area.map_coordinate(&place), 7.0, &title);
        Ok(())
    }

    /// The names, or letters for them; `false` where they have no room.
    fn names(
        &self,
        on: &Area<'_>,
        chart: &mut Plane<'_, '_>,
        names: Names,
        taken: &[Box],
    ) -> Result<bool, std::boxed::Box<dyn std::error::Error>> {
        let area = chart.plotting_area();
        let points = self.marks.iter().map(|mark| {
            let (x, y) = area.map_coordinate(&mark.place());
            (pixels(x), pixels(y))
        });
        let points: Vec<(f64, f64)> = points.collect();
        let words: Vec<String> = match names {
            Names::Whole => {
                let marks = self.marks.iter();
                marks
                    .map(|mark| shorten(&self.arms[mark.arm].label, NAME))
                    .collect()
            }
            Names::Letters => {
                let marks = self.marks.iter();
                marks.map(|mark| self.looks.key(mark.arm).letter).collect()
            }
        };
        let size = |word: &String| (width(word) as f64 * LETTER.0 + 2.0, LETTER.1);
        let sizes: Vec<(f64, f64)> = words.iter().map(size).collect();
        let (across, down) = area.get_pixel_range();
        let room = Box::between(across, down);
        let reach = match names {
            Names::Whole => NAME_REACH,
            Names::Letters => LETTER_REACH,
        };
        let arrows = self.marks.iter().zip(&points).flat_map(|(mark, &(x, y))| {
            let arrow = |wanted: bool, x: f64, y: f64, across: bool| {
                wanted.then_some(Box {
                    x,
                    y,
                    half_width: if across { 9.0 } else { 4.0 },
                    half_height: if across { 4.0 } else { 9.0 },
                })
            };
            let up = arrow(mark.value.mean.least, x, y - 8.0, false);
            up.into_iter()
                .chain(arrow(mark.tax.mean.least, x + 8.0, y, true))
        });
        let taken: Vec<Box> = taken.iter().copied().chain(arrows).collect();
        let Some(found) = places(&points, &sizes, room, &taken, reach) else {
            return Ok(false);
        };
        for (((word, &(x, y)), mark), &point) in
            words.iter().zip(&found).zip(&self.marks).zip(&points)
        {
            let colour = self.looks.colour(mark.arm);
            lead(on, point, (x, y), size(word), colour)?;
            let letters = text(LETTER.1 - 1.0, colour, HPos::Center, VPos::Center);
            on.draw(&Text::new(word.clone(), (px(x), px(y)), letters))?;
        }
        Ok(true)
    }
}

/// What stands beside the marks.
#[derive(Clone, Copy)]
enum Names {
    Whole,
    Letters,
}

impl Mark {
    fn place(&self) -> (f64, f64) {
        (self.tax.mean.value, self.value.mean.value)
    }
}

fn said(bound: Bound) -> String {
    let least = if bound.least { "at least " } else { "" };
    format!("{least}{}", number(bound.value))
}
