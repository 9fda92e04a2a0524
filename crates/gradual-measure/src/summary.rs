//! All the numbers of one run.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::across::steps_to_worst;
use crate::across::{Spread, gap_at_equal_mean, gini_at_equal_mean, steps_to};
use crate::curve::Curve;
use crate::emergence::Emergence;
use crate::error::MeasureError;
use crate::evaluation::Evaluation;
use crate::halves::Halves;
use crate::overlap::overlap;
use crate::rank::kendall_tau;
use crate::run::{CapabilityCurves, Measure, RunCurves};
use crate::solvable::Solvable;
use crate::statistics::median;
use crate::timing::Timing;

/// The skill from which on a capability counts as learned.
const LEARNED: f64 = 0.9;

/// One capability of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapabilitySummary {
    /// Share of the training distribution at the first evaluation, 0 to 1.
    pub frequency: f64,
    /// How the capability arose, by accuracy above chance.
    pub emergence: Emergence,
    /// The same by every other measure that the records have, see [`Measure`].
    pub by: BTreeMap<Measure, Emergence>,
    /// Accuracy at the last evaluation, 0 to 1.
    pub final_accuracy: f64,
    /// Loss at the last evaluation, in nats.
    pub final_loss: f64,
}

impl CapabilitySummary {
    fn of(curves: &CapabilityCurves) -> Self {
        let others = Measure::ALL
            .into_iter()
            .filter(|&one| one != Measure::Accuracy);
        Self {
            frequency: curves.frequency,
            emergence: curves
                .by(Measure::Accuracy)
                .map_or_else(Emergence::default, Emergence::from_curve),
            by: others
                .filter_map(|measure| Some((measure, Emergence::from_curve(curves.by(measure)?))))
                .collect(),
            final_accuracy: curves.accuracy.last_value(),
            final_loss: curves.loss.last_value(),
        }
    }

    /// How the capability arose by a measure; `None` where the records don't have it.
    #[must_use]
    pub fn by(&self, measure: Measure) -> Option<&Emergence> {
        match measure {
            Measure::Accuracy => Some(&self.emergence),
            other => self.by.get(&other),
        }
    }

    /// How many times earlier the hidden progress was half way than the accuracy; at least 1 where progress
    /// came first.
    #[must_use]
    pub fn hidden_lead(&self) -> Option<f64> {
        let hidden = self.by(Measure::Progress)?.t50?;
        crate::emergence::ratio(self.emergence.t50?, hidden)
    }
}

/// The numbers of one run. Missing numbers are `None`, never NaN or infinite.
///
/// Numbers across capabilities are over those that count, see [`RunCurves`]; all have their own numbers in
/// `capabilities`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// Number of evaluations.
    pub evaluations: usize,
    /// Step of the last evaluation.
    pub last_step: u64,
    /// Every capability by name.
    pub capabilities: BTreeMap<String, CapabilitySummary>,
    /// How far apart in time the capabilities emerge.
    pub spread: Spread,
    /// Kendall's τ-b of t50 and rarity: 1 when frequent capabilities come first, −1 when rare ones do.
    /// `None` where all frequencies are equal. What never emerges comes last.
    pub order: Option<f64>,
    /// See [`gap_at_equal_mean`].
    pub gap: Option<f64>,
    /// See [`gini_at_equal_mean`].
    pub gini: Option<f64>,
    /// How well a part of the capabilities predicts the rest.
    pub halves: Option<Halves>,
    /// See [`overlap`].
    pub overlap: Option<f64>,
    /// Capabilities with a skill of at least 0.9 at the last evaluation.
    pub learned: usize,
    /// How well sigmoids tell the curves whose times go as the inverse of the frequency, see [`Solvable`].
    pub by_frequency: Option<f64>,
    /// The same with equal times for all.
    pub by_equality: Option<f64>,
    /// How far the weights moved in the second phase of a run, as a share of their norm at its start.
    pub moved: Option<f64>,
    /// The lowest ratio of a capability's accuracy at the end to that before the second phase, of those with a skill of
    /// 0.5 then: 1 where nothing was lost.
    pub kept: Option<f64>,
    /// Steps until the mean accuracy is 0.9.
    pub steps_to_90: Option<f64>,
    /// Steps until the mean accuracy is 0.99.
    pub steps_to_99: Option<f64>,
    /// Steps until every capability has an accuracy of 0.9.
    pub steps_to_worst_90: Option<f64>,
    /// Steps until every capability has a skill of 0.5, from the second phase of the run on, if it had one; at least 1.
    pub steps_to_half: Option<f64>,
    /// Training examples until the mean accuracy is 0.9.
    pub examples_to_90: Option<f64>,
    /// Training examples until the mean accuracy is 0.99.
    pub examples_to_99: Option<f64>,
    /// Per-example gradients until the mean accuracy is 0.99, those of standing examples included.
    pub gradients_to_99: Option<f64>,
    /// Wall-clock seconds until the mean accuracy is 0.9, see [`RunSummary::with_timings`].
    pub seconds_to_90: Option<f64>,
    /// Wall-clock seconds until the mean accuracy is 0.99.
    pub seconds_to_99: Option<f64>,
    /// Mean skill over capabilities, averaged over the training: the area under the mean curve, divided by
    /// the length of the training. Compare it between runs of one length.
    pub area: f64,
    /// Mean accuracy over capabilities at the last evaluation.
    pub final_accuracy: f64,
    /// Lowest accuracy of any capability at the last evaluation.
    pub worst_accuracy: f64,
    /// Mean loss over capabilities at the last evaluation, in nats.
    pub final_loss: f64,
    #[serde(skip)]
    curves: RunCurves,
}

