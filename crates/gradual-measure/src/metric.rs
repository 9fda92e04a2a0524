//! The numbers of a run that reports show and claims can be about: one list, with an entry for each.
//!
//! To add a metric, write its entry here. If it needs more than a [`RunSummary`] holds, compute it there or, from all
//! [curves](RunSummary::curves), in a file of its own. Reports, tables and claims iterate over the list.

use serde::{Deserialize, Serialize};

use crate::composed::Composed;
use crate::run::Measure::{Accuracy, Loss, Probability};
use crate::statistics::median;
use crate::summary::{CapabilitySummary, RunSummary};

/// What a metric tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Whether capabilities rise at the same time.
    Together,
    /// Whether the rise of each is slow against its own time; medians over capabilities.
    Gradual,
    /// What it costs.
    Tax,
    /// How capabilities that are composed of others develop against their parts.
    Composed,
}

impl Topic {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 4] = [Self::Together, Self::Gradual, Self::Tax, Self::Composed];

    /// The metrics on this topic, in order.
    pub fn metrics(self) -> impl Iterator<Item = Metric> {
        let all = Metric::ALL.iter().copied();
        all.filter(move |metric| metric.topic() == self)
    }
}

/// Which way a metric changes, or should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Less of it.
    Lower,
    /// More of it.
    Higher,
}

/// The entry of one metric.
struct Entry {
    name: &'static str,
    label: &'static str,
    head: &'static str,
    topic: Topic,
    unit: &'static str,
    better: Direction,
    about: &'static str,
    value: fn(&RunSummary) -> Option<f64>,
}

macro_rules! metrics {
    ($($metric:ident {
        name: $name:literal,
        label: $label:literal,
        head: $head:literal,
        topic: $topic:ident,
        unit: $unit:literal,
        better: $better:ident,
        about: $about:literal,
        value: $value:expr,
    })+) => {
        /// A number of a run that reports show and claims can be about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[non_exhaustive]
        pub enum Metric {
            $(
                #[doc = $about]
                #[serde(rename = $name)]
                $metric,
            )+
        }

        impl Metric {
            /// All metrics, in the order in which reports show them.
            pub const ALL: &[Self] = &[$(Self::$metric),+];

            fn entry(self) -> Entry {
                match self {
                    $(Self::$metric => Entry {
                        name: $name,
                        label: $label,
                        head: $head,
                        topic: Topic::$topic,
                        unit: $unit,
                        better: Direction::$better,
                        about: $about,
                        value: $value,
                    },)+
                }
            }
        }
    };
}

