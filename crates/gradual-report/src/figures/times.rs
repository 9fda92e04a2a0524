//! Emergence times: t10, t50 and t90 of every capability, a panel per arm.

use gradual_measure::Emergence;
use gradual_measure::statistics::median;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{self, Layout, LogAxis};
use super::canvas::{Frame, line, text};
use super::hits::spread;
use super::series::Order;
use super::svg::px;
use super::{Figure, Legend, Panel, rows};
use crate::ReportError;
use crate::folder::{Arm, Folder};
use crate::numbers::{count, number, steps, whole};
use crate::style::{self, MUTED};
use crate::table::Table;

/// Seeds of a capability that have a dot.
const DOTS: usize = 20;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let all = folder
        .arms
        .iter()
        .flat_map(Arm::counted)
        .flat_map(|run| run.summary.capabilities.values())
        .flat_map(|one| [one.emergence.t10, one.emergence.t50, one.emergence.t90])
        .flatten();
    let last = folder.last_step();
    let axis = LogAxis::over(all.chain((last > 0.0).then_some(last)), steps);
    let mut data = Table::new("times", &["arm", "seed", "capability", "t10", "t50", "t90"]);
    for arm in folder.with_runs() {
        for run in arm.counted() {
            for (name, one) in &run.summary.capabilities {
                data.push([
                    arm.name.as_str().into(),
                    run.seed.into(),
                    name.as_str().into(),
                    one.emergence.t10.into(),
                    one.emergence.t50.into(),
                    one.emergence.t90.into(),
                ]);
            }
        }
    }
    let most = folder.with_runs().map(|arm| arm.counted().len()).max();
    let most = most.unwrap_or_default();
    let panels = folder
        .shown()
        .map(|arm| panel(arm, &order, axis))
        .collect::<Result<_, _>>()?;
    Ok(Figure {
        title: "Emergence times",
        caption: format!(
            "The step at which the skill of each capability passes 10, 50 (dot) and 90 %, median over the seeds that \
             got there; faint dots are the seeds{}. An open line ends in an arrow: 90 % was not reached.{}",
            if most > DOTS {
                format!(", {DOTS} of up to {}", whole(most))
            } else {
                String::new()
            },
            order.sampled()
        ),
        legend: Some(order.legend().unwrap_or(Legend::Ends(order.ends))),
        panels,
        data,
        aside: false,
    })
}

fn panel(arm: &Arm, order: &Order, axis: LogAxis) -> Result<Panel, ReportError> {
    let runs = arm.counted();
    let frame = Frame {
        figure: "times",
        arm: &arm.label,
        about: format!("Emergence times of every capability, arm {}", arm.name),
        size: rows::size(order.names.len()),
        legend: None,
    };
    let layout = Layout {
        x_label: "step",
        y_label: "",
        left: rows::left(order),
        y_ticks: false,
    };
    let emergences = |name: &str| -> Vec<Emergence> {
        let capabilities = runs
            .iter()
            .filter_map(|run| run.summary.capabilities.get(name));
        capabilities.map(|one| one.emergence).collect()
    };
    let middle = |times: Vec<Option<f64>>| {
        median(&times.into_iter().flatten().collect::<Vec<_>>()).map(|time| axis.clamp(time))
    };
    frame.draw(|area, hits| {
        let axes = (axis, rows::axis(order.names.len()));
        axis::chart(area, &layout, axes, |chart| {
            for (index, name) in order.names.iter().enumerate() {
                let row = -(index as f64);
                let seeds = emergences(name);
                let colour = style::ramp(order.share(index));
                let [t10, t50, t90] = [
                    |one: &Emergence| one.t10,
                    |one: &Emergence| one.t50,
                    |one: &Emergence| one.t90,
                ]
                .map(|time| middle(seeds.iter().map(time).collect()));
                rows::label(chart, axis.low(), row, &order.labels[index])?;
                let said = |time: Option<f64>| time.map_or_else(|| "never".to_owned(), number);
                let title = format!(
                    "{name}: t10 {}, t50 {}, t90 {} (median of {})",
                    said(t10),
                    said(t50),
                    said(t90),
                    count(seeds.len(), "seed", "seeds")
                );
                let corners = [(axis.low(), row - 0.45), (axis.high(), row + 0.45)]
                    .map(|at| chart.plotting_area().map_coordinate(&at));
                hits.rectangle(corners[0], corners[1], &title);
                if let Some(begin) = t10 {
                    let end = t90.unwrap_or(axis.high());
                    chart.draw_series([PathElement::new(
                        [(begin, row), (end, row)],
                        line(2.5, colour),
                    )])?;
                    if t90.is_none() {
                        let arrow = [(-px(5.0), -px(4.0)), (0, 0), (-px(5.0), px(4.0))];
                        chart.plotting_area().draw(
                            &(EmptyElement::at((end, row))
                                + PathElement::new(arrow, line(2.0, colour))),
                        )?;
                    }
                } else {
                    let note = text(10.0, MUTED, HPos::Right, VPos::Center);
                    chart.plotting_area().draw(
                        &(EmptyElement::at((axis.high(), row))
                            + Text::new("not reached", (-px(4.0), 0), note)),
                    )?;
                }
                if seeds.len() > 1 {
                    let dots = spread(seeds.len(), DOTS).filter_map(|at| seeds[at].t50);
                    chart.draw_series(dots.map(|time| {
                        Circle::new((axis.clamp(time), row), px(2.25), colour.mix(0.45).filled())
                    }))?;
                }
                if let Some(time) = t50 {
                    chart.draw_series([Circle::new((time, row), px(4.0), colour.filled())])?;
                }
            }
            Ok(())
        })
    })
}
