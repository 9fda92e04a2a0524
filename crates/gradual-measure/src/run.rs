//! The curves of one run: every capability by every measure, checked once.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::curve::{Curve, skill};
use crate::error::MeasureError;
use crate::evaluation::{CapabilityRecord, Evaluation};

/// By what a capability is measured, on the same evaluations.
///
/// Accuracy has a threshold, and a threshold can turn a smooth gain into a jump (Schaeffer et al. 2023, "Are
/// Emergent Abilities of Large Language Models a Mirage?"). The others have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Accuracy above chance, see [`skill`].
    Accuracy,
    /// The share of the loss of the first evaluation that is gone, `1 − ℓ(t)/ℓ(0)`: 0 at the start, 1 where
    /// no loss is left, negative where it grew.
    Loss,
    /// Probability of the right answer above chance.
    Probability,
    /// Hidden progress, as the task tells it.
    Progress,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Accuracy,
        Self::Loss,
        Self::Probability,
        Self::Progress,
    ];

    /// The name in files and for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Loss => "loss",
            Self::Probability => "probability",
            Self::Progress => "progress",
        }
    }

    /// How far the capability has come by this measure; `None` where the record doesn't say.
    ///
    /// `first` is the record of the same capability at the first evaluation.
    #[must_use]
    pub fn of(self, record: &CapabilityRecord, first: &CapabilityRecord) -> Option<f64> {
        match self {
            Self::Accuracy => Some(record.skill()),
            Self::Loss => {
                let left = record.loss / first.loss;
                (first.loss > 0.0 && left.is_finite()).then_some(1.0 - left)
            }
            Self::Probability => Some(skill(record.probability?, record.chance)),
            Self::Progress => record.progress,
        }
    }
}

/// One capability's curves against steps.
#[derive(Clone, Debug, PartialEq)]
pub struct CapabilityCurves {
    /// Name of the capability.
    pub name: String,
    /// Accuracy of guessing at the first evaluation.
    pub chance: f64,
    /// Share of the training distribution at the first evaluation.
    pub frequency: f64,
    /// Names of the capabilities that it is composed of, in [`RunCurves::capabilities`]; empty for most.
    pub parts: Vec<String>,
    /// Whether it counts among the capabilities of the run, see [`RunCurves`].
    pub counts: bool,
    /// Accuracy as recorded.
    pub accuracy: Curve,
    /// Loss as recorded.
    pub loss: Curve,
    /// How far it has come, in the order of [`Measure::ALL`].
    progress: [Option<Curve>; 4],
}

impl CapabilityCurves {
    /// How far it has come by a measure; `None` where an evaluation doesn't say.
    #[must_use]
    pub fn by(&self, measure: Measure) -> Option<&Curve> {
        let at = Measure::ALL.iter().position(|&one| one == measure)?;
        self.progress[at].as_ref()
    }
}

/// When the second phase of a run began, and how far it went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SecondPhase {
    /// Step of the last evaluation before it.
    pub begins: f64,
    /// How far the weights had moved at the last evaluation, as a share of their norm at the start.
    pub moved: f64,
}

impl SecondPhase {
    fn of(evaluations: &[Evaluation]) -> Option<Self> {
        let first = evaluations.iter().position(|one| one.moved.is_some())?;
        let before = evaluations.get(first.checked_sub(1)?)?;
        Some(Self {
            begins: before.step as f64,
            moved: evaluations.last()?.moved?,
        })
    }
}

/// The curves of one run.
///
/// The capabilities that *count* are those that are trained, of frequency above zero at the first
/// evaluation: one that is only tested (a composition of others, say) may stay flat for ever. Where none is
/// trained, all count.
#[derive(Clone, Debug, PartialEq)]
pub struct RunCurves {
    /// Every capability, in order of names.
    pub capabilities: Vec<CapabilityCurves>,
    /// Examples seen against steps.
    pub examples: Curve,
    /// Per-example gradients computed against steps, those of standing examples included.
    pub gradients: Curve,
    /// Training loss of the latest draw against steps.
    pub train_loss: Curve,
    /// The second phase of the run, if it had one.
    pub phase: Option<SecondPhase>,
    /// Floating-point operations against steps, where they were counted.
    pub compute: Option<Curve>,
}

