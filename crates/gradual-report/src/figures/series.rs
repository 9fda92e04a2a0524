//! Series over steps, averaged over the seeds of an arm.

use std::collections::{BTreeMap, BTreeSet};

use gradual_measure::Curve;
use gradual_runs::GroupingRecord;

use super::Legend;
use super::hits::spread;
use crate::folder::{Folder, Run};
use crate::numbers::whole;
use crate::text::{labels, shorten};

/// Capabilities that a figure has a row or a line for.
const MOST: usize = 40;
/// Letters of the name of a capability that are shown.
const LONGEST: usize = 14;
/// Capabilities that a legend names, and letters of such a name.
const NAMED: usize = 24;
const NAME: usize = 40;

/// Letters of what stands at an end of the colour ramp.
const END: usize = 18;

/// Capabilities from frequent to rare, those of equal frequency by name.
pub(crate) struct Order {
    /// Names of all.
    pub(crate) all: Vec<String>,
    /// Names of those that are shown: all, or [`MOST`] of them, evenly apart.
    pub(crate) names: Vec<String>,
    /// Short names of those that are shown, each another.
    pub(crate) labels: Vec<String>,
    /// What the ends of the colour ramp mean.
    pub(crate) ends: [String; 2],
}

impl Order {
    pub(crate) fn of(folder: &Folder) -> Self {
        let mut frequencies: BTreeMap<&str, f64> = BTreeMap::new();
        for run in folder.arms.iter().flat_map(|arm| &arm.runs) {
            for (name, capability) in &run.summary.capabilities {
                frequencies.entry(name).or_insert(capability.frequency);
            }
        }
        let mut sorted: Vec<(&str, f64)> = frequencies.into_iter().collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(b.0)));
        let ends = match (sorted.first(), sorted.last()) {
            (Some(first), Some(last)) if (first.1 - last.1).abs() > 1e-9 => {
                ["frequent".to_owned(), "rare".to_owned()]
            }
            (Some(first), Some(last)) => [first.0, last.0].map(|name| shorten(name, END)),
            _ => [String::new(), String::new()],
        };
        let all: Vec<String> = sorted.iter().map(|one| one.0.to_owned()).collect();
        let names: Vec<&str> = spread(all.len(), MOST).map(|at| all[at].as_str()).collect();
        Self {
            labels: labels(&names, LONGEST),
            names: names.into_iter().map(str::to_owned).collect(),
            all,
            ends,
        }
    }

    /// The colour of each capability, where few enough are shown to tell colours apart.
    pub(crate) fn legend(&self) -> Option<Legend> {
        let few = (2..=NAMED).contains(&self.names.len());
        let named = self.names.iter().enumerate();
        let named = named.map(|(at, name)| (shorten(name, NAME), self.share(at)));
        few.then(|| Legend::Names(named.collect()))
    }

    /// That not all are shown, where that is so.
    pub(crate) fn sampled(&self) -> String {
        if self.names.len() == self.all.len() {
            return String::new();
        }
        format!(
            " {} of {} capabilities are shown, evenly apart in this order; the tables hold all.",
            self.names.len(),
            whole(self.all.len())
        )
    }

    /// The place of the capability at `index` on the colour ramp, 0 to 1.
    pub(crate) fn share(&self, index: usize) -> f64 {
        index as f64 / (self.names.len().max(2) - 1) as f64
    }
}

/// The mean of curves on all their steps, each held constant beyond its ends.
pub(crate) fn mean(curves: &[Curve]) -> Option<Curve> {
    let bits: BTreeSet<u64> = curves
        .iter()
        // Steps are not negative, so their bits are in their order.
        .flat_map(|curve| curve.steps().iter().map(|step| step.to_bits()))
        .collect();
    let steps: Vec<f64> = bits.into_iter().map(f64::from_bits).collect();
    let on_all: Vec<Curve> = curves
        .iter()
        .filter_map(|curve| {
            let values = steps.iter().map(|&step| curve.at(step)).collect();
            Curve::new(steps.clone(), values).ok()
        })
        .collect();
    Curve::mean(&on_all).ok()
}