impl RunSummary {
    /// Summarises the evaluations of one run, in order of steps.
    ///
    /// Before the first evaluation every capability is taken to be at chance at step 0.
    ///
    /// # Errors
    /// Those of [`RunCurves::from_evaluations`].
    pub fn from_evaluations(evaluations: &[Evaluation]) -> Result<Self, MeasureError> {
        Self::from_curves(&RunCurves::from_evaluations(evaluations)?)
    }

    /// Summarises the curves of one run.
    ///
    /// # Errors
    /// None for curves from [`RunCurves::from_evaluations`].
    pub fn from_curves(curves: &RunCurves) -> Result<Self, MeasureError> {
        // The fits of logistic curves take nearly all of the time.
        let capabilities: BTreeMap<String, CapabilitySummary> = curves
            .capabilities
            .par_iter()
            .map(|one| (one.name.clone(), CapabilitySummary::of(one)))
            .collect();
        let counted: Vec<&CapabilitySummary> = curves
            .counted()
            .filter_map(|one| capabilities.get(&one.name))
            .collect();
        let emergences: Vec<Emergence> = counted.iter().map(|one| one.emergence).collect();
        let mean = |of: fn(&CapabilitySummary) -> f64| {
            counted.iter().map(|one| of(one)).sum::<f64>() / counted.len() as f64
        };
        let (skills, accuracies) = (curves.skills(), curves.accuracies());
        let losses: Vec<Curve> = curves.counted().map(|one| one.loss.clone()).collect();
        let [steps_to_90, steps_to_99] = [0.9, 0.99].map(|level| steps_to(&accuracies, level));
        let (steps_to_90, steps_to_99) = (steps_to_90?, steps_to_99?);
        let examples = curves.examples.from_origin(0.0);
        let examples_at = |steps: Option<f64>| steps.map(|steps| examples.at(steps));
        let gradients = curves.gradients.from_origin(0.0);
        let rarities: Vec<f64> = counted.iter().map(|one| -one.frequency).collect();
        let frequencies: Vec<f64> = counted.iter().map(|one| one.frequency).collect();
        let equal = vec![1.0 / counted.len() as f64; counted.len()];
        let times: Vec<f64> = emergences
            .iter()
            .map(|one| one.t50.unwrap_or(f64::INFINITY))
            .collect();
        Ok(Self {
            evaluations: curves.examples.len(),
            last_step: curves.examples.last_step() as u64,
            spread: Spread::from_emergences(&emergences, curves.examples.last_step()),
            order: kendall_tau(&times, &rarities),
            gap: gap_at_equal_mean(&skills)?,
            gini: gini_at_equal_mean(&losses, &skills)?,
            halves: Halves::from_curves(&skills)?,
            overlap: overlap(&emergences),
            learned: (curves.counted())
                .filter_map(|one| one.by(Measure::Accuracy))
                .filter(|skill| skill.last_value() >= LEARNED)
                .count(),
            by_frequency: Solvable::fit(&skills, &frequencies).map(|model| model.r_squared),
            by_equality: Solvable::fit(&skills, &equal).map(|model| model.r_squared),
            moved: curves.phase.map(|phase| phase.moved),
            kept: curves.phase.and_then(|phase| kept(curves, phase.begins)),
            steps_to_90,
            steps_to_99,
            steps_to_worst_90: steps_to_worst(&accuracies, 0.9)?,
            steps_to_half: steps_to_half(curves),
            examples_to_90: examples_at(steps_to_90),
            examples_to_99: examples_at(steps_to_99),
            gradients_to_99: steps_to_99.map(|steps| gradients.at(steps)),
            seconds_to_90: None,
            seconds_to_99: None,
            area: Curve::mean(&skills)?.mean_height(),
            final_accuracy: mean(|one| one.final_accuracy),
            worst_accuracy: counted
                .iter()
                .map(|one| one.final_accuracy)
                .fold(f64::INFINITY, f64::min),
            final_loss: mean(|one| one.final_loss),
            capabilities,
            curves: curves.clone(),
        })
    }