impl RunCurves {
    /// The curves of the evaluations of a run, in order of steps.
    ///
    /// # Errors
    /// When there is no evaluation or no capability, the capabilities or their parts differ between evaluations, a part
    /// is no other capability, stands twice or is composed of the whole in turn, a chance is outside 0 to 1 or changes, a number is not finite, or steps do not increase.
    pub fn from_evaluations(evaluations: &[Evaluation]) -> Result<Self, MeasureError> {
        let first = check(evaluations)?;
        let steps: Vec<f64> = evaluations.iter().map(|one| one.step as f64).collect();
        let curve = |values: Vec<f64>| Curve::new(steps.clone(), values);
        let along = |of: &dyn Fn(&Evaluation) -> f64| curve(evaluations.iter().map(of).collect());
        let trained = |frequency: f64| frequency > 0.0;
        let none_is = !first
            .capabilities
            .values()
            .any(|one| trained(one.frequency));
        let capabilities = first
            .capabilities
            .iter()
            .map(|(name, begin)| {
                let by = |measure: Measure| {
                    let values = evaluations.iter().map(|one| {
                        // `check` has seen the name in every evaluation.
                        measure.of(one.capabilities.get(name)?, begin)
                    });
                    curve(values.collect::<Option<_>>()?).ok()
                };
                Ok(CapabilityCurves {
                    name: name.clone(),
                    chance: begin.chance,
                    frequency: begin.frequency,
                    parts: begin.parts.clone(),
                    counts: none_is || trained(begin.frequency),
                    accuracy: along(&|one| one.capabilities[name].accuracy)?,
                    loss: along(&|one| one.capabilities[name].loss)?,
                    progress: Measure::ALL.map(by),
                })
            })
            .collect::<Result<_, MeasureError>>()?;
        let compute: Option<Vec<f64>> = evaluations.iter().map(|one| one.compute).collect();
        Ok(Self {
            capabilities,
            examples: along(&|one| one.examples as f64)?,
            gradients: along(&|one| one.gradient_evaluations.unwrap_or(one.examples) as f64)?,
            train_loss: along(&|one| one.train_loss)?,
            phase: SecondPhase::of(evaluations),
            compute: compute.map(curve).transpose()?,
        })
    }

    /// The curves of a capability.
    #[must_use]
    pub fn capability(&self, name: &str) -> Option<&CapabilityCurves> {
        let found = self
            .capabilities
            .binary_search_by(|one| one.name.as_str().cmp(name));
        found.ok().map(|at| &self.capabilities[at])
    }

    /// The same run as if it had this capability alone, which then counts; `None` where it has no such one.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<Self> {
        let capability = CapabilityCurves {
            counts: true,
            parts: Vec::new(),
            ..self.capability(name)?.clone()
        };
        Some(Self {
            capabilities: vec![capability],
            ..self.clone()
        })
    }

    /// The capabilities that count.
    pub fn counted(&self) -> impl Iterator<Item = &CapabilityCurves> {
        self.capabilities.iter().filter(|one| one.counts)
    }

    /// The curves of skill of those that count, as all numbers across capabilities take them: the running median of
    /// three points from skill 0 at step 0, see [`Curve::median3`].
    #[must_use]
    pub fn skills(&self) -> Vec<Curve> {
        self.counted()
            .filter_map(|one| one.by(Measure::Accuracy))
            .map(|skill| skill.median3(0.0))
            .collect()
    }

    /// The accuracies of those that count, from chance at step 0.
    #[must_use]
    pub fn accuracies(&self) -> Vec<Curve> {
        self.counted()
            .map(|one| one.accuracy.from_origin(one.chance))
            .collect()
    }
}

/// The first evaluation, after checking that all hold the same capabilities with a sound chance.
fn check(evaluations: &[Evaluation]) -> Result<&Evaluation, MeasureError> {
    let empty = |what| MeasureError::Empty {
        operation: "run summary",
        what,
    };
    let first = evaluations.first().ok_or_else(|| empty("evaluation"))?;
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
            let parts = &capability.parts;
            let known = |part: &String| part != name && first.capabilities.contains_key(part);
            let once = parts.iter().collect::<BTreeSet<_>>().len() == parts.len();
            if *parts != first.capabilities[name].parts || !once || !parts.iter().all(known) {
                return Err(MeasureError::Parts {
                    capability: name.clone(),
                    step: one.step,
                    parts: parts.clone(),
                });
            }
            if !(0.0..1.0).contains(&capability.chance) {
                return Err(MeasureError::Chance {
                    capability: name.clone(),
                    step: one.step,
                    chance: capability.chance,
                });
            }
            let begin = first.capabilities[name].chance;
            if capability.chance != begin {
                return Err(MeasureError::ChanceChanged {
                    capability: name.clone(),
                    step: one.step,
                    chance: capability.chance,
                    first: begin,
                });
            }
        }
    }
    match first.cycle_of_parts() {
        None => Ok(first),
        Some(names) => Err(MeasureError::Cycle {
            step: first.step,
            names: names.into_iter().map(str::to_owned).collect(),
        }),
    }
}