metrics! {
    Spread {
        name: "spread",
        label: "max t50 / min t50",
        head: "max t50 / min t50",
        topic: Together,
        unit: "",
        better: Lower,
        about: "how many times later the last capability is half learned than the first",
        value: |run| run.spread.ratio,
    }
    Gap {
        name: "gap",
        label: "gap at equal mean skill",
        head: "gap at equal skill",
        topic: Together,
        unit: "skill",
        better: Lower,
        about: "mean difference of skill between two capabilities, at equal mean skill",
        value: |run| run.gap,
    }
    Gini {
        name: "gini",
        label: "Gini coefficient of the losses",
        head: "Gini of losses",
        topic: Together,
        unit: "",
        better: Lower,
        about: "Gini coefficient of the losses at equal mean skill, 0 where all are the same",
        value: |run| run.gini,
    }
    HalfRSquared {
        name: "half_r_squared",
        label: "half tells half: R²",
        head: "half tells half: R²",
        topic: Together,
        unit: "",
        better: Higher,
        about: "R² when the mean skill of a random half of the capabilities stands for that of the others",
        value: |run| Some(run.halves?.r_squared),
    }
    HalfRankCorrelation {
        name: "half_rank_correlation",
        label: "half tells half: rank correlation",
        head: "rank correlation",
        topic: Together,
        unit: "",
        better: Higher,
        about: "rank correlation of the mean skill of a random half of the capabilities with that of the others",
        value: |run| run.halves?.rank_correlation,
    }
    NeededCapabilities {
        name: "needed_capabilities",
        label: "capabilities to test",
        head: "to test",
        topic: Together,
        unit: "capabilities",
        better: Lower,
        about: "how many capabilities must be tested to know the mean skill within ±5 points",
        value: |run| Some(run.halves?.needed as f64),
    }
    NeededForWorst {
        name: "needed_for_worst",
        label: "capabilities to test for the worst",
        head: "to test for the worst",
        topic: Together,
        unit: "capabilities",
        better: Lower,
        about: "how many capabilities must be tested to know the lowest skill within 10 points",
        value: |run| Some(run.halves?.needed_for_worst as f64),
    }
    Overlap {
        name: "overlap",
        label: "overlap of the rises",
        head: "overlap",
        topic: Together,
        unit: "",
        better: Higher,
        about: "what the rises (t10 to t90) of capabilities that follow one another share in time, 0 for dominoes",
        value: |run| run.overlap,
    }
    Order {
        name: "order",
        label: "order: rarity",
        head: "order: rarity",
        topic: Together,
        unit: "",
        better: Lower,
        about: "Kendall’s τ of t50 with rarity, 1 where frequent capabilities come first",
        value: |run| run.order,
    }
    ByFrequency {
        name: "by_frequency",
        label: "told by frequencies: R²",
        head: "by frequencies: R²",
        topic: Together,
        unit: "",
        better: Lower,
        about: "R² of sigmoids whose times go as the inverse of the frequency (arXiv 2404.17563), two parameters for all capabilities",
        value: |run| run.by_frequency,
    }
    ByEquality {
        name: "by_equality",
        label: "told by one curve: R²",
        head: "by one curve: R²",
        topic: Together,
        unit: "",
        better: Higher,
        about: "R² of one sigmoid for all capabilities",
        value: |run| run.by_equality,
    }
    WorstAccuracy {
        name: "worst_accuracy",
        label: "final worst accuracy",
        head: "worst accuracy",
        topic: Together,
        unit: "accuracy",
        better: Higher,
        about: "lowest accuracy of a capability at the last evaluation",
        value: |run| Some(run.worst_accuracy),
    }
    Learned {
        name: "learned",
        label: "capabilities learned",
        head: "learned",
        topic: Together,
        unit: "capabilities",
        better: Higher,
        about: "capabilities with a skill of at least 90 % at the last evaluation",
        value: |run| Some(run.learned as f64),
    }
    RelativeWidth {
        name: "relative_width",
        label: "width / t50",
        head: "width / t50",
        topic: Gradual,
        unit: "",
        better: Higher,
        about: "(t90 − t10) / t50",
        value: |run| run.median(Accuracy, |one| one.relative_width),
    }
    RelativeWidthByLoss {
        name: "relative_width_by_loss",
        label: "width / t50 by loss",
        head: "by loss",
        topic: Gradual,
        unit: "",
        better: Higher,
        about: "the same of the share of the first loss that is gone, a measure without a threshold",
        value: |run| run.median(Loss, |one| one.relative_width),
    }
    RelativeWidthByProbability {
        name: "relative_width_by_probability",
        label: "width / t50 by probability",
        head: "by probability",
        topic: Gradual,
        unit: "",
        better: Higher,
        about: "the same of the probability of the right answer; where it is much wider, the accuracy’s jump is its threshold’s",
        value: |run| run.median(Probability, |one| one.relative_width),
    }
    LogWidth {
        name: "log_width",
        label: "log₂(t90 / t10)",
        head: "log₂(t90 / t10)",
        topic: Gradual,
        unit: "doublings",
        better: Higher,
        about: "doublings of the training from the first sign to mastery",
        value: |run| run.median(Accuracy, |one| one.log_width),
    }
    LargestRise {
        name: "largest_rise",
        label: "largest rise in 5 % of the training",
        head: "rise in 5 %",
        topic: Gradual,
        unit: "skill",
        better: Lower,
        about: "largest rise within 5 % of the training",
        value: |run| run.median(Accuracy, |one| one.largest_rise),
    }
    FactorRise {
        name: "factor_rise",
        label: "largest rise in a factor 1.25 of time",
        head: "rise in × 1.25",
        topic: Gradual,
        unit: "skill",
        better: Lower,
        about: "largest rise while time grows by a factor of 1.25",
        value: |run| run.median(Accuracy, |one| one.factor_rise),
    }
    EffectiveIncrements {
        name: "effective_increments",
        label: "N_eff / n of the increments",
        head: "N_eff / n",
        topic: Gradual,
        unit: "",
        better: Higher,
        about: "effective number of the increments of skill over their number, 1 for a straight line",
        value: |run| run.median(Accuracy, |one| one.effective_increments),
    }
    Linearity {
        name: "linearity",
        label: "linearity",
        head: "linearity",
        topic: Gradual,
        unit: "",
        better: Higher,
        about: "BIG-bench’s linearity, 1 for a straight line",
        value: |run| run.median(Accuracy, |one| one.linearity),
    }
    Breakthroughness {
        name: "breakthroughness",
        label: "breakthroughness",
        head: "breakthroughness",
        topic: Gradual,
        unit: "",
        better: Lower,
        about: "BIG-bench’s breakthroughness, which is 1 for a straight line and grows with suddenness, up to 10 for a rise from 0 to 1; it is also small for what never rises",
        value: |run| run.median(Accuracy, |one| one.breakthroughness),
    }
    LogisticFit {
        name: "logistic_r_squared",
        label: "logistic fit",
        head: "logistic fit",
        topic: Gradual,
        unit: "",
        better: Higher,
        about: "R² of a logistic curve in ln t",
        value: |run| run.median(Accuracy, |one| Some(one.logistic?.r_squared)),
    }
    HiddenLead {
        name: "hidden_lead",
        label: "hidden lead",
        head: "hidden lead",
        topic: Gradual,
        unit: "",
        better: Higher,
        about: "how many times earlier hidden progress was half way than the accuracy",
        value: |run| median(&run.counted().filter_map(CapabilitySummary::hidden_lead).collect::<Vec<_>>()),
    }
    StepsTo90 {
        name: "steps_to_90",
        label: "steps to 90 % mean accuracy",
        head: "steps to 90 %",
        topic: Tax,
        unit: "steps",
        better: Lower,
        about: "steps until the mean accuracy is 90 %",
        value: |run| run.steps_to_90,
    }
    StepsTo99 {
        name: "steps_to_99",
        label: "steps to 99 % mean accuracy",
        head: "steps to 99 %",
        topic: Tax,
        unit: "steps",
        better: Lower,
        about: "steps until the mean accuracy is 99 %",
        value: |run| run.steps_to_99,
    }
    StepsToWorst90 {
        name: "steps_to_worst_90",
        label: "steps to 90 % worst accuracy",
        head: "steps to worst 90 %",
        topic: Tax,
        unit: "steps",
        better: Lower,
        about: "steps until every capability has an accuracy of 90 %",
        value: |run| run.steps_to_worst_90,
    }
    StepsToHalf {
        name: "steps_to_half",
        label: "steps to half of the skill",
        head: "steps to half",
        topic: Tax,
        unit: "steps",
        better: Lower,
        about: "steps until every capability has half of its skill, from the second phase on where there is one",
        value: |run| run.steps_to_half,
    }
    ExamplesTo90 {
        name: "examples_to_90",
        label: "examples to 90 % mean accuracy",
        head: "examples to 90 %",
        topic: Tax,
        unit: "examples",
        better: Lower,
        about: "training examples until the mean accuracy is 90 %",
        value: |run| run.examples_to_90,
    }
    ExamplesTo99 {
        name: "examples_to_99",
        label: "examples to 99 % mean accuracy",
        head: "examples to 99 %",
        topic: Tax,
        unit: "examples",
        better: Lower,
        about: "training examples until the mean accuracy is 99 %",
        value: |run| run.examples_to_99,
    }
    GradientsTo99 {
        name: "gradients_to_99",
        label: "gradients to 99 % mean accuracy",
        head: "gradients to 99 %",
        topic: Tax,
        unit: "gradients",
        better: Lower,
        about: "per-example gradients, with those of standing examples, until the mean accuracy is 99 %",
        value: |run| run.gradients_to_99,
    }
    SecondsTo90 {
        name: "seconds_to_90",
        label: "seconds to 90 % mean accuracy",
        head: "seconds to 90 %",
        topic: Tax,
        unit: "seconds",
        better: Lower,
        about: "wall-clock seconds until the mean accuracy is 90 %",
        value: |run| run.seconds_to_90,
    }
    SecondsTo99 {
        name: "seconds_to_99",
        label: "seconds to 99 % mean accuracy",
        head: "seconds to 99 %",
        topic: Tax,
        unit: "seconds",
        better: Lower,
        about: "wall-clock seconds until the mean accuracy is 99 %",
        value: |run| run.seconds_to_99,
    }
    Area {
        name: "area",
        label: "mean skill over the training",
        head: "mean skill",
        topic: Tax,
        unit: "skill",
        better: Higher,
        about: "mean skill over capabilities and over the training: the area under the mean curve",
        value: |run| Some(run.area),
    }
    FinalAccuracy {
        name: "final_accuracy",
        label: "final mean accuracy",
        head: "final accuracy",
        topic: Tax,
        unit: "accuracy",
        better: Higher,
        about: "mean accuracy at the last evaluation",
        value: |run| Some(run.final_accuracy),
    }
    Moved {
        name: "moved",
        label: "way of the weights",
        head: "moved",
        topic: Tax,
        unit: "",
        better: Lower,
        about: "how far the weights moved in the second phase of a run, as a share of their norm",
        value: |run| run.moved,
    }
    Kept {
        name: "kept",
        label: "accuracy kept",
        head: "kept",
        topic: Tax,
        unit: "",
        better: Higher,
        about: "lowest ratio of a capability’s accuracy at the end to that before the second phase",
        value: |run| run.kept,
    }
    FinalLoss {
        name: "final_loss",
        label: "final mean loss",
        head: "final loss",
        topic: Tax,
        unit: "nats",
        better: Lower,
        about: "mean loss at the last evaluation",
        value: |run| Some(run.final_loss),
    }
    ComposedDelay {
        name: "composed_delay",
        label: "composed: t50 / t50 of the parts’ product",
        head: "delay",
        topic: Composed,
        unit: "",
        better: Lower,
        about: "t50 of a composed capability over t50 of the product of its parts’ curves of skill",
        value: |run| Composed::median(run.curves(), |one| one.delay),
    }
    ComposedWidth {
        name: "composed_width",
        label: "composed: width / t50 over that of the parts’ product",
        head: "width",
        topic: Composed,
        unit: "",
        better: Higher,
        about: "width / t50 of a composed capability over that of the product of its parts’ curves of skill",
        value: |run| Composed::median(run.curves(), |one| one.width),
    }
    ComposedSkill {
        name: "composed_skill",
        label: "composed: final skill / product of the parts’",
        head: "final skill",
        topic: Composed,
        unit: "",
        better: Higher,
        about: "skill of a composed capability at the last evaluation over the product of its parts’ skills, once that has come to one half",
        value: |run| Composed::median(run.curves(), |one| one.skill),
    }
}

impl Metric {
    /// The name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.entry().name
    }

    /// The name for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        self.entry().label
    }

    /// A shorter name, for the head of a column.
    #[must_use]
    pub fn head(self) -> &'static str {
        self.entry().head
    }

    /// What it tells of.
    #[must_use]
    pub fn topic(self) -> Topic {
        self.entry().topic
    }

    /// Its unit; empty for a pure number.
    #[must_use]
    pub fn unit(self) -> &'static str {
        self.entry().unit
    }

    /// Which way is better: more gradual, more together, or cheaper.
    #[must_use]
    pub fn better(self) -> Direction {
        self.entry().better
    }

    /// What it is, as part of a sentence.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.entry().about
    }
}

impl RunSummary {
    /// One number of the run; `None` where it has none, as where it never got there.
    #[must_use]
    pub fn value(&self, metric: Metric) -> Option<f64> {
        (metric.entry().value)(self)
    }

    /// The same of one capability alone, or of all that count; `None`, too, where the run has no such capability.
    #[must_use]
    pub fn value_of(&self, metric: Metric, capability: Option<&str>) -> Option<f64> {
        match capability {
            None => self.value(metric),
            Some(name) => self.of(name)?.value(metric),
        }
    }
}
