//! Claims as data, and the numbers that they are about.

use serde::{Deserialize, Serialize};

/// One measurable claim: an arm changes a metric against the baseline by at least a ratio.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Claim {
    /// The claim in words.
    pub statement: String,
    /// Where it comes from: post, paper or conjecture.
    pub source: String,
    /// The arm that is compared with the baseline.
    pub arm: String,
    /// What is compared.
    pub metric: Metric,
    /// Whether the arm should have less or more of it.
    pub direction: Direction,
    /// The ratio arm / baseline that counts as an effect, for instance 0.8 for a fifth less.
    pub smallest_effect: f64,
}

/// Which way a claim points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// The arm has less of the metric than the baseline.
    Lower,
    /// The arm has more of the metric than the baseline.
    Higher,
}

/// A number of a run that claims can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Metric {
    /// Largest over smallest t50 of the capabilities.
    Spread,
    /// Mean pairwise difference of skill at equal mean skill.
    Gap,
    /// Gini coefficient of the losses at equal mean skill.
    Gini,
    /// Capabilities that have to be tested to know the mean skill within ±5 points.
    NeededCapabilities,
    /// Steps until the mean accuracy is 90 %.
    #[serde(rename = "steps_to_90")]
    StepsTo90,
    /// Steps until the mean accuracy is 99 %.
    #[serde(rename = "steps_to_99")]
    StepsTo99,
    /// Steps until every capability has an accuracy of 90 %.
    #[serde(rename = "steps_to_worst_90")]
    StepsToWorst90,
    /// Training examples until the mean accuracy is 90 %.
    #[serde(rename = "examples_to_90")]
    ExamplesTo90,
    /// Training examples until the mean accuracy is 99 %.
    #[serde(rename = "examples_to_99")]
    ExamplesTo99,
    /// Wall-clock seconds until the mean accuracy is 90 %.
    #[serde(rename = "seconds_to_90")]
    SecondsTo90,
    /// Wall-clock seconds until the mean accuracy is 99 %.
    #[serde(rename = "seconds_to_99")]
    SecondsTo99,
    /// Mean skill over capabilities, averaged over the training: the area under the mean curve.
    Area,
    /// Median over capabilities of (t90 − t10)/t50.
    RelativeWidth,
    /// The same of the loss: the share of the first loss that is gone.
    RelativeWidthByLoss,
    /// The same of the probability of the right answer.
    RelativeWidthByProbability,
    /// Median over capabilities of log2(t90/t10).
    LogWidth,
    /// Median over capabilities of the largest rise within 5 % of the training.
    LargestRise,
    /// Median over capabilities of the largest rise while time grows by a factor 1.25.
    FactorRise,
    /// Median over capabilities of N_eff/n of the increments of skill.
    EffectiveIncrements,
    /// Median over capabilities of BIG-bench's linearity.
    Linearity,
    /// Median over capabilities of BIG-bench's breakthroughness.
    Breakthroughness,
    /// Mean accuracy at the last evaluation.
    FinalAccuracy,
    /// Lowest accuracy of a capability at the last evaluation.
    WorstAccuracy,
    /// Mean loss at the last evaluation, in nats.
    FinalLoss,
}

impl Metric {
    /// All metrics, in the order in which reports show them.
    pub const ALL: [Self; 24] = [
        Self::Spread,
        Self::Gap,
        Self::Gini,
        Self::NeededCapabilities,
        Self::StepsTo90,
        Self::StepsTo99,
        Self::StepsToWorst90,
        Self::ExamplesTo90,
        Self::ExamplesTo99,
        Self::SecondsTo90,
        Self::SecondsTo99,
        Self::Area,
        Self::RelativeWidth,
        Self::RelativeWidthByLoss,
        Self::RelativeWidthByProbability,
        Self::LogWidth,
        Self::LargestRise,
        Self::FactorRise,
        Self::EffectiveIncrements,
        Self::Linearity,
        Self::Breakthroughness,
        Self::FinalAccuracy,
        Self::WorstAccuracy,
        Self::FinalLoss,
    ];

    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Spread => "spread",
            Self::Gap => "gap",
            Self::Gini => "gini",
            Self::NeededCapabilities => "needed_capabilities",
            Self::StepsTo90 => "steps_to_90",
            Self::StepsTo99 => "steps_to_99",
            Self::StepsToWorst90 => "steps_to_worst_90",
            Self::ExamplesTo90 => "examples_to_90",
            Self::ExamplesTo99 => "examples_to_99",
            Self::SecondsTo90 => "seconds_to_90",
            Self::SecondsTo99 => "seconds_to_99",
            Self::Area => "area",
            Self::RelativeWidth => "relative_width",
            Self::RelativeWidthByLoss => "relative_width_by_loss",
            Self::RelativeWidthByProbability => "relative_width_by_probability",
            Self::LogWidth => "log_width",
            Self::LargestRise => "largest_rise",
            Self::FactorRise => "factor_rise",
            Self::EffectiveIncrements => "effective_increments",
            Self::Linearity => "linearity",
            Self::Breakthroughness => "breakthroughness",
            Self::FinalAccuracy => "final_accuracy",
            Self::WorstAccuracy => "worst_accuracy",
            Self::FinalLoss => "final_loss",
        }
    }

    /// A short name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Spread => "max t50 / min t50",
            Self::Gap => "gap at equal mean skill",
            Self::Gini => "Gini coefficient of the losses",
            Self::NeededCapabilities => "capabilities to test",
            Self::StepsTo90 => "steps to 90 % mean accuracy",
            Self::StepsTo99 => "steps to 99 % mean accuracy",
            Self::StepsToWorst90 => "steps to 90 % worst accuracy",
            Self::ExamplesTo90 => "examples to 90 % mean accuracy",
            Self::ExamplesTo99 => "examples to 99 % mean accuracy",
            Self::SecondsTo90 => "seconds to 90 % mean accuracy",
            Self::SecondsTo99 => "seconds to 99 % mean accuracy",
            Self::Area => "mean skill over the training",
            Self::RelativeWidth => "width / t50",
            Self::RelativeWidthByLoss => "width / t50 by loss",
            Self::RelativeWidthByProbability => "width / t50 by probability",
            Self::LogWidth => "log₂(t90 / t10)",
            Self::LargestRise => "largest rise in 5 % of the training",
            Self::FactorRise => "largest rise in a factor 1.25 of time",
            Self::EffectiveIncrements => "N_eff / n of the increments",
            Self::Linearity => "linearity",
            Self::Breakthroughness => "breakthroughness",
            Self::FinalAccuracy => "final mean accuracy",
            Self::WorstAccuracy => "final worst accuracy",
            Self::FinalLoss => "final mean loss",
        }
    }
}
