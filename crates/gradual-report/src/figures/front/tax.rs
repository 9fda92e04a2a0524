//! What a run costs against the baseline's of the same seed.

use gradual_measure::Curve;

use super::super::centre::Bound;
use crate::folder::{Arm, Folder, Run};

/// How far a run must come for its steps to count as the tax.
#[derive(Clone, Copy)]
pub(super) enum Goal {
    /// A mean accuracy of 99 %.
    NinetyNine,
    /// A mean accuracy of 90 %, for experiments whose baseline never gets to 99 %.
    Ninety,
    /// A mean skill of 50 %, for experiments whose baseline never gets to 90 %.
    Half,
}

impl Goal {
    /// The highest that a run of a baseline reaches.
    pub(super) fn of(folder: &Folder) -> Self {
        let reached = |goal: Self| {
            let baselines = folder.arms.iter().filter(|arm| arm.name == arm.baseline);
            let mut runs = baselines.flat_map(|arm| &arm.runs);
            runs.any(|run| goal.steps(run).is_some())
        };
        let goals = [Self::NinetyNine, Self::Ninety];
        goals
            .into_iter()
            .find(|&goal| reached(goal))
            .unwrap_or(Self::Half)
    }

    /// In the name of an axis.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::NinetyNine => "to 99 %",
            Self::Ninety => "to 90 %",
            Self::Half => "to skill 50 %",
        }
    }

    pub(super) fn words(self) -> &'static str {
        match self {
            Self::NinetyNine => "steps to 99 % mean accuracy",
            Self::Ninety => "steps to 90 % mean accuracy (the baseline never comes to 99 %)",
            Self::Half => "steps to 50 % mean skill (the baseline never comes to 90 % accuracy)",
        }
    }

    fn steps(self, run: &Run) -> Option<f64> {
        match self {
            Self::NinetyNine => run.summary.steps_to_99,
            Self::Ninety => run.summary.steps_to_90,
            Self::Half => Curve::mean(&run.curves.skills()).ok()?.first_crossing(0.5),
        }
    }

    /// What it takes in a unit against the run of the baseline under the same seed. Without a number of the baseline there
    /// is nothing to compare with.
    pub(super) fn tax(self, folder: &Folder, arm: &Arm, run: &Run, unit: Unit) -> Option<Bound> {
        let base = match arm.name == arm.baseline {
            true => run,
            false => folder.paired(arm, run.seed)?,
        };
        let price = unit.of(base, self.steps(base)?);
        let steps = self.steps(run);
        let paid = unit.of(run, steps.unwrap_or(run.summary.last_step as f64));
        let value = paid / price;
        (value.is_finite() && value > 0.0).then_some(Bound {
            value,
            least: steps.is_none(),
        })
    }
}

/// In what the tax is counted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    Steps,
    /// Examples that were drawn for training.
    Examples,
    /// Per-example gradients, those of standing examples with them.
    Gradients,
}

impl Unit {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Examples => "examples",
            Self::Gradients => "gradients",
        }
    }

    /// So many a run had seen after these steps.
    fn of(self, run: &Run, steps: f64) -> f64 {
        match self {
            Self::Steps => steps,
            Self::Examples => run.curves.examples.from_origin(0.0).at(steps),
            Self::Gradients => run.curves.gradients.from_origin(0.0).at(steps),
        }
    }
}
