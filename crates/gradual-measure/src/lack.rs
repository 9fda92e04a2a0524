//! Numbers that a run can't have, however long it goes on.

use std::fmt;

use crate::metric::{Metric, Topic};
use crate::run::Measure;
use crate::summary::RunSummary;

/// What a run has not got that a number takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Lack {
    /// A second phase.
    SecondPhase,
    /// A capability that was half learned when the second phase began, and so can be lost.
    ToKeep,
    /// The capability that is asked for.
    Capability,
    /// A capability that is composed of others.
    Composed,
    /// A second capability.
    Several,
    /// Frequencies that differ.
    UnequalFrequencies,
    /// The probability of the right answer, in its records.
    Probability,
    /// Hidden progress, in its records.
    Progress,
    /// Seconds at that step.
    Seconds,
}

impl fmt::Display for Lack {
    /// As part of a sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SecondPhase => "there is no second phase",
            Self::ToKeep => "no capability was half learned when the second phase began",
            Self::Capability => "there is no such capability",
            Self::Composed => "no capability is composed of others",
            Self::Several => "there is only one capability",
            Self::UnequalFrequencies => "all capabilities are equally frequent",
            Self::Probability => "the probability of the right answer is not recorded",
            Self::Progress => "hidden progress is not recorded",
            Self::Seconds => "the seconds are not recorded",
        })
    }
}

impl RunSummary {
    /// Why the run has no such [value of one capability](Self::value_of) or of all, as [`lack`](Self::lack) says.
    #[must_use]
    pub fn lack_of(&self, metric: Metric, capability: Option<&str>) -> Option<Lack> {
        match capability.map(|name| self.of(name)) {
            None => self.lack(metric),
            Some(None) => Some(Lack::Capability),
            Some(Some(alone)) => alone.lack(metric),
        }
    }

    /// Why the run has no such [value](Self::value) and would not have one if it went on; `None` where it has one, or
    /// might come to one.
    #[must_use]
    pub fn lack(&self, metric: Metric) -> Option<Lack> {
        if self.value(metric).is_some() {
            return None;
        }
        let curves = self.curves();
        let records = |measure: Measure| self.counted().any(|one| one.by(measure).is_some());
        let mut frequencies = self.counted().map(|one| one.frequency);
        let first = frequencies.next();
        let lack = |lacks: bool, lack: Lack| lacks.then_some(lack);
        match metric {
            Metric::Moved => lack(curves.phase.is_none(), Lack::SecondPhase),
            Metric::Kept => Some(curves.phase.map_or(Lack::SecondPhase, |_| Lack::ToKeep)),
            Metric::RelativeWidthByProbability => {
                lack(!records(Measure::Probability), Lack::Probability)
            }
            Metric::HiddenLead => lack(!records(Measure::Progress), Lack::Progress),
            Metric::SecondsTo90 => lack(self.steps_to_90.is_some(), Lack::Seconds),
            Metric::SecondsTo99 => lack(self.steps_to_99.is_some(), Lack::Seconds),
            _ if metric.topic() == Topic::Composed => {
                let composed = curves.capabilities.iter().any(|one| !one.parts.is_empty());
                lack(!composed, Lack::Composed)
            }
            _ if metric.topic() == Topic::Together && self.counted().nth(1).is_none() => {
                Some(Lack::Several)
            }
            Metric::Order => lack(
                frequencies.all(|one| Some(one) == first),
                Lack::UnequalFrequencies,
            ),
            _ => None,
        }
    }
}
