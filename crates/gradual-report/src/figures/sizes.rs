//! Every capability against the size of the model: whether parts are sharp where the whole is smooth.

use gradual_measure::{Measure, statistics};
use plotters::prelude::*;

use super::Figure;
use super::axis::{self, Layout, LinearAxis, LogAxis};
use super::canvas::{Frame, line};
use super::series::Order;
use super::strength::{Series, series};
use crate::ReportError;
use crate::folder::{Arm, Folder};
use crate::numbers::{number, tick};
use crate::style::{self, INK, PAPER};
use crate::table::Table;

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let mut data = Table::new("sizes", &["series", "arm", "size", "capability", "skill"]);
    let all = series(folder);
    let sized: Vec<&Series<'_>> = all.iter().filter(|one| one.is_of_sizes()).collect();
    let lines: Vec<Vec<Vec<Point<'_>>>> = sized.iter().map(|one| lines(one, &order)).collect();
    let skills = lines.iter().flatten().flatten().map(|point| point.skill);
    let y = LinearAxis::of_skill(skills);
    let mut panels = Vec::new();
    for (one, lines) in sized.iter().zip(&lines) {
        for (name, points) in order.names.iter().zip(lines) {
            for point in points {
                data.push([
                    one.name.into(),
                    point.arm.into(),
                    point.at.into(),
                    name.as_str().into(),
                    point.skill.into(),
                ]);
            }
        }
        let frame = Frame {
            figure: "sizes",
            arm: one.name,
            about: format!(
                "final skill of every capability against size, series {}",
                one.name
            ),
            size: (360, 250),
            legend: Some(&order.ends),
        };
        let layout = Layout {
            x_label: "size of the model",
            y_label: "final skill",
            left: 30.0,
            y_ticks: true,
        };
        let x = LogAxis::over(one.arms.iter().map(|arm| arm.0), tick);
        panels.push(frame.draw(|area, hits| {
            axis::chart(area, &layout, (x, y), |chart| {
                for (index, points) in lines.iter().enumerate() {
                    let colour = style::ramp(order.share(index));
                    let drawn = points.iter().map(|point| (point.at, y.clamp(point.skill)));
                    chart.draw_series(LineSeries::new(drawn, line(1.25, colour)))?;
                    for &Point { at, skill, .. } in points {
                        let place = chart.plotting_area().map_coordinate(&(at, y.clamp(skill)));
                        let name = &order.names[index];
                        let title = format!("{name}, size {}: {}", number(at), number(skill));
                        hits.circle(place, 4.0, &title);
                    }
                }
                let mean: Vec<(f64, f64)> = mean(lines)
                    .into_iter()
                    .map(|(at, skill)| (at, y.clamp(skill)))
                    .collect();
                chart.draw_series(LineSeries::new(mean.clone(), line(4.0, PAPER)))?;
                chart.draw_series(LineSeries::new(mean, line(2.25, INK)))?;
                Ok(())
            })
        })?);
    }
    Ok(Figure {
        title: "Capabilities against size",
        caption: format!(
            "Skill at the end of the training against the size of the model, mean over seeds. One line per capability; the \
             thick line is the mean over these.{}",
            order.sampled()
        ),
        legend: order.legend(),
        panels,
        data,
        aside: false,
    })
}

/// How far a capability got under an arm.
struct Point<'a> {
    at: f64,
    arm: &'a str,
    skill: f64,
}

/// Those of each capability, by size.
fn lines<'a>(series: &Series<'a>, order: &Order) -> Vec<Vec<Point<'a>>> {
    let names = order.names.iter();
    let of = |name: &String| {
        let points = series.arms.iter().filter_map(|&(at, arm)| {
            Some(Point {
                at,
                arm: &arm.name,
                skill: skill(arm, name)?,
            })
        });
        points.collect()
    };
    names.map(of).collect()
}

fn skill(arm: &Arm, name: &str) -> Option<f64> {
    let runs = arm.counted();
    let last = runs.iter().filter_map(|run| {
        let curve = run.curves.capability(name)?.by(Measure::Accuracy)?;
        Some(curve.last_value())
    });
    statistics::mean(&last.collect::<Vec<_>>())
}

/// The mean over the capabilities that there are at each size.
fn mean(lines: &[Vec<Point<'_>>]) -> Vec<(f64, f64)> {
    let points = || lines.iter().flatten();
    let mut sizes: Vec<f64> = points().map(|point| point.at).collect();
    sizes.sort_by(f64::total_cmp);
    sizes.dedup();
    let mean = |at: f64| {
        let own = points().filter(|point| point.at == at);
        let skills: Vec<f64> = own.map(|point| point.skill).collect();
        Some((at, statistics::mean(&skills)?))
    };
    sizes.into_iter().filter_map(mean).collect()
}
