//! Capability curves: skill against steps, a panel per arm.

use plotters::prelude::*;

use super::Figure;
use super::axis::{self, Layout, LinearAxis};
use super::canvas::{Frame, line};
use super::series::{self, Order};
use crate::ReportError;
use crate::folder::Folder;
use crate::numbers::steps;
use crate::style::{self, INK, PAPER};

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let end = folder.last_step();
    let mut panels = Vec::new();
    for arm in folder.with_runs() {
        let runs = arm.counted();
        let frame = Frame {
            figure: "curves",
            arm: &arm.name,
            about: format!("Skill of every capability against steps, arm {}", arm.name),
            size: (360, 250),
            legend: Some(&order.ends),
        };
        let layout = Layout {
            x_label: "step",
            y_label: "skill",
            left: 30.0,
            y_ticks: true,
        };
        panels.push(frame.draw(|area| {
            let axes = (
                LinearAxis::new(0.0, end, steps),
                LinearAxis::new(-0.1, 1.05, |value| format!("{value:.1}")),
            );
            axis::chart(area, &layout, axes, |chart| {
                for (index, name) in order.names.iter().enumerate() {
                    let skill = series::over_evaluations(&runs, |one| {
                        one.capabilities
                            .get(name)
                            .map(|capability| capability.skill())
                    });
                    if let Some(curve) = skill {
                        let colour = style::ramp(order.share(index));
                        chart.draw_series(LineSeries::new(
                            series::points(&curve, end / 20.0),
                            line(1.25, colour),
                        ))?;
                    }
                }
                let mean = series::over_evaluations(&runs, |one| {
                    let skills = one.capabilities.values().map(|one| one.skill());
                    Some(skills.sum::<f64>() / one.capabilities.len() as f64)
                });
                if let Some(curve) = mean {
                    let points = series::points(&curve, end / 20.0);
                    chart.draw_series(LineSeries::new(points.clone(), line(4.0, PAPER)))?;
                    chart.draw_series(LineSeries::new(points, line(2.25, INK)))?;
                }
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Capability curves",
        caption: "Skill (accuracy above chance, 1 is perfect) against optimizer steps, mean over seeds. One \
                  line per capability; the thick line is the mean over capabilities."
            .to_owned(),
        legend: None,
        panels,
    })
}
