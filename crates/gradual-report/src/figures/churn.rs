//! How well groups fit the capabilities and how much they change, over time, a panel per arm.

use gradual_measure::Curve;
use gradual_runs::GroupingRecord;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::Figure;
use super::axis::{self, Layout, LinearAxis};
use super::canvas::{Frame, line, text};
use super::hits::thinned;
use super::series;
use super::svg::px;
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::{number, share, steps};
use crate::style::{self, INK};
use crate::table::{Cell, Table};

/// Names, what they are of a grouping, and colours by index of arm colours.
type Kind = (&'static str, fn(&GroupingRecord) -> Option<f64>, usize);

const KINDS: [Kind; 2] = [
    ("recovery", |one| one.recovery, 0),
    ("changed", |one| one.churn.map(|churn| churn.changed), 1),
];

/// Columns of pixels of a panel.
const COLUMNS: usize = 320;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let mut data = Table::new(
        "churn",
        &[
            "arm",
            "seed",
            "step",
            "groups",
            "recovery",
            "changed",
            "births",
            "deaths",
            "adjusted_rand",
        ],
    );
    let mut panels = Vec::new();
    for arm in folder.shown() {
        let end = folder.end_of(arm);
        let runs = arm.counted();
        let lines: Vec<(&Kind, Curve)> = KINDS
            .iter()
            .filter_map(|kind| Some((kind, series::over_groupings(&runs, kind.1)?)))
            .collect();
        if lines.is_empty() {
            continue;
        }
        for run in &runs {
            for one in &run.groupings {
                let churn = one.churn;
                data.push([
                    arm.name.as_str().into(),
                    run.seed.into(),
                    one.step.into(),
                    one.groups.into(),
                    one.recovery.into(),
                    churn.map(|churn| churn.changed).into(),
                    Cell::Whole(churn.map(|churn| churn.births)),
                    Cell::Whole(churn.map(|churn| churn.deaths)),
                    churn.and_then(|churn| churn.adjusted_rand).into(),
                ]);
            }
        }
        let frame = Frame {
            figure: "churn",
            arm: &arm.label,
            about: format!(
                "Recovery and change of the groups over time, arm {}",
                arm.name
            ),
            size: (360, 210),
            legend: None,
        };
        let layout = Layout {
            x_label: "step",
            y_label: "",
            left: 30.0,
            y_ticks: true,
        };
        panels.push(frame.draw(|area, hits| {
            let axes = (
                LinearAxis::new(0.0, end, steps),
                LinearAxis::new(-0.05, 1.05, share),
            );
            let (key, plot) = area.split_vertically(px(16.0));
            axis::chart(&plot, &layout, axes, |chart| {
                for ((name, _, colour), curve) in &lines {
                    let points = series::points(&curve.clamp(-0.05, 1.05), end / 20.0);
                    let points = series::drawn(&points, COLUMNS);
                    chart.draw_series(LineSeries::new(points, line(1.75, style::arm(*colour))))?;
                    for at in thinned(curve.len(), 30) {
                        let (step, value) = (curve.steps()[at], curve.values()[at]);
                        let place = chart.plotting_area().map_coordinate(&(step, value));
                        let title = format!("{name}, step {}: {}", number(step), number(value));
                        hits.circle(place, 5.0, &title);
                    }
                }
                Ok(())
            })?;
            for (at, ((name, _, colour), _)) in lines.iter().enumerate() {
                let (x, y) = (px(40.0 + 90.0 * at as f64), px(8.0));
                key.draw(&Circle::new((x, y), px(4.0), style::arm(*colour).filled()))?;
                let letters = text(11.0, INK, HPos::Left, VPos::Center);
                key.draw(&Text::new((*name).to_owned(), (x + px(8.0), y), letters))?;
            }
            Ok(())
        })?);
    }
    Ok(Figure {
        title: "Groups over time",
        caption: "Recovery: adjusted Rand index of the groups against the capabilities (1: the same, 0: chance). \
                  Changed: share of the examples whose group is another than before, where groups are followed. Mean \
                  over seeds."
            .to_owned(),
        legend: None,
        panels,
        data,
        aside: false,
    })
}
