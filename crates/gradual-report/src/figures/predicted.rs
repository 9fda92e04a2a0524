//! Predicted against actual skill: one half of the capabilities against the other, a panel per arm.

use gradual_measure::half_pairs;
use gradual_measure::statistics::mean;
use plotters::prelude::*;

use super::axis::{self, Layout, LinearAxis};
use super::canvas::{Frame, line};
use super::hits::{spread, thinned};
use super::looks::Looks;
use super::svg::px;
use super::{Figure, not_drawn};
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::{number, share};
use crate::style::MUTED;
use crate::table::Table;

/// Stride over the pairs that are shown; coprime to the number of levels, so that all levels appear.
const STRIDE: usize = 11;
/// Points of a panel.
const MOST: usize = 1200;
/// Points of a panel that can be pointed at.
const POINTED: usize = 60;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let mut data = Table::new("predicted", &["arm", "seed", "predicted", "actual"]);
    let looks = Looks::of(folder);
    let mut panels = Vec::new();
    let mut left_out = 0;
    for (index, arm) in folder.shown().enumerate() {
        let runs = arm.counted();
        let mut points: Vec<(f64, f64)> = Vec::new();
        for run in &runs {
            let pairs = half_pairs(&run.curves.skills()).unwrap_or_default();
            for &(predicted, actual) in &pairs {
                data.push([
                    arm.name.as_str().into(),
                    run.seed.into(),
                    predicted.into(),
                    actual.into(),
                ]);
            }
            points.extend(pairs.iter().step_by(STRIDE));
        }
        left_out += points.len().saturating_sub(MOST);
        points = spread(points.len(), MOST).map(|at| points[at]).collect();
        if points.is_empty() {
            continue;
        }
        let halves = || runs.iter().filter_map(|run| run.summary.halves);
        let squared = mean(&halves().map(|one| one.r_squared).collect::<Vec<_>>());
        let needed = mean(&halves().map(|one| one.needed as f64).collect::<Vec<_>>());
        let of = runs
            .iter()
            .map(|run| run.summary.spread.of)
            .max()
            .unwrap_or(0);
        let said = format!(
            "{}: R² {}, {} of {of} to test",
            arm.name,
            squared.map_or_else(|| "–".to_owned(), number),
            needed.map_or_else(|| "–".to_owned(), number),
        );
        let frame = Frame {
            figure: "predicted",
            arm: &arm.label,
            about: format!("Skill of half the capabilities against the other half, arm {said}"),
            size: (360, 330),
            legend: None,
        };
        let layout = Layout {
            x_label: "skill of one half",
            y_label: "skill of the other half",
            left: 30.0,
            y_ticks: true,
        };
        panels.push(frame.draw(|area, hits| {
            let axis = || LinearAxis::new(0.0, 1.0, share);
            axis::chart(area, &layout, (axis(), axis()), |chart| {
                let diagonal = [(0.0, 0.0), (1.0, 1.0)];
                chart.draw_series(LineSeries::new(diagonal, line(1.0, MUTED)))?;
                let colour = looks.colour(index).mix(0.35);
                let dots = points
                    .iter()
                    .map(|&at| Circle::new(at, px(1.75), colour.filled()));
                chart.draw_series(dots)?;
                for at in thinned(points.len(), POINTED) {
                    let (x, y) = points[at];
                    let place = chart.plotting_area().map_coordinate(&(x, y));
                    let title = format!("one half {}, the other {}", number(x), number(y));
                    hits.circle(place, 4.0, &title);
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Predicted against actual skill",
        caption: format!(
            "The mean skill of a random half of the capabilities, taken for that of the other half: 50 random halves at \
             25 levels of mean skill in every run. On the diagonal a few capabilities tell of all, and testing can be \
             sparser; the number to test is in the table “Together”.{}",
            not_drawn(left_out)
        ),
        legend: None,
        panels,
        data,
        aside: false,
    })
}
