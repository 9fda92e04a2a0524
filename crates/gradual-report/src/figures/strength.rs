//! Metric against strength: the arms of each series by what they are at, beside the baseline.

mod drawing;
mod powers;
mod rules;

use std::collections::BTreeMap;

use gradual_measure::Metric;

use super::Figure;
use super::centre::{Bound, Centre};
use super::looks::Looks;
use crate::ReportError;
use crate::folder::{Arm, Folder, Run};
use crate::table::{Cell, Table};
use drawing::Drawing;
use rules::{Found, found, number_of_groups};

/// Arms that a series has at least.
const LEAST: usize = 3;

/// What is drawn of every series, beside what claims on its arms are about.
const METRICS: [Metric; 3] = [Metric::Gap, Metric::Spread, Metric::RelativeWidth];

/// A series and its arms, in order of strength.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) arms: Vec<(f64, &'a Arm)>,
}

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    let mut data = Table::new(
        "strength",
        &[
            "metric",
            "series",
            "arm",
            "at",
            "seeds",
            "mean",
            "mean_is_lower_bound",
            "low",
            "high",
        ],
    );
    let (groups, others): (Vec<Series<'_>>, Vec<Series<'_>>) =
        series(folder).into_iter().partition(Series::is_of_groups);
    let (sizes, others): (Vec<Series<'_>>, Vec<Series<'_>>) =
        others.into_iter().partition(Series::is_of_sizes);
    let found = match groups.is_empty() {
        true => Vec::new(),
        false => found(folder),
    };
    let looks = Looks::of(folder);
    let mut panels = Vec::new();
    let sets = [
        ("groups", "groups, k", &groups, &found[..]),
        ("sizes", "size of the model", &sizes, &[]),
        ("at", "strength", &others, &[]),
    ];
    let powers = powers::sentence(&sizes);
    for (name, x_label, series, found) in sets {
        for metric in metrics(folder, series) {
            let drawing = Drawing {
                name: &format!("strength-{name}-{}", metric.name().replace('_', "-")),
                metric,
                x_label,
                lines: series.iter().map(|one| one.line(metric)).collect(),
                baselines: baselines(folder, series, metric),
                found,
                looks: &looks,
            };
            for line in &drawing.lines {
                for (at, arm, centre, seeds) in &line.points {
                    let interval = centre.interval;
                    data.push([
                        Cell::from(metric.name()),
                        line.series.into(),
                        arm.name.as_str().into(),
                        (*at).into(),
                        (*seeds).into(),
                        centre.mean.value.into(),
                        centre.mean.least.into(),
                        interval.map(|interval| interval.low).into(),
                        interval.map(|interval| interval.high).into(),
                    ]);
                }
            }
            panels.extend(drawing.panel()?);
        }
    }
    let ticks = match found.is_empty() {
        true => "",
        false => {
            " Dotted: the number of groups that an arm found by a rule, or that was known, in the last draw of its runs (the \
             median over seeds)."
        }
    };
    Ok(Figure {
        title: "Metric against strength",
        caption: format!(
            "The arms of each series by what they are at: the geometric mean over seeds with its 95 % interval, from three \
             seeds on. The band is the baseline’s interval. An arrow marks a lower bound: a run ended before.{ticks}{powers}"
        ),
        legend: None,
        panels,
        data,
        aside: false,
    })
}

/// The series that have enough arms with runs.
pub(super) fn series(folder: &Folder) -> Vec<Series<'_>> {
    let mut all: BTreeMap<&str, Vec<(f64, &Arm)>> = BTreeMap::new();
    for arm in folder.shown() {
        if let Some(series) = &arm.series {
            all.entry(&series.name).or_default().push((series.at, arm));
        }
    }
    let long = all.into_iter().filter(|(_, arms)| arms.len() >= LEAST);
    long.map(|(name, mut arms)| {
        arms.sort_by(|one, other| one.0.total_cmp(&other.0));
        Series { name, arms }
    })
    .collect()
}

/// What is drawn of these series.
fn metrics(folder: &Folder, series: &[Series<'_>]) -> Vec<Metric> {
    let arms = || series.iter().flat_map(|one| &one.arms);
    let claimed = |metric: &Metric| {
        let mut claims = folder.stated.iter().map(|stated| &stated.claim);
        claims.any(|claim| {
            claim.metric == *metric
                && claim.capability.is_none()
                && arms().any(|(_, arm)| arm.name == claim.arm)
        })
    };
    let all = Metric::ALL.iter().copied();
    let sized = series.iter().any(Series::is_of_sizes);
    all.filter(|metric| {
        METRICS.contains(metric) || claimed(metric) || (sized && *metric == powers::METRIC)
    })
    .collect()
}

impl<'a> Series<'a> {
    /// Whether the strength is the number of groups.
    fn is_of_groups(&self) -> bool {
        self.arms.iter().all(|(at, arm)| {
            let mut runs = arm.runs.iter();
            runs.all(|run| number_of_groups(run) == Some(*at))
        })
    }

    /// Whether the strength is a size of the model.
    pub(super) fn is_of_sizes(&self) -> bool {
        self.arms.iter().all(|(at, arm)| {
            let mut runs = arm.runs.iter();
            runs.all(|run| {
                let sizes = run.config.recipe.get("size");
                let sizes = sizes.and_then(|size| size.as_object());
                sizes.is_some_and(|sizes| sizes.values().any(|size| size.as_f64() == Some(*at)))
            })
        })
    }

    fn line(&self, metric: Metric) -> drawing::Line<'a> {
        let points = self.arms.iter().filter_map(|&(at, arm)| {
            let (centre, seeds) = centre(arm, metric)?;
            Some((at, arm, centre, seeds))
        });
        drawing::Line {
            series: self.name,
            points: points.collect(),
        }
    }
}

/// The metric over the runs of an arm, and how many have it.
fn centre(arm: &Arm, metric: Metric) -> Option<(Centre, usize)> {
    let runs = arm.counted();
    let values: Vec<Bound> = runs.iter().filter_map(|run| bound(run, metric)).collect();
    Some((Centre::of(&values)?, values.len()))
}

/// The number of a run, or a lower bound; nothing that has no logarithm.
fn bound(run: &Run, metric: Metric) -> Option<Bound> {
    let least = match metric {
        Metric::Spread => run.summary.spread.at_least,
        _ => None,
    };
    let value = run.summary.value(metric);
    let bound = Bound {
        value: value.or(least)?,
        least: value.is_none(),
    };
    (bound.value.is_finite() && bound.value > 0.0).then_some(bound)
}

/// What the arms of these series are compared with.
fn baselines<'a>(
    folder: &'a Folder,
    series: &[Series<'a>],
    metric: Metric,
) -> Vec<(&'a str, Centre)> {
    let arms = series.iter().flat_map(|one| &one.arms);
    let mut names: Vec<&str> = arms.map(|(_, arm)| arm.baseline.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let arms = names.into_iter().filter_map(|name| folder.arm(name));
    arms.filter_map(|arm| Some((arm.label.as_str(), centre(arm, metric)?.0)))
        .collect()
}