/// The points of a line from left to right that can be told apart in `columns` columns of a drawing: of those that fall
/// into one column the first, the lowest, the highest and the last.
pub(crate) fn drawn(points: &[(f64, f64)], columns: usize) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (points.first(), points.last()) else {
        return Vec::new();
    };
    if points.len() <= 4 * columns {
        return points.to_vec();
    }
    let column = |point: &(f64, f64)| {
        let share = (point.0 - first.0) / (last.0 - first.0);
        ((share * columns as f64) as usize).min(columns - 1)
    };
    let each = points.chunk_by(|one, other| column(one) == column(other));
    each.flat_map(|inside| {
        let at = |better: fn(f64, f64) -> bool| {
            (1..inside.len()).fold(0, |best, at| {
                if better(inside[at].1, inside[best].1) {
                    at
                } else {
                    best
                }
            })
        };
        let mut kept = [0, at(|a, b| a < b), at(|a, b| a > b), inside.len() - 1];
        kept.sort_unstable();
        let mut kept = kept.to_vec();
        kept.dedup();
        kept.into_iter().map(|at| inside[at])
    })
    .collect()
}

/// The mean over `runs` of a number of their groupings.
pub(crate) fn over_groupings(
    runs: &[&Run],
    value: impl Fn(&GroupingRecord) -> Option<f64>,
) -> Option<Curve> {
    let curves = runs.iter().map(|run| &run.groupings);
    mean(
        &curves
            .filter_map(|lines| series(lines, |one| one.step, &value))
            .collect::<Vec<_>>(),
    )
}

/// The lines that have the number, as a curve; later lines of the same step replace earlier ones.
fn series<T>(
    lines: &[T],
    step: impl Fn(&T) -> u64,
    value: impl Fn(&T) -> Option<f64>,
) -> Option<Curve> {
    let points: BTreeMap<u64, f64> = lines
        .iter()
        .filter_map(|line| Some((step(line), value(line)?)))
        .collect();
    let (steps, values) = points
        .into_iter()
        .map(|(step, value)| (step as f64, value))
        .unzip();
    Curve::new(steps, values).ok()
}

/// The points of a curve; a single point becomes a short line of its own, up to `end`.
pub(crate) fn points(curve: &Curve, end: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = curve
        .steps()
        .iter()
        .copied()
        .zip(curve.values().iter().copied())
        .collect();
    if let [(step, value)] = points[..] {
        points.push((if end > step { end } else { step + 1.0 }, value));
    }
    points
}

/// The mean of curves and how far apart they are.
pub(crate) struct Band {
    pub(crate) mean: Curve,
    low: Curve,
    high: Curve,
}

impl Band {
    /// On all steps of all curves; `None` of no curve.
    pub(crate) fn of(curves: &[Curve]) -> Option<Self> {
        let mean = mean(curves)?;
        let extreme = |better: fn(f64, f64) -> f64| {
            let at = |&step: &f64| curves.iter().map(|curve| curve.at(step)).reduce(better);
            let values: Option<Vec<f64>> = mean.steps().iter().map(at).collect();
            Curve::new(mean.steps().to_vec(), values?).ok()
        };
        Some(Self {
            low: extreme(f64::min)?,
            high: extreme(f64::max)?,
            mean,
        })
    }

    /// Place, mean, lowest, highest.
    pub(crate) fn points(&self) -> impl Iterator<Item = (f64, f64, f64, f64)> {
        (0..self.mean.len()).map(|at| {
            (
                self.mean.steps()[at],
                self.mean.values()[at],
                self.low.values()[at],
                self.high.values()[at],
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_line_keeps_what_stands_out() {
        let few: Vec<(f64, f64)> = (0..40).map(|at| (f64::from(at), 0.5)).collect();
        assert_eq!(drawn(&few, 10), few);
        let mut many: Vec<(f64, f64)> = (0..64_000).map(|at| (f64::from(at), 0.5)).collect();
        many[31_234].1 = 0.9;
        many[55_555].1 = 0.1;
        let shown = drawn(&many, 320);
        assert!(shown.len() <= 4 * 320 && shown.len() >= 2 * 320);
        assert!(shown.contains(&many[31_234]) && shown.contains(&many[55_555]));
        assert_eq!((shown.first(), shown.last()), (many.first(), many.last()));
        assert!(shown.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(drawn(&[], 10), []);
    }
}
