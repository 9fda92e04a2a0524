//! When a curve of skill passes 10, 50 and 90 %.

use super::ratio;
use crate::curve::Curve;

/// First steps with a skill of at least 0.1, 0.5 and 0.9.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    pub(crate) t10: Option<f64>,
    pub(crate) t50: Option<f64>,
    pub(crate) t90: Option<f64>,
}

impl Times {
    /// Those of a curve as it is: smooth it first.
    pub(crate) fn of(skill: &Curve) -> Self {
        let [t10, t50, t90] = [0.1, 0.5, 0.9].map(|level| skill.first_crossing(level));
        Self { t10, t50, t90 }
    }

    /// `t90 − t10`, in steps.
    pub(crate) fn width(&self) -> Option<f64> {
        Some(self.t90? - self.t10?)
    }

    /// `(t90 − t10) / t50`.
    pub(crate) fn relative_width(&self) -> Option<f64> {
        ratio(self.width()?, self.t50?)
    }
}
