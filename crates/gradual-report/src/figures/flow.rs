//! Which capabilities make up which group, over time, a panel per arm.

use gradual_runs::GroupingRecord;
use plotters::prelude::*;

use super::Figure;
use super::axis;
use super::canvas::{Frame, line};
use super::hits::thinned;
use super::series::Order;
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::number;
use crate::style::{self, PAPER};
use crate::table::{Cell, Table};

/// Columns.
const COLUMNS: usize = 18;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let end = folder.last_step();
    let mut data = Table::new(
        "flow",
        &[
            "arm",
            "seed",
            "step",
            "group",
            "identity",
            "capability",
            "examples",
        ],
    );
    let mut panels = Vec::new();
    for arm in folder.with_runs() {
        let known = |one: &&GroupingRecord| !one.members.is_empty();
        let lines = arm.counted().into_iter().map(|run| {
            let mut lines: Vec<&GroupingRecord> = run.groupings.iter().filter(known).collect();
            lines.sort_by_key(|one| one.step);
            (run.seed, lines)
        });
        let Some((seed, lines)) = lines.into_iter().find(|(_, lines)| !lines.is_empty()) else {
            continue;
        };
        let shown: Vec<&GroupingRecord> =
            thinned(lines.len(), COLUMNS).map(|at| lines[at]).collect();
        for one in &shown {
            for (group, members) in one.members.iter().enumerate() {
                for (name, examples) in members {
                    data.push([
                        arm.name.as_str().into(),
                        seed.into(),
                        one.step.into(),
                        group.into(),
                        Cell::Whole(one.identities.get(group).copied()),
                        name.as_str().into(),
                        (*examples).into(),
                    ]);
                }
            }
        }
        let frame = Frame {
            figure: "flow",
            arm: &arm.name,
            about: format!("Capabilities in every group over time, arm {}", arm.name),
            size: (360, 320),
            legend: Some(&order.ends),
        };
        panels.push(frame.draw(|area, hits| {
            axis::shares_over_steps(area, "share of the examples", end, |chart| {
                for (column, one) in shown.iter().enumerate() {
                    let middle = |at: usize| (shown[at].step + shown[at + 1].step) as f64 / 2.0;
                    let from = column.checked_sub(1).map_or(0.0, middle);
                    let to = if column + 1 < shown.len() {
                        middle(column)
                    } else {
                        end
                    };
                    let mut below = 0.0;
                    for stack in stacks(one, &order) {
                        let bottom = below;
                        for (index, share) in &stack.parts {
                            let corners = [(from, below), (to, below + share)];
                            below += share;
                            let colour = style::ramp(order.share(*index));
                            chart.draw_series([Rectangle::new(corners, colour.filled())])?;
                        }
                        // Groups stand apart, columns a little too.
                        let top = [(from, below), (to, below)];
                        chart.draw_series(LineSeries::new(top, line(1.25, PAPER)))?;
                        let corners = [(from, bottom), (to, below)];
                        let place = corners.map(|at| chart.plotting_area().map_coordinate(&at));
                        let title = format!("step {}, {}", number(one.step as f64), stack.title);
                        hits.rectangle(place[0], place[1], &title);
                    }
                    if column > 0 {
                        let side = [(from, 0.0), (from, 1.0)];
                        chart.draw_series(LineSeries::new(side, line(2.5, PAPER)))?;
                    }
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Group flow",
        caption: "What the groups are made of, first seed: a column for a step, cut into groups, coloured \
                  by the capabilities of their examples. A group of one colour is one capability. Groups that are \
                  followed keep their place in the column."
            .to_owned(),
        legend: None,
        panels,
        data,
        aside: false,
    })
}

/// One group in a column.
struct Stack {
    /// Index of the capability, share of all examples.
    parts: Vec<(usize, f64)>,
    title: String,
}

/// The groups of one step from the bottom up: by identity where they have one, else by their main
/// capability.
fn stacks(one: &GroupingRecord, order: &Order) -> Vec<Stack> {
    let total: u64 = one.members.iter().flat_map(|group| group.values()).sum();
    let mut stacks: Vec<(u64, Stack)> = one
        .members
        .iter()
        .enumerate()
        .filter(|(_, members)| members.values().any(|&examples| examples > 0))
        .map(|(group, members)| {
            let parts: Vec<(usize, f64)> = order
                .names
                .iter()
                .enumerate()
                .filter_map(|(index, name)| {
                    let examples = *members.get(name)?;
                    (examples > 0).then(|| (index, examples as f64 / total as f64))
                })
                .collect();
            let main = parts.iter().max_by(|a, b| a.1.total_cmp(&b.1));
            let identity = one.identities.get(group).copied();
            let place = identity.unwrap_or(main.map_or(0, |part| part.0 as u64));
            let mut counts: Vec<(&String, &u64)> = members.iter().collect();
            counts.sort_by(|a, b| b.1.cmp(a.1));
            let said: Vec<String> = counts
                .iter()
                .take(5)
                .map(|(name, examples)| format!("{name} {examples}"))
                .collect();
            let title = format!(
                "group {}: {}",
                identity.unwrap_or(group as u64),
                said.join(", ")
            );
            (place, Stack { parts, title })
        })
        .collect();
    stacks.sort_by_key(|(place, _)| *place);
    stacks.into_iter().map(|(_, stack)| stack).collect()
}
