//! The numbers that the report gives of every run.

use gradual_measure::{Direction, Metric, Topic};

use crate::folder::{Folder, Run};
use crate::order::agreement;

/// A number of a run: a metric, or one that takes more than the run's own evaluations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Of(Metric),
    /// Kendall's τ of t50 here and in the run of the baseline with the same seed.
    Agreement,
    Speed,
}

use Column::{Agreement, Of, Speed};

impl Column {
    /// Every column of the runs of a folder, once, in order. Those on composed capabilities are there where some are.
    pub(crate) fn of(folder: &Folder) -> impl Iterator<Item = Self> {
        let runs = || folder.arms.iter().flat_map(|arm| &arm.runs);
        let composed = runs().any(|run| {
            let curves = &run.summary.curves().capabilities;
            curves.iter().any(|one| !one.parts.is_empty())
        });
        let topics = Topic::ALL.into_iter();
        let topics = topics.filter(move |&topic| composed || topic != Topic::Composed);
        topics.flat_map(Self::on)
    }

    /// The columns on a topic, in order.
    pub(crate) fn on(topic: Topic) -> impl Iterator<Item = Self> {
        let own = match topic {
            Topic::Together => Some(Agreement),
            Topic::Tax => Some(Speed),
            _ => None,
        };
        topic.metrics().map(Of).chain(own)
    }

    /// A short head for the tables of the page.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Of(metric) => metric.head(),
            Agreement => "order: baseline",
            Speed => "steps per second",
        }
    }

    /// The name in tables and `summary.json`.
    pub(crate) fn key(self) -> &'static str {
        match self {
            Of(metric) => metric.name(),
            Agreement => "order_agreement",
            Speed => "steps_per_second",
        }
    }

    /// What it is, in words.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Of(metric) => metric.about(),
            Agreement => "Kendall’s τ of t50 with that of the baseline under the same seed",
            Speed => "steps of training per wall-clock second",
        }
    }

    /// Its unit, empty for a pure number, and which way is better.
    pub(crate) fn unit(self) -> (&'static str, Direction) {
        match self {
            Of(metric) => (metric.unit(), metric.better()),
            Agreement => ("", Direction::Higher),
            Speed => ("steps per second", Direction::Higher),
        }
    }

    /// The number of a run; `base` is the run of its baseline with the same seed.
    pub(crate) fn value(self, run: &Run, base: Option<&Run>) -> Option<f64> {
        match self {
            Of(metric) => run.summary.value(metric),
            Agreement => agreement(run, base?),
            Speed => run.speed(),
        }
    }
}
