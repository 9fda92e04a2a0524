//! All arms in one panel: mean skill against each clock, and the worst capability.

use gradual_measure::{Curve, statistics::mean};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{self, Chart, Layout, LinearAxis};
use super::canvas::{Area, Drawn, Frame, line, text};
use super::hits::thinned;
use super::legend;
use super::looks::Looks;
use super::places::{Box, lead, places};
use super::series::{self, Band};
use super::svg::{pixels, px};
use super::{Figure, Panel};
use crate::ReportError;
use crate::folder::{Folder, Run};
use crate::numbers::{count, number, steps, tick};
use crate::style::PAPER;
use crate::table::Table;

/// Points of a line that can be pointed at, and of all lines of a panel.
const POINTED: usize = 30;
const POINTED_IN_ALL: usize = 400;
/// Columns of pixels of a panel, and points of all lines.
const COLUMNS: usize = 320;
const POINTS: usize = 8000;

/// Width and height of a letter in pixels, and how far from its line it may stand.
const LETTER: (f64, f64) = (6.0, 10.0);
const REACH: f64 = 160.0;
/// From the height of one letter to that of the next, in lines: a number without a part in theirs, mostly.
const STRIDE: usize = 7;

/// What skill is shown against.
#[derive(Clone, Copy, PartialEq)]
enum Clock {
    Steps,
    Examples,
    Compute,
    Seconds,
    Loss,
}

impl Clock {
    fn label(self) -> &'static str {
        match self {
            Self::Steps => "step",
            Self::Examples => "examples seen",
            Self::Compute => "floating-point operations",
            Self::Seconds => "seconds of training",
            Self::Loss => "mean held-out loss (nats)",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Examples => "examples",
            Self::Compute => "compute",
            Self::Seconds => "seconds",
            Self::Loss => "loss",
        }
    }

    /// Skill, given against steps, against this clock instead; `None` where the run doesn't tell.
    fn of(self, run: &Run, skill: &Curve) -> Option<Curve> {
        let along = |time: &Curve| {
            let points = skill.steps().iter().zip(skill.values());
            increasing(points.map(|(&step, &value)| (time.at(step), value)))
        };
        match self {
            Self::Steps => Some(skill.clone()),
            Self::Examples => along(&run.curves.examples.from_origin(0.0)),
            Self::Compute => along(&run.curves.compute.as_ref()?.from_origin(0.0)),
            Self::Seconds => {
                let (steps, seconds) = run
                    .clock()
                    .iter()
                    .map(|one| (one.step as f64, one.seconds))
                    .unzip();
                along(&Curve::new(steps, seconds).ok()?.from_origin(0.0))
            }
            // Against a loss that falls: the points from the last one back, where it is a new low.
            Self::Loss => {
                let losses: Vec<Curve> = run.curves.counted().map(|one| one.loss.clone()).collect();
                let loss = Curve::mean(&losses).ok()?;
                let mut lowest = f64::INFINITY;
                let mut points: Vec<(f64, f64)> = Vec::new();
                for (&step, &loss) in loss.steps().iter().zip(loss.values()) {
                    if loss < lowest && loss >= 0.0 {
                        lowest = loss;
                        points.push((loss, skill.at(step)));
                    }
                }
                increasing(points.into_iter().rev())
            }
        }
    }
}

