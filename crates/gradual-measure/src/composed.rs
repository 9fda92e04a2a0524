//! How a capability that is composed of others develops against its parts.
//!
//! If answering needs all parts and each is right or wrong on its own, the composed capability is as likely to be right
//! as all parts together: P(Z) = P(X)·P(Y). The reference is therefore the product of the parts' curves of skill (each
//! clamped to 0 to 1: below chance is the noise of a finite evaluation). For parities this is exact in skill: a product
//! of signs that are right independently has the product of their correlations. A product rises later and is a little
//! sharper than its factors; whatever the composed capability does beyond that is its own.
//!
//! All numbers are ratios to that product and free of the time scale. A composed capability may have no training
//! examples, so frequencies don't matter here.

use serde::Serialize;

use crate::curve::Curve;
use crate::emergence::{Times, ratio};
use crate::run::{Measure, RunCurves};
use crate::statistics::median;

/// The least skill that a ratio is taken of.
const LEAST: f64 = 1e-3;

/// A composed capability against the product of its parts' curves of skill. Missing numbers are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Composed {
    /// t50 over the product's t50: 1 where it comes with its parts, more where it comes later.
    pub delay: Option<f64>,
    /// Relative width (t90 − t10)/t50 over the product's: below 1 is sharper than the parts explain.
    pub width: Option<f64>,
    /// Skill at the last evaluation, which counts as 0.001 where it is less, over the product's; only where the product
    /// has come to 0.5. So what never moves has a ratio that can be judged.
    pub skill: Option<f64>,
}

impl Composed {
    /// From the curve of skill of a composed capability and those of its parts, on equal steps.
    ///
    /// Times are those of [`Emergence`](crate::Emergence): of running medians of three points.
    #[must_use]
    pub fn from_curves(own: &Curve, parts: &[&Curve]) -> Option<Self> {
        let steps = own.steps();
        if parts.is_empty() || parts.iter().any(|part| part.steps() != steps) {
            return None;
        }
        let product = |at: usize| {
            let skills = parts.iter().map(|part| part.values()[at].clamp(0.0, 1.0));
            skills.product::<f64>()
        };
        let product = Curve::new(steps.to_vec(), (0..own.len()).map(product).collect()).ok()?;
        let [ours, theirs] = [own, &product].map(|skill| Times::of(&skill.median3(0.0)));
        let both = |of: fn(&Times) -> Option<f64>| ratio(of(&ours)?, of(&theirs)?);
        let last = own.last_value().max(LEAST);
        Some(Self {
            delay: both(|times| times.t50),
            width: both(Times::relative_width),
            skill: (theirs.t50).and_then(|_| ratio(last, product.last_value())),
        })
    }

    /// Those of a run, by name of the composed capability.
    pub fn of_run(curves: &RunCurves) -> impl Iterator<Item = (&str, Self)> {
        curves.capabilities.iter().filter_map(|one| {
            let skill = |name: &String| curves.capability(name)?.by(Measure::Accuracy);
            let parts: Vec<&Curve> = one.parts.iter().map(skill).collect::<Option<_>>()?;
            let composed = Self::from_curves(one.by(Measure::Accuracy)?, &parts)?;
            Some((one.name.as_str(), composed))
        })
    }

    /// The median of a number over the composed capabilities of a run that have it.
    #[must_use]
    pub fn median(curves: &RunCurves, of: fn(&Self) -> Option<f64>) -> Option<f64> {
        let numbers = Self::of_run(curves).filter_map(|(_, one)| of(&one));
        median(&numbers.collect::<Vec<_>>())
    }
}
