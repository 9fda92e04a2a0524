//! Every capability against the size of the model: whether parts are sharp where the whole is smooth.

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
use gradual_measure::{Measure, statistics};

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let order = Order::of(folder);
    let mut data = Table::new("sizes", &["series", "arm", "size", "capability", "skill"]);
    let all = series(folder);
    let sized: Vec<&Series<'_>> = all.iter().filter(|one| one.is_of_sizes()).collect();
    let lines: Vec<Vec<Vec<(f64, f64)>>> = sized.iter().map(|one| lines(one, &order)).collect();
    let skills = lines.iter().flatten().flatten().map(|point| point.1);
    let y = LinearAxis::of_skill(skills);
    let mut panels = Vec::new();
    for (one, lines) in sized.iter().zip(&lines) {
        for (name, points) in order.names.iter().zip(lines) {
            for ((size, skill), (_, arm)) in points.iter().zip(&one.arms) {
                data.push([
                    one.name.into(),
                    arm.name.as_str().into(),
                    (*size).into(),
                    name.as_str().into(),
                    (*skill).into(),
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
                    let drawn = points.iter().map(|&(at, skill)| (at, y.clamp(skill)));
                    chart.draw_series(LineSeries::new(drawn, line(1.25, colour)))?;
                    for &(at, skill) in points {
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

/// Size and skill of each capability, arm by arm.
fn lines(series: &Series<'_>, order: &Order) -> Vec<Vec<(f64, f64)>> {
    let names = order.names.iter();
    let of = |name: &String| {
        let points = series.arms.iter();
        let points = points.filter_map(|&(at, arm)| Some((at, skill(arm, name)?)));
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

/// The mean over capabilities at each size that all of them have.
fn mean(lines: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let Some(first) = lines.first() else {
        return Vec::new();
    };
    let at = |place: usize| {
        let values = lines.iter().filter_map(|line| Some(line.get(place)?.1));
        let values: Vec<f64> = values.collect();
        Some((first[place].0, statistics::mean(&values)?))
    };
    (0..first.len()).filter_map(at).collect()
}