    /// The same with the seconds to each level, interpolated between the timings of the run. Timings whose
    /// steps do not increase say nothing.
    #[must_use]
    pub fn with_timings(mut self, timings: &[Timing]) -> Self {
        let (steps, seconds) = timings
            .iter()
            .map(|one| (one.step as f64, one.seconds))
            .unzip();
        let clock = Curve::new(steps, seconds)
            .ok()
            .map(|curve| curve.from_origin(0.0));
        let at = |steps: Option<f64>| {
            let clock = clock.as_ref()?;
            steps
                .filter(|&steps| steps <= clock.last_step())
                .map(|steps| clock.at(steps))
        };
        (self.seconds_to_90, self.seconds_to_99) = (at(self.steps_to_90), at(self.steps_to_99));
        self
    }

    /// The same of one capability alone, without seconds; `None` where the run has no such capability.
    #[must_use]
    pub fn of(&self, capability: &str) -> Option<Self> {
        Self::from_curves(&self.curves.only(capability)?).ok()
    }

    /// The curves that all of it was computed from.
    #[must_use]
    pub fn curves(&self) -> &RunCurves {
        &self.curves
    }

    /// The capabilities that count: the trained ones, or all where none is.
    pub fn counted(&self) -> impl Iterator<Item = &CapabilitySummary> {
        let none_is = !self.capabilities.values().any(|one| one.frequency > 0.0);
        let all = self.capabilities.values();
        all.filter(move |one| none_is || one.frequency > 0.0)
    }

    /// The median of a number over the capabilities that have it.
    #[must_use]
    pub fn median(&self, measure: Measure, of: fn(&Emergence) -> Option<f64>) -> Option<f64> {
        let numbers = self.counted().filter_map(|one| of(one.by(measure)?));
        median(&numbers.collect::<Vec<_>>())
    }
}

/// Steps from the beginning of the last phase until the last of the capabilities that count has a skill of 0.5.
fn steps_to_half(curves: &RunCurves) -> Option<f64> {
    let begins = curves.phase.map_or(0.0, |phase| phase.begins);
    let times = curves.skills().into_iter().map(|skill| {
        let reached = skill.since(begins)?.first_crossing(0.5)?;
        Some((reached - begins).max(1.0))
    });
    let times: Option<Vec<f64>> = times.collect();
    times?.into_iter().reduce(f64::max)
}

/// The lowest ratio of an accuracy at the end to that at `step`.
fn kept(curves: &RunCurves, step: f64) -> Option<f64> {
    let had = |one: &&CapabilityCurves| {
        let skill = one.by(Measure::Accuracy);
        skill.is_some_and(|skill| skill.at(step) >= 0.5)
    };
    let ratios = curves.counted().filter(had).filter_map(|one| {
        let (now, then) = (one.accuracy.last_value(), one.accuracy.at(step));
        (then > 0.0).then_some(now / then)
    });
    ratios.reduce(f64::min)
}
