//! The runs and the arms of the front as numbers.

use gradual_measure::Metric;

use super::super::centre::{Bound, Centre};
use super::tax::{Goal, Unit};
use crate::folder::{Arm, Folder, Run};

/// One run.
pub(super) struct Point {
    pub(super) arm: usize,
    pub(super) seed: u64,
    pub(super) tax: Bound,
    pub(super) value: Bound,
}

impl Point {
    /// Whether it is what the others are compared with, in both.
    pub(super) fn at_one(&self) -> bool {
        self.tax.value == 1.0 && self.value.value == 1.0
    }
}

/// What stands against the tax.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shown {
    /// The width of a rise against the baseline's.
    Width,
    /// How far apart the capabilities are.
    Spread,
}

impl Shown {
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Width => "width / t50, baseline = 1",
            Self::Spread => Metric::Spread.label(),
        }
    }

    /// The name in tables.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Width => "relative_width_ratio",
            Self::Spread => Metric::Spread.name(),
        }
    }

    fn of(self, folder: &Folder, arm: &Arm, run: &Run) -> Option<Bound> {
        let width = |run: &Run| run.summary.value(Metric::RelativeWidth);
        let bound = match self {
            Self::Width if arm.name == arm.baseline => width(run).map(|_| Bound {
                value: 1.0,
                least: false,
            }),
            Self::Width => Some(Bound {
                value: width(run)? / width(folder.paired(arm, run.seed)?)?,
                least: false,
            }),
            Self::Spread => {
                let spread = run.summary.spread;
                Some(Bound {
                    value: spread.ratio.or(spread.at_least)?,
                    least: spread.ratio.is_none(),
                })
            }
        };
        bound.filter(|bound| bound.value.is_finite() && bound.value > 0.0)
    }
}

/// The runs of the arms that have both numbers, and how many have not.
pub(super) fn points(
    folder: &Folder,
    arms: &[&Arm],
    goal: Goal,
    shown: Shown,
    unit: Unit,
) -> (Vec<Point>, usize) {
    let (mut points, mut without) = (Vec::new(), 0);
    for (index, arm) in arms.iter().enumerate() {
        for run in arm.counted() {
            let tax = goal.tax(folder, arm, run, unit);
            match tax.zip(shown.of(folder, arm, run)) {
                Some((tax, value)) => points.push(Point {
                    arm: index,
                    seed: run.seed,
                    tax,
                    value,
                }),
                None => without += 1,
            }
        }
    }
    (points, without)
}

/// An arm.
pub(super) struct Mark {
    pub(super) arm: usize,
    pub(super) tax: Centre,
    pub(super) value: Centre,
    pub(super) runs: usize,
}

/// A mark for each arm that has a point, in the order of the points.
pub(super) fn marks(points: &[Point]) -> Vec<Mark> {
    let each = points.chunk_by(|one, other| one.arm == other.arm);
    each.filter_map(|runs| {
        let centre = |of: fn(&Point) -> Bound| Centre::of(&runs.iter().map(of).collect::<Vec<_>>());
        Some(Mark {
            arm: runs.first()?.arm,
            tax: centre(|point| point.tax)?,
            value: centre(|point| point.value)?,
            runs: runs.len(),
        })
    })
    .collect()
}