/// A curve through points of which those that do not go on are left out.
fn increasing(points: impl Iterator<Item = (f64, f64)>) -> Option<Curve> {
    let mut last = f64::NEG_INFINITY;
    let kept = points.filter(|&(x, _)| {
        let goes_on = x > last;
        last = last.max(x);
        goes_on
    });
    let (x, y) = kept.unzip();
    Curve::new(x, y).ok()
}

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let mut data = Table::new(
        "overlay",
        &["of", "against", "arm", "at", "mean", "lowest", "highest"],
    );
    let mean_skill = |run: &Run| Curve::mean(&run.curves.skills()).ok();
    let worst_skill = |run: &Run| Curve::lowest(&run.curves.skills()).ok();
    let looks = Looks::of(folder);
    let mut panels = Vec::new();
    let runs = || folder.with_runs().flat_map(|arm| &arm.runs);
    let draws: Vec<f64> = runs().map(|run| run.config.draw as f64).collect();
    // Where every step has as many examples, the curves against both are the same.
    let same =
        mean(&draws).is_some_and(|mean| mean > 0.0 && draws.iter().all(|&draw| draw == mean));
    for clock in [
        Clock::Steps,
        Clock::Examples,
        Clock::Compute,
        Clock::Seconds,
        Clock::Loss,
    ] {
        if clock == Clock::Examples && same {
            continue;
        }
        panels.extend(panel(
            folder,
            &looks,
            "mean skill",
            clock,
            &mean_skill,
            &mut data,
        )?);
    }
    if folder.has_several_capabilities() {
        panels.extend(panel(
            folder,
            &looks,
            "worst skill",
            Clock::Steps,
            &worst_skill,
            &mut data,
        )?);
    }
    let per_step = match (same, draws.first()) {
        // 0 where it is not told.
        (true, Some(&draw)) if draw > 0.0 => {
            let examples = count(draw as usize, "example", "examples");
            format!(" Each step sees {examples}.")
        }
        _ => String::new(),
    };
    Ok(Figure {
        title: "All arms",
        caption: format!(
            "Skill of the mean and of the worst capability, mean over seeds; the bands go from the lowest seed to the \
             highest.{per_step} Against the mean held-out loss (which falls from left to right), curves of arms \
             that learn the same things in the same order lie on each other, however fast they are (Xia et al. 2023)."
        ),
        legend: None,
        panels,
        data,
        aside: false,
    })
}

fn panel(
    folder: &Folder,
    looks: &Looks<'_>,
    of: &str,
    clock: Clock,
    skill: &dyn Fn(&Run) -> Option<Curve>,
    data: &mut Table,
) -> Result<Option<Panel>, ReportError> {
    let names: Vec<&str> = folder.shown().map(|arm| arm.name.as_str()).collect();
    let bands: Vec<(usize, Band)> = folder
        .shown()
        .enumerate()
        .filter_map(|(index, arm)| {
            let curves = arm.counted().into_iter();
            let curves: Vec<Curve> = curves
                .filter_map(|run| clock.of(run, &skill(run)?))
                .collect();
            Some((index, Band::of(&curves)?))
        })
        .collect();
    if bands.is_empty() {
        return Ok(None);
    }
    for (index, band) in &bands {
        for (at, mean, low, high) in band.points() {
            data.push([
                of.into(),
                clock.name().into(),
                names[*index].into(),
                at.into(),
                mean.into(),
                low.into(),
                high.into(),
            ]);
        }
    }
    let ends = |of: fn(&Curve) -> f64| bands.iter().map(move |(_, band)| of(&band.mean));
    let (first, last) = (
        ends(Curve::first_step).fold(f64::INFINITY, f64::min),
        ends(Curve::last_step).fold(0.0, f64::max),
    );
    let low = if clock == Clock::Loss { first } else { 0.0 };
    let x = LinearAxis::new(low, last, if clock == Clock::Steps { steps } else { tick });
    let x = if clock == Clock::Loss {
        x.reversed()
    } else {
        x
    };
    let key = of.split(' ').next().unwrap_or(of);
    let below = legend::height(names.len());
    let frame = Frame {
        figure: &format!("overlay-{key}-{}", clock.name()),
        arm: "",
        about: format!("{of} of all arms against {}", clock.label()),
        size: (360, 240 + below as u32),
        legend: None,
    };
    let layout = Layout {
        x_label: clock.label(),
        y_label: of,
        left: 30.0,
        y_ticks: true,
    };
    // Many lines cover each other: each of them is drawn more coarsely.
    let columns = COLUMNS.min(POINTS / 8 / bands.len());
    let pointed = POINTED.min(POINTED_IN_ALL / bands.len()).max(2);
    let drawn = frame.draw(|area, hits| {
        let (plot, key) = area.split_vertically(px(236.0));
        let lows = bands.iter().flat_map(|(_, band)| band.points());
        let y = LinearAxis::of_skill(lows.map(|(_, _, low, _)| low));
        // Where two arms have one colour, letters tell the lines apart.
        let mut letters = Vec::new();
        axis::chart(&plot, &layout, (x, y), |chart| {
            for (index, band) in &bands {
                let colour = looks.colour(*index);
                let edge = |high: bool| {
                    let points = band.points();
                    let points = points
                        .map(move |(at, _, low, top)| (at, y.clamp(if high { top } else { low })));
                    series::drawn(&points.collect::<Vec<_>>(), columns)
                };
                let mut outline = edge(true);
                let mut lower = edge(false);
                lower.reverse();
                outline.extend(lower);
                chart.draw_series([Polygon::new(outline, colour.mix(0.18).filled())])?;
            }
            for (rank, (index, band)) in bands.iter().enumerate() {
                let points = band.points().map(|(at, mean, ..)| (at, y.clamp(mean)));
                let points = series::drawn(&points.collect::<Vec<_>>(), columns);
                chart.draw_series(LineSeries::new(points, line(1.75, looks.colour(*index))))?;
                let all: Vec<_> = band.points().collect();
                for at in thinned(all.len(), pointed) {
                    let (x, mean, low, high) = all[at];
                    let place = chart.plotting_area().map_coordinate(&(x, y.clamp(mean)));
                    let title = format!(
                        "{}, {} {}: {} ({} to {})",
                        names[*index],
                        clock.name(),
                        number(x),
                        number(mean),
                        number(low),
                        number(high)
                    );
                    hits.circle(place, 5.0, &title);
                }
                if looks.any_alike() {
                    let (at, skill) = lettered(&all, rank, bands.len());
                    letters.push((*index, (at, y.clamp(skill))));
                }
            }
            write(&plot, chart, looks, &letters)
        })?;
        legend::draw(&key, &looks.keys())
    })?;
    Ok(Some(drawn))
}

