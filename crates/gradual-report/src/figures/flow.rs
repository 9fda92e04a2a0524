//! Which capabilities make up which group, over time, a panel per arm.

use std::collections::BTreeMap;

use gradual_runs::GroupingRecord;
use plotters::prelude::*;

use super::Figure;
use super::axis;
use super::canvas::{Frame, line};
use super::hits::thinned;
use super::series::Order;
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::{count, number, whole};
use crate::style::{self, MUTED, PAPER};
use crate::table::{Cell, Table};
use crate::text::shorten;

/// Columns.
const COLUMNS: usize = 18;
/// Groups of a column that are told apart.
const GROUPS: usize = 40;
/// The least share of the examples that a capability is shown with: about a pixel.
const LEAST: f64 = 0.004;
/// Letters of the name of a capability.
const LONGEST: usize = 40;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let names = order.all.iter().map(String::as_str);
    let places: BTreeMap<&str, usize> = names.zip(0..).collect();
    let share_of = |place: usize| place as f64 / (places.len().max(2) - 1) as f64;
    let mut most = 0;
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
    for arm in folder.shown() {
        let end = folder.end_of(arm);
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
            most = most.max(one.members.iter().filter(|group| !group.is_empty()).count());
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
            arm: &arm.label,
            about: format!("Capabilities in every group over time, arm {}", arm.name),
            size: (360, 320),
            legend: Some(&order.ends),
        };
        panels.push(frame.draw(|area, hits| {
            axis::shares_over_steps(area, "share of the examples", end, |chart| {
                for (column, one) in shown.iter().enumerate() {
                    let middle = |at: usize| (shown[at].step + shown[at + 1].step) as f64 / 2.0;
                    let from = column.checked_sub(1).map_or(0.0, middle);
                    // The run may be shorter than the axis.
                    let to = match (column + 1 < shown.len(), one.step as f64) {
                        (true, _) => middle(column),
                        (false, last) if last > from => last,
                        (false, _) => end,
                    };
                    let mut below = 0.0;
                    for stack in stacks(one, &places) {
                        let bottom = below;
                        for (index, share) in &stack.parts {
                            let corners = [(from, below), (to, below + share)];
                            below += share;
                            let colour = index.map_or(MUTED, |index| style::ramp(share_of(index)));
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
        caption: format!(
            "What the groups are made of, first seed: a column for a step, cut into groups, coloured by the \
             capabilities of their examples. A group of one colour is one capability. Groups that are followed keep \
             their place in the column.{}",
            if most > GROUPS {
                format!(
                    " Of up to {} groups the {GROUPS} largest are shown; all others are grey, on top.",
                    whole(most)
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

/// A sum of counts, which stops at the largest number.
fn sum(counts: impl Iterator<Item = u64>) -> u64 {
    counts.fold(0, u64::saturating_add)
}

/// One group in a column, or several small ones.
struct Stack {
    /// Index of the capability, none for several; share of all examples. From the bottom up.
    parts: Vec<(Option<usize>, f64)>,
    title: String,
}

/// The groups of one step from the bottom up: by identity where they have one, else by their main
/// capability. Of more than [`GROUPS`] the smallest are put together, on top.
fn stacks(one: &GroupingRecord, places: &BTreeMap<&str, usize>) -> Vec<Stack> {
    let size = |members: &BTreeMap<String, u64>| sum(members.values().copied());
    let total = sum(one.members.iter().map(size));
    let mut groups: Vec<(usize, &BTreeMap<String, u64>)> = one.members.iter().enumerate().collect();
    groups.retain(|(_, members)| size(members) > 0);
    groups.sort_by_key(|(_, members)| std::cmp::Reverse(size(members)));
    let small = groups.split_off(groups.len().min(GROUPS));
    groups.sort_unstable_by_key(|(group, _)| *group);
    let mut stacks: Vec<(u64, Stack)> = groups
        .into_iter()
        .map(|(group, members)| {
            let mut all: Vec<(usize, u64)> = members
                .iter()
                .filter_map(|(name, &examples)| Some((*places.get(name.as_str())?, examples)))
                .filter(|&(_, examples)| examples > 0)
                .collect();
            all.sort_unstable();
            let main = all.iter().max_by_key(|part| part.1);
            let identity = one.identities.get(group).copied();
            let place = identity.unwrap_or(main.map_or(0, |part| part.0 as u64));
            let mut counts: Vec<(&String, &u64)> = members.iter().collect();
            counts.sort_by(|a, b| b.1.cmp(a.1));
            let said: Vec<String> = counts
                .iter()
                .take(5)
                .map(|(name, examples)| format!("{} {examples}", shorten(name, LONGEST)))
                .collect();
            let title = format!(
                "group {}: {}",
                identity.unwrap_or(group as u64),
                said.join(", ")
            );
            let parts = parts(&all, total);
            (place, Stack { parts, title })
        })
        .collect();
    stacks.sort_by_key(|(place, _)| *place);
    let mut stacks: Vec<Stack> = stacks.into_iter().map(|(_, stack)| stack).collect();
    if !small.is_empty() {
        let examples = sum(small.iter().map(|(_, members)| size(members)));
        stacks.push(Stack {
            parts: vec![(None, examples as f64 / total as f64)],
            title: format!(
                "{}: {}",
                count(small.len(), "smaller group", "smaller groups"),
                count(examples as usize, "example", "examples")
            ),
        });
    }
    stacks
}

/// The shares of the capabilities of a group, (place, examples) in order; those too small to be seen are put together.
fn parts(all: &[(usize, u64)], total: u64) -> Vec<(Option<usize>, f64)> {
    let share = |examples: u64| examples as f64 / total as f64;
    let mut parts: Vec<(Option<usize>, f64)> = Vec::new();
    let mut rest = 0_u64;
    for &(place, examples) in all {
        if share(examples) < LEAST && all.len() > 2 {
            rest = rest.saturating_add(examples);
        } else {
            parts.push((Some(place), share(examples)));
        }
    }
    parts.extend((rest > 0).then(|| (None, share(rest))));
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_counts_end_at_the_largest() {
        let all = [(0, u64::MAX), (1, 1), (2, 2), (3, u64::MAX)];
        let shares = parts(&all, sum(all.iter().map(|part| part.1)));
        assert_eq!(
            shares,
            [(Some(0), 1.0), (Some(3), 1.0), (None, 3.0 / 2_f64.powi(64))]
        );
    }
}
