//! The numbers that the report gives of every run.

use gradual_measure::{Measure, Metric, kendall_tau};

use crate::folder::Run;

/// A number of a run: those that claims can be about, and some more.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Claimed(Metric),
    /// Kendall's τ of t50 and rarity.
    Order,
    /// Kendall's τ of t50 here and in the run of the baseline with the same seed.
    Agreement,
    HalfSquared,
    HalfRank,
    LogisticFit,
    HiddenLead,
    Speed,
}

/// Columns that belong together, for a table of the page.
pub(crate) struct Topic {
    pub(crate) title: &'static str,
    /// What the columns are.
    pub(crate) about: &'static str,
    pub(crate) columns: &'static [Column],
}

use Column::{Agreement, Claimed, HalfRank, HalfSquared, HiddenLead, LogisticFit, Order, Speed};

/// Every column, once.
pub(crate) const TOPICS: [Topic; 3] = [
    Topic {
        title: "Together",
        about: "Do capabilities rise at the same time? max t50 / min t50: how many times later the last one \
                is half learned than the first. Gap: mean difference of skill between two capabilities, at \
                equal mean skill. Gini: of the losses, at equal mean skill (0: all the same). Half tells half: R² \
                and rank correlation when the mean skill of a random half of the capabilities stands for that of the \
                others. To test: how many must be tested to know the mean within ±5 points. Order: Kendall’s τ \
                of t50 with rarity (1: frequent ones first), and with t50 of the baseline under the same seed.",
        columns: &[
            Claimed(Metric::Spread),
            Claimed(Metric::Gap),
            Claimed(Metric::Gini),
            HalfSquared,
            HalfRank,
            Claimed(Metric::NeededCapabilities),
            Order,
            Agreement,
            Claimed(Metric::WorstAccuracy),
        ],
    },
    Topic {
        title: "Gradual",
        about: "Is each rise slow against its own time? Medians over capabilities. t10, t50 and t90 are the \
                steps at which skill passes 10, 50 and 90 %; width is t90 − t10. By loss and by probability: the \
                same of measures without a threshold; where they are much wider, the accuracy’s jump is its \
                threshold’s. N_eff / n of the increments and linearity are 1 for a straight line; \
                breakthroughness is 1 for a straight line and grows with suddenness, up to 10. Fit: R² of a \
                logistic curve in ln t.",
        columns: &[
            Claimed(Metric::RelativeWidth),
            Claimed(Metric::RelativeWidthByLoss),
            Claimed(Metric::RelativeWidthByProbability),
            Claimed(Metric::LogWidth),
            Claimed(Metric::LargestRise),
            Claimed(Metric::FactorRise),
            Claimed(Metric::EffectiveIncrements),
            Claimed(Metric::Linearity),
            Claimed(Metric::Breakthroughness),
            LogisticFit,
            HiddenLead,
        ],
    },
    Topic {
        title: "Tax",
        about: "What does it cost? Slowing everything down widens every curve too, so read this beside the \
                others. Mean skill over the training is the area under the mean curve.",
        columns: &[
            Claimed(Metric::StepsTo90),
            Claimed(Metric::StepsTo99),
            Claimed(Metric::StepsToWorst90),
            Claimed(Metric::ExamplesTo90),
            Claimed(Metric::ExamplesTo99),
            Claimed(Metric::SecondsTo90),
            Claimed(Metric::SecondsTo99),
            Claimed(Metric::Area),
            Claimed(Metric::FinalAccuracy),
            Claimed(Metric::FinalLoss),
            Speed,
        ],
    },
];

impl Column {
    /// Every column, in order.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        TOPICS.iter().flat_map(|topic| topic.columns).copied()
    }

    /// A short head for the tables of the page.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Claimed(Metric::Gap) => "gap at equal skill",
            Claimed(Metric::Gini) => "Gini of losses",
            Claimed(Metric::NeededCapabilities) => "to test",
            Claimed(Metric::StepsTo90) => "steps to 90 %",
            Claimed(Metric::StepsTo99) => "steps to 99 %",
            Claimed(Metric::StepsToWorst90) => "steps to worst 90 %",
            Claimed(Metric::ExamplesTo90) => "examples to 90 %",
            Claimed(Metric::ExamplesTo99) => "examples to 99 %",
            Claimed(Metric::SecondsTo90) => "seconds to 90 %",
            Claimed(Metric::SecondsTo99) => "seconds to 99 %",
            Claimed(Metric::Area) => "mean skill",
            Claimed(Metric::RelativeWidthByLoss) => "by loss",
            Claimed(Metric::RelativeWidthByProbability) => "by probability",
            Claimed(Metric::LargestRise) => "rise in 5 %",
            Claimed(Metric::FactorRise) => "rise in × 1.25",
            Claimed(Metric::EffectiveIncrements) => "N_eff / n",
            Claimed(Metric::FinalAccuracy) => "final accuracy",
            Claimed(Metric::WorstAccuracy) => "worst accuracy",
            Claimed(Metric::FinalLoss) => "final loss",
            Claimed(metric) => metric.label(),
            Order => "order: rarity",
            Agreement => "order: baseline",
            HalfSquared => "half tells half: R²",
            HalfRank => "rank correlation",
            LogisticFit => "logistic fit",
            HiddenLead => "hidden lead",
            Speed => "steps per second",
        }
    }

    /// The name in tables and `summary.json`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Claimed(metric) => metric.name(),
            Order => "order",
            Agreement => "order_agreement",
            HalfSquared => "half_r_squared",
            HalfRank => "half_rank_correlation",
            LogisticFit => "logistic_r_squared",
            HiddenLead => "hidden_lead",
            Speed => "steps_per_second",
        }
    }

    /// The number of a run; `base` is the run of its baseline with the same seed.
    pub(crate) fn value(self, run: &Run, base: Option<&Run>) -> Option<f64> {
        let summary = &run.summary;
        match self {
            Claimed(metric) => summary.value(metric),
            Order => summary.order,
            Agreement => agreement(run, base?),
            HalfSquared => summary.halves.map(|halves| halves.r_squared),
            HalfRank => summary.halves?.rank_correlation,
            LogisticFit => summary.median(Measure::Accuracy, |one| Some(one.logistic?.r_squared)),
            HiddenLead => {
                let leads = summary.counted().filter_map(|one| one.hidden_lead());
                gradual_measure::statistics::median(&leads.collect::<Vec<_>>())
            }
            Speed => run.speed(),
        }
    }
}

/// Whether capabilities come in the same order in both runs; those that never come are last.
fn agreement(run: &Run, base: &Run) -> Option<f64> {
    let time =
        |one: &gradual_measure::CapabilitySummary| one.emergence.t50.unwrap_or(f64::INFINITY);
    let (ours, theirs): (Vec<f64>, Vec<f64>) = run
        .summary
        .capabilities
        .iter()
        .filter_map(|(name, one)| Some((time(one), time(base.summary.capabilities.get(name)?))))
        .unzip();
    kendall_tau(&ours, &theirs)
}
