//! The share of coefficients below zero, over time, a panel per arm whose groups are signed.

use gradual_measure::Curve;
use plotters::prelude::*;

use super::Figure;
use super::axis::{self, LinearAxis};
use super::canvas::{Frame, line};
use super::hits::thinned;
use super::series;
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::number;
use crate::style::{self, MUTED};
use crate::table::Table;

/// Columns of pixels of a panel.
const COLUMNS: usize = 320;
/// Half of the examples pull against the other half.
const BALANCE: f64 = 0.5;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let mut data = Table::new("signs", &["arm", "seed", "step", "negative"]);
    let mut panels = Vec::new();
    for arm in folder.shown() {
        let end = folder.end_of(arm);
        let runs = arm.counted();
        let Some(share) = series::over_groupings(&runs, |one| one.negative) else {
            continue;
        };
        for run in &runs {
            for one in run.groupings.iter().filter(|one| one.negative.is_some()) {
                data.push([
                    arm.name.as_str().into(),
                    run.seed.into(),
                    one.step.into(),
                    one.negative.into(),
                ]);
            }
        }
        let frame = Frame {
            figure: "signs",
            arm: &arm.label,
            about: format!(
                "Share of negative coefficients against steps, arm {}",
                arm.name
            ),
            size: (360, 250),
            legend: None,
        };
        panels.push(frame.draw(|area, hits| {
            axis::shares_over_steps(area, "share of coefficients below zero", end, |chart| {
                let balance = [(0.0, BALANCE), (end, BALANCE)];
                chart.draw_series(DashedLineSeries::new(balance, 4, 12, line(0.75, MUTED)))?;
                draw(chart, hits, &share, end)
            })
        })?);
    }
    Ok(Figure {
        title: "Against the gradient",
        caption: "Share of the draw's coefficients below zero, whose examples a step makes worse: mean over seeds. \
                  Dashed: one half, where those that are learned and those that are unlearned are as many."
            .to_owned(),
        legend: None,
        panels,
        data,
        aside: false,
    })
}

fn draw(
    chart: &mut axis::Chart<'_, '_, LinearAxis, LinearAxis>,
    hits: &mut super::hits::Hits,
    share: &Curve,
    end: f64,
) -> super::canvas::Drawn {
    let points = series::drawn(&series::points(share, end / 20.0), COLUMNS);
    chart.draw_series(LineSeries::new(points, line(1.75, style::arm(0))))?;
    for at in thinned(share.len(), 30) {
        let (step, value) = (share.steps()[at], share.values()[at]);
        let place = chart.plotting_area().map_coordinate(&(step, value));
        let title = format!("step {}: {}", number(step), number(value));
        hits.circle(place, 5.0, &title);
    }
    Ok(())
}
