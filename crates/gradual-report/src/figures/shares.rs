//! The share of the coefficients that falls on each capability, over time, a panel per arm.

use plotters::prelude::*;

use super::Figure;
use super::axis;
use super::canvas::{Frame, line};
use super::hits::{spread, thinned};
use super::series::{self, Order};
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::{number, whole};
use crate::style::{self, PAPER};
use crate::table::Table;

/// Bands of a panel: of more capabilities, neighbours share one.
const MOST: usize = 40;
/// Steps that a band shows, and all bands of a panel.
const COLUMNS: usize = 320;
const POINTS: usize = 2400;
/// Shapes of a panel that can be pointed at.
const POINTED: usize = 120;

/// What a band is called.
fn name(capabilities: &[String]) -> String {
    match capabilities {
        [] => String::new(),
        [one] => one.clone(),
        [first, .., last] => format!("{first} to {last}, {} capabilities", capabilities.len()),
    }
}

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let size = order.all.len().div_ceil(MOST).max(1);
    let bands: Vec<&[String]> = order.all.chunks(size).collect();
    let said: Vec<String> = bands.iter().map(|names| name(names)).collect();
    let columns = (POINTS / bands.len().max(1)).min(COLUMNS);
    let pointed = (POINTED / bands.len().max(1)).clamp(2, 12);
    let mut data = Table::new("shares", &["arm", "capability", "step", "share"]);
    let mut panels = Vec::new();
    for arm in folder.shown() {
        let end = folder.end_of(arm);
        let runs = arm.counted();
        let has_shares =
            |run: &&crate::folder::Run| run.groupings.iter().any(|line| !line.shares.is_empty());
        if !runs.iter().any(has_shares) {
            continue;
        }
        let frame = Frame {
            figure: "shares",
            arm: &arm.label,
            about: format!(
                "Share of the coefficients per capability against steps, arm {}",
                arm.name
            ),
            size: (360, 250),
            legend: Some(&order.ends),
        };
        panels.push(frame.draw(|area, hits| {
            axis::shares_over_steps(area, "share of Σ|c|", end, |chart| {
                // From the lowest band up; every band is drawn from the sums below and above it.
                let mut below: Option<Vec<(f64, f64)>> = None;
                for (index, names) in bands.iter().enumerate() {
                    let share = series::over_groupings(&runs, |one| {
                        let missing = one.shares.is_empty();
                        let shares = names.iter().filter_map(|name| one.shares.get(name));
                        (!missing).then(|| shares.sum())
                    });
                    let Some(share) = share else { continue };
                    let name = &said[index];
                    for (step, value) in share.steps().iter().zip(share.values()) {
                        data.push([
                            arm.name.as_str().into(),
                            name.as_str().into(),
                            (*step).into(),
                            (*value).into(),
                        ]);
                    }
                    let band = series::points(&share, end / 20.0);
                    let band: Vec<(f64, f64)> =
                        spread(band.len(), columns).map(|at| band[at]).collect();
                    let base = below
                        .unwrap_or_else(|| band.iter().map(|&(step, _)| (step, 0.0)).collect());
                    let top: Vec<(f64, f64)> = band
                        .iter()
                        .zip(&base)
                        .map(|(&(step, share), &(_, sum))| (step, sum + share))
                        .collect();
                    let outline: Vec<(f64, f64)> =
                        base.iter().chain(top.iter().rev()).copied().collect();
                    let colour = style::ramp(index as f64 / (bands.len().max(2) - 1) as f64);
                    chart.draw_series([Polygon::new(outline, colour.filled())])?;
                    chart.draw_series(LineSeries::new(top.clone(), line(0.5, PAPER)))?;
                    let shown: Vec<usize> = thinned(top.len(), pointed).collect();
                    for pair in shown.windows(2) {
                        let (from, to) = (pair[0], pair[1]);
                        let corners = [(top[from].0, base[from].1), (top[to].0, top[from].1)]
                            .map(|at| chart.plotting_area().map_coordinate(&at));
                        let (step, value) = band[from];
                        let title = format!("{name}, step {}: {}", number(step), number(value));
                        hits.rectangle(corners[0], corners[1], &title);
                    }
                    below = Some(top);
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Where the gradient goes",
        caption: format!(
            "Fraction of the coefficient mass Σ|c| that falls on the examples of each capability, mean over seeds, most \
             frequent at the bottom. Under the mean loss this is the share of the data.{}",
            if size > 1 {
                format!(
                    " Each band is {size} capabilities of {}, neighbours in this order.",
                    whole(order.all.len())
                )
            } else {
                String::new()
            }
        ),
        legend: order.legend(),
        panels,
        data,
        aside: false,
    })
}
