//! Capability curves by one measure against steps, a panel per arm.

use gradual_measure::{Curve, Measure};
use plotters::prelude::*;

use super::Figure;
use super::axis::{self, Layout, LinearAxis};
use super::canvas::{Frame, line};
use super::hits::thinned;
use super::series::{self, Band, Order};
use super::svg::px;
use crate::ReportError;
use crate::folder::{Folder, Run};
use crate::numbers::{number, steps};
use crate::style::{self, INK, MUTED, PAPER};
use crate::table::Table;

/// Points of a line that can be pointed at, and of all thin lines of a panel.
const POINTED: usize = 14;
const POINTED_IN_ALL: usize = 160;
/// Columns of pixels of a panel, and points of all thin lines.
const COLUMNS: usize = 320;
const POINTS: usize = 8000;

pub(crate) fn figure(folder: &Folder, measure: Measure) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let words = Words::of(measure);
    let mut data = Table::new(
        words.name,
        &["arm", "capability", "step", "mean", "lowest", "highest"],
    );
    let mut drawn = Vec::new();
    for arm in folder.shown() {
        let runs = arm.counted();
        let all = order.all.iter();
        let means: Vec<Curve> = all
            .filter_map(|name| series::mean(&by(&runs, name, measure)))
            .collect();
        let Some(mean) = series::mean(&means) else {
            continue;
        };
        let bands: Vec<(usize, &str, Band)> = order
            .names
            .iter()
            .enumerate()
            .filter_map(|(index, name)| {
                let band = Band::of(&by(&runs, name, measure))?;
                Some((index, name.as_str(), band))
            })
            .collect();
        drawn.push((arm, mean, bands));
    }
    // One axis for all panels, which are compared.
    let all = drawn.iter().flat_map(|(_, _, bands)| bands);
    let lows = all.flat_map(|(_, _, band)| band.mean.values().iter().copied());
    let skills = LinearAxis::of_skill(lows);
    let mut panels = Vec::new();
    for (arm, mean, bands) in drawn {
        let end = folder.end_of(arm);
        // Many lines cover each other: each of them is drawn more coarsely.
        let columns = COLUMNS.min(POINTS / 4 / bands.len().max(1));
        let pointed = POINTED.min(POINTED_IN_ALL / bands.len().max(1)).max(2);
        for (_, name, band) in &bands {
            for (step, mean, low, high) in band.points() {
                data.push([
                    arm.name.as_str().into(),
                    (*name).into(),
                    step.into(),
                    mean.into(),
                    low.into(),
                    high.into(),
                ]);
            }
        }
        let frame = Frame {
            figure: words.name,
            arm: &arm.label,
            about: format!(
                "{} of every capability against steps, arm {}",
                words.title, arm.name
            ),
            size: (360, 250),
            legend: Some(&order.ends),
        };
        let layout = Layout {
            x_label: "step",
            y_label: words.axis,
            left: 30.0,
            y_ticks: true,
        };
        panels.push(frame.draw(|area, hits| {
            let axes = (LinearAxis::new(0.0, end, steps), skills);
            let (low, high) = skills.ends();
            axis::chart(area, &layout, axes, |chart| {
                if let Some(end) = folder.baseline_end(arm) {
                    let upright = [(end, low), (end, high)];
                    chart.draw_series(DashedLineSeries::new(upright, 12, 12, line(1.0, MUTED)))?;
                }
                for (index, name, band) in &bands {
                    let colour = style::ramp(order.share(*index));
                    let points = series::points(&band.mean.clamp(low, high), end / 20.0);
                    let shown = series::drawn(&points, columns);
                    chart.draw_series(LineSeries::new(shown, line(1.25, colour)))?;
                    for at in thinned(points.len(), pointed) {
                        let (step, value) = points[at];
                        let place = chart.plotting_area().map_coordinate(&(step, value));
                        let title = format!(
                            "{name}, step {}: {}",
                            number(step),
                            number(band.mean.at(step))
                        );
                        hits.circle(place, 4.0, &title);
                    }
                }
                let points = series::points(&mean.clamp(low, high), end / 20.0);
                let points = series::drawn(&points, COLUMNS);
                chart.draw_series(LineSeries::new(points.clone(), line(4.0, PAPER)))?;
                chart.draw_series(LineSeries::new(points, line(2.25, INK)))?;
                for at in thinned(mean.len(), POINTED) {
                    let (step, value) = (mean.steps()[at], mean.values()[at]);
                    let place = (step, skills.clamp(value));
                    let place = chart.plotting_area().map_coordinate(&place);
                    let title = format!("mean, step {}: {}", number(step), number(value));
                    hits.rectangle(
                        (place.0 - px(4.0), place.1 - px(4.0)),
                        (place.0 + px(4.0), place.1 + px(4.0)),
                        &title,
                    );
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: words.title,
        caption: format!(
            "{} against optimizer steps, mean over seeds. One line per capability; the thick line is the mean over \
             capabilities.{}{}",
            words.about,
            match folder.shown().any(|arm| folder.baseline_end(arm).is_some()) {
                true => " Dashed, in a panel of more steps: where the runs of the baseline end.",
                false => "",
            },
            order.sampled()
        ),
        legend: order.legend(),
        panels,
        data,
        aside: measure != Measure::Accuracy,
    })
}

/// The curves of a capability, one for each run that has it.
fn by(runs: &[&Run], name: &str, measure: Measure) -> Vec<Curve> {
    let curves = runs.iter().map(|run| &run.curves);
    curves
        .filter_map(|curves| curves.capability(name)?.by(measure).cloned())
        .collect()
}

/// What a measure is called.
struct Words {
    name: &'static str,
    title: &'static str,
    axis: &'static str,
    about: &'static str,
}

impl Words {
    fn of(measure: Measure) -> Self {
        match measure {
            Measure::Accuracy => Self {
                name: "curves",
                title: "Capability curves",
                axis: "skill",
                about: "Skill (accuracy above chance, 1 is perfect)",
            },
            Measure::Loss => Self {
                name: "curves-loss",
                title: "Curves by loss",
                axis: "loss gone",
                about: "Share of the first loss that is gone (1 is no loss left)",
            },
            Measure::Probability => Self {
                name: "curves-probability",
                title: "Curves by probability of the right answer",
                axis: "probability",
                about: "Probability of the right answer above chance",
            },
            Measure::Progress => Self {
                name: "curves-progress",
                title: "Hidden progress",
                axis: "progress",
                about: "Progress inside the model, as the task measures it",
            },
        }
    }
}