/// Where the letter of the line at `rank` of `lines` stands on it: each at another height, so that lines that rise together
/// have theirs one above the other; at the end of a line that does not get so high.
fn lettered(points: &[(f64, f64, f64, f64)], rank: usize, lines: usize) -> (f64, f64) {
    let level = 0.05 + 0.9 * (rank * STRIDE % lines) as f64 / lines as f64;
    // Against the loss, lines begin at the right.
    let skill = |point: Option<&(f64, f64, f64, f64)>| point.map_or(0.0, |point| point.1);
    let risen = |point: &&(f64, f64, f64, f64)| point.1 >= level;
    let place = match skill(points.first()) <= skill(points.last()) {
        true => points.iter().find(risen).or(points.last()),
        false => points.iter().rev().find(risen).or(points.first()),
    };
    place.map_or((0.0, 0.0), |&(at, mean, ..)| (at, mean))
}

/// Writes the letters of arms beside their places, each where it covers no other.
fn write(
    on: &Area<'_>,
    chart: &Chart<'_, '_, LinearAxis, LinearAxis>,
    looks: &Looks<'_>,
    letters: &[(usize, (f64, f64))],
) -> Drawn {
    let area = chart.plotting_area();
    let points = letters.iter().map(|(_, place)| {
        let (x, y) = area.map_coordinate(place);
        (pixels(x), pixels(y))
    });
    let points: Vec<(f64, f64)> = points.collect();
    let words: Vec<String> = (letters.iter())
        .map(|(index, _)| looks.key(*index).letter)
        .collect();
    let size = |word: &String| (LETTER.0 * word.len() as f64 + 2.0, LETTER.1);
    let sizes: Vec<(f64, f64)> = words.iter().map(size).collect();
    let (across, down) = area.get_pixel_range();
    let Some(found) = places(&points, &sizes, Box::between(across, down), &[], REACH) else {
        return Ok(());
    };
    for (at, (index, _)) in letters.iter().enumerate() {
        let (place, size, colour) = (found[at], sizes[at], looks.colour(*index));
        lead(on, points[at], place, size, colour)?;
        let dot = (px(points[at].0), px(points[at].1));
        on.draw(&Circle::new(dot, px(2.0), colour.filled()))?;
        let (x, y) = (px(place.0), px(place.1));
        let half = (px(size.0 / 2.0), px(size.1 / 2.0));
        let ground = [(x - half.0, y - half.1), (x + half.0, y + half.1)];
        on.draw(&Rectangle::new(ground, PAPER.mix(0.8).filled()))?;
        let letters = text(LETTER.1 - 1.0, colour, HPos::Center, VPos::Center);
        on.draw(&Text::new(words[at].clone(), (x, y), letters))?;
    }
    Ok(())
}
