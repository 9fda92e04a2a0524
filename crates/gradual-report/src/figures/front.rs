//! Gradualness against tax, the headline: how wide rises are and how far apart, against how long the run
//! takes; a mark for each arm, the arms of a series on a line.

mod drawing;
mod points;
mod tax;

use gradual_measure::{Against, Direction, Metric};

use super::hits::spread;
use super::looks::Looks;
use super::{Figure, not_drawn};
use crate::ReportError;
use crate::folder::{Arm, Folder};
use crate::numbers::count;
use crate::table::{Cell, Table};
use drawing::{Drawing, Region};
use points::{Point, Shown, points};
use tax::{Goal, Unit};

/// Runs that a panel shows.
const MOST: usize = 600;

/// What a panel shows against which tax.
#[derive(Clone, Copy)]
struct Kind {
    name: &'static str,
    shown: Shown,
    unit: Unit,
}

/// The panels, the headline first.
const KINDS: [Kind; 4] = [
    Kind {
        name: "tax-width",
        shown: Shown::Width,
        unit: Unit::Steps,
    },
    Kind {
        name: "tax-spread",
        shown: Shown::Spread,
        unit: Unit::Steps,
    },
    Kind {
        name: "tax-width-examples",
        shown: Shown::Width,
        unit: Unit::Examples,
    },
    Kind {
        name: "tax-width-gradients",
        shown: Shown::Width,
        unit: Unit::Gradients,
    },
];

pub(crate) fn figure(folder: &Folder) -> Result<Figure, ReportError> {
    // The tax is that of the baseline's run.
    let arms: Vec<&Arm> = folder.shown().filter(|_| folder.judged).collect();
    let looks = Looks::of(folder);
    let goal = Goal::of(folder);
    let mut data = Table::new(
        "tax",
        &[
            "arm",
            "series",
            "at",
            "seed",
            "metric",
            "tax_in",
            "tax",
            "tax_is_lower_bound",
            "value",
            "value_is_lower_bound",
        ],
    );
    let (mut panels, mut same) = (Vec::new(), Vec::new());
    let (mut left_out, mut unseen) = (0, 0);
    let mut steps: Vec<f64> = Vec::new();
    let several = folder.has_several_capabilities();
    let kinds = KINDS.into_iter();
    for kind in kinds.filter(|kind| several || kind.shown != Shown::Spread) {
        let (found, without) = points(folder, &arms, goal, kind.shown, kind.unit);
        for point in &found {
            data.push(row(arms[point.arm], kind, point));
        }
        let taxes: Vec<f64> = found.iter().map(|point| point.tax.value).collect();
        match kind.unit {
            Unit::Steps => {
                left_out += without;
                if matches!(kind.shown, Shown::Width) {
                    steps = taxes;
                }
            }
            // Where no arm takes more examples or gradients for a step than the baseline, this is the same picture.
            _ if close(&taxes, &steps) => {
                same.push(kind.unit.name());
                continue;
            }
            _ => {}
        }
        if found.is_empty() {
            continue;
        }
        let apart = found.iter().filter(|point| !point.at_one());
        let apart: Vec<&Point> = apart.collect();
        unseen += apart.len().saturating_sub(MOST);
        let drawing = Drawing {
            name: kind.name,
            goal,
            unit: kind.unit,
            shown: kind.shown,
            arms: &arms,
            looks: &looks,
            marks: points::marks(&found),
            runs: spread(apart.len(), MOST).map(|at| apart[at]).collect(),
            region: region(folder, goal, kind),
        };
        panels.push(drawing.panel()?);
    }
    let mut caption = format!(
        "How gradual (width / t50 as a multiple of the baseline’s under the same seed; up is gradual) and how far apart \
         (max t50 / min t50; down is together) against the tax: {}, as a multiple of the baseline’s under the same seed; \
         right is slower. A dot is the geometric mean of an arm over its seeds, with its 95 % interval from three seeds \
         on, and a faint point is a run. An open dot is a control. A line joins the arms of a series, which do the same \
         thing at several strengths. Anything that is slower is to the right, so an arm is more gradual only where it \
         beats the slow controls at their tax. An arrow marks a lower bound: a run ended before.",
        goal.words()
    );
    if !panels.is_empty() && region(folder, goal, KINDS[0]).is_some() {
        caption.push_str(
            " The shaded part is what the claims ask for: that much wider, at no more steps.",
        );
    }
    if !same.is_empty() && !panels.is_empty() {
        caption.push_str(&format!(
            " In {} the tax of every run is the same as in steps.",
            same.join(" and in ")
        ));
    }
    if left_out > 0 && !panels.is_empty() {
        caption.push_str(&format!(
            " {} left out: the run, or the baseline’s, did not get there, or not yet.",
            count(left_out, "point is", "points are")
        ));
    }
    caption.push_str(&not_drawn(unseen));
    Ok(Figure {
        title: "Gradualness against tax",
        caption,
        legend: None,
        panels,
        data,
        aside: false,
    })
}

fn row(arm: &Arm, kind: Kind, point: &Point) -> [Cell; 10] {
    [
        Cell::from(arm.name.as_str()),
        Cell::from(arm.series.as_ref().map_or("", |series| &series.name)),
        Cell::from(arm.series.as_ref().map(|series| series.at)),
        point.seed.into(),
        kind.shown.name().into(),
        kind.unit.name().into(),
        point.tax.value.into(),
        point.tax.least.into(),
        point.value.value.into(),
        point.value.least.into(),
    ]
}

/// Whether the numbers are the same but for rounding.
fn close(one: &[f64], other: &[f64]) -> bool {
    let near = |(one, other): (&f64, &f64)| (one - other).abs() <= 1e-6 * other.abs();
    one.len() == other.len() && one.iter().zip(other).all(near)
}

/// Where the claims say that an arm is to be: so much wider, at no more steps than the baseline. Nothing where no claim
/// says so.
fn region(folder: &Folder, goal: Goal, kind: Kind) -> Option<Region> {
    let wanted = matches!(
        (goal, kind.shown, kind.unit),
        (Goal::NinetyNine, Shown::Width, Unit::Steps)
    );
    let against_baseline = |against: &Against| {
        let baseline = |arm: &Arm| matches!(against, Against::Arm(name) if *name == arm.baseline);
        folder.arms.iter().any(baseline)
    };
    let first = |metric: Metric, direction: Direction, sound: fn(f64) -> bool| {
        let stated = folder.stated.iter().find(|stated| {
            let claim = &stated.claim;
            claim.metric == metric
                && claim.capability.is_none()
                && claim.direction == direction
                && sound(claim.smallest_effect)
                && against_baseline(&stated.against)
        });
        stated.map(|stated| stated.claim.smallest_effect)
    };
    let wider = first(Metric::RelativeWidth, Direction::Higher, |ratio| {
        ratio > 1.0
    })?;
    let no_slower = first(Metric::StepsTo99, Direction::Lower, |ratio| ratio <= 1.0)?;
    wanted.then_some(Region { wider, no_slower })
}
