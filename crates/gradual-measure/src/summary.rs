//! All the numbers of one run.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::statistics::median;
use crate::{Curve, Emergence, Evaluation, MeasureError, Metric, Spread};
use crate::{gap_at_equal_mean, steps_to};

/// One capability of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CapabilitySummary {
    /// Share of the training distribution at the first evaluation, 0 to 1.
    pub frequency: f64,
    /// How the capability arose.
    pub emergence: Emergence,
    /// Accuracy at the last evaluation, 0 to 1.
    pub final_accuracy: f64,
    /// Loss at the last evaluation, in nats.
    pub final_loss: f64,
}

/// The numbers of one run. Missing numbers are `None`, never NaN or infinite.
///
/// Numbers across capabilities are over those that are trained, of frequency above zero: one that is
/// only tested (a composition of others, say) may stay flat for ever. It has its own numbers in
/// `capabilities`. Where none is trained, all count.
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
    /// Mean pairwise difference of (3-point median) skill at equal mean skill, see
    /// [`gap_at_equal_mean`].
    pub gap: Option<f64>,
    /// Steps until the mean accuracy is 0.9.
    pub steps_to_90: Option<f64>,
    /// Steps until the mean accuracy is 0.99.
    pub steps_to_99: Option<f64>,
    /// Mean accuracy over capabilities at the last evaluation.
    pub final_accuracy: f64,
    /// Lowest accuracy of any capability at the last evaluation.
    pub worst_accuracy: f64,
    /// Mean loss over capabilities at the last evaluation, in nats.
    pub final_loss: f64,
    /// Median over the capabilities that have one of [`Emergence::width`].
    pub width: Option<f64>,
    /// Median over the capabilities that have one of [`Emergence::relative_width`].
    pub relative_width: Option<f64>,
    /// Median over the capabilities that have one of [`Emergence::log_width`].
    pub log_width: Option<f64>,
    /// Median over the capabilities that have one of [`Emergence::largest_rise`].
    pub largest_rise: Option<f64>,
    /// Median over the capabilities that have one of [`Emergence::effective_increments`].
    pub effective_increments: Option<f64>,
}

impl RunSummary {
    /// Summarises the evaluations of one run, in order of steps.
    ///
    /// Before the first evaluation every capability is taken to be at chance at step 0.
    ///
    /// # Errors
    /// When there is no evaluation or no capability, the capabilities differ between evaluations, a
    /// chance is outside 0 to 1, a number is not finite, or steps do not increase.
    pub fn of(evaluations: &[Evaluation]) -> Result<Self, MeasureError> {
        let last = check(evaluations)?;
        let steps: Vec<f64> = evaluations.iter().map(|one| one.step as f64).collect();
        let curve = |of: &dyn Fn(&Evaluation) -> f64| {
            Curve::new(steps.clone(), evaluations.iter().map(of).collect())
        };

        let mut capabilities = BTreeMap::new();
        let trained = |name: &String| evaluations[0].capabilities[name].frequency > 0.0;
        let none_is = !last.capabilities.keys().any(trained);
        let counts = |name: &String| none_is || trained(name);
        let (mut skills, mut accuracies) = (Vec::new(), Vec::new());
        for (name, end) in &last.capabilities {
            let begin = evaluations[0].capabilities[name];
            let skill = curve(&|one| one.capabilities[name].skill())?;
            let accuracy = curve(&|one| one.capabilities[name].accuracy)?;
            let loss = curve(&|one| one.capabilities[name].loss)?;
            capabilities.insert(
                name.clone(),
                CapabilitySummary {
                    frequency: begin.frequency,
                    emergence: Emergence::of(&skill),
                    final_accuracy: end.accuracy,
                    final_loss: loss.last_value(),
                },
            );
            if counts(name) {
                skills.push(skill.median3().from_origin(0.0));
                accuracies.push(accuracy.from_origin(begin.chance));
            }
        }

        let counted: Vec<&CapabilitySummary> = capabilities
            .iter()
            .filter(|(name, _)| counts(name))
            .map(|(_, one)| one)
            .collect();
        let emergences: Vec<Emergence> = counted.iter().map(|one| one.emergence).collect();
        let middle = |of: fn(&Emergence) -> Option<f64>| {
            median(&emergences.iter().filter_map(of).collect::<Vec<_>>())
        };
        let mean = |of: fn(&CapabilitySummary) -> f64| {
            counted.iter().map(|one| of(one)).sum::<f64>() / counted.len() as f64
        };
        Ok(Self {
            evaluations: evaluations.len(),
            last_step: last.step,
            spread: Spread::of(&emergences, last.step as f64),
            gap: gap_at_equal_mean(&skills)?,
            steps_to_90: steps_to(&accuracies, 0.9)?,
            steps_to_99: steps_to(&accuracies, 0.99)?,
            final_accuracy: mean(|one| one.final_accuracy),
            worst_accuracy: counted
                .iter()
                .map(|one| one.final_accuracy)
                .fold(f64::INFINITY, f64::min),
            final_loss: mean(|one| one.final_loss),
            width: middle(|one| one.width),
            relative_width: middle(|one| one.relative_width),
            log_width: middle(|one| one.log_width),
            largest_rise: middle(|one| one.largest_rise),
            effective_increments: middle(|one| one.effective_increments),
            capabilities,
        })
    }

    /// The number that a claim is about; `None` when the run never got there.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        match metric {
            Metric::Spread => self.spread.ratio,
            Metric::Gap => self.gap,
            Metric::StepsTo90 => self.steps_to_90,
            Metric::StepsTo99 => self.steps_to_99,
            Metric::RelativeWidth => self.relative_width,
            Metric::EffectiveIncrements => self.effective_increments,
            Metric::FinalAccuracy => Some(self.final_accuracy),
        }
    }
}

/// The last evaluation, after checking that all hold the same capabilities with a sound chance.
fn check(evaluations: &[Evaluation]) -> Result<&Evaluation, MeasureError> {
    let empty = |what| MeasureError::Empty {
        operation: "run summary",
        what,
    };
    let (Some(first), Some(last)) = (evaluations.first(), evaluations.last()) else {
        return Err(empty("evaluation"));
    };
    if first.capabilities.is_empty() {
        return Err(empty("capability"));
    }
    for one in evaluations {
        let missing = first
            .capabilities
            .keys()
            .find(|name| !one.capabilities.contains_key(*name))
            .map(|name| format!("`{name}` is missing"));
        let new = one
            .capabilities
            .keys()
            .find(|name| !first.capabilities.contains_key(*name))
            .map(|name| format!("`{name}` is new"));
        if let Some(difference) = missing.or(new) {
            return Err(MeasureError::Capabilities {
                step: one.step,
                difference,
            });
        }
        for (name, capability) in &one.capabilities {
            if !(0.0..1.0).contains(&capability.chance) {
                return Err(MeasureError::Chance {
                    capability: name.clone(),
                    step: one.step,
                    chance: capability.chance,
                });
            }
        }
    }
    Ok(last)
}
