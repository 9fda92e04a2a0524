//! What training on groups gives: the arms beside the one that is looked at.

use std::path::Path;

use gradual::measure::{Effect, Sample, Share};
use gradual_report::{Sheet, summary};
use serde::{Deserialize, Serialize};

/// An arm that trains on groups, against the baseline and the true groups.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Trained {
    #[serde(rename(deserialize = "name"))]
    arm: String,
    about: String,
    /// Finished runs.
    #[serde(rename(deserialize = "finished"))]
    seeds: usize,
    /// The arm whose effect is the whole.
    #[serde(default)]
    reference: Option<String>,
    metrics: Vec<Measured>,
    #[serde(default)]
    shares: Vec<Shared>,
}

/// One number of an arm over its seeds, and its ratio to the baseline.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Measured {
    metric: String,
    sample: Option<Sample>,
    effect: Option<Effect>,
}

/// The share of the reference's effect on one number.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Shared {
    metric: String,
    #[serde(flatten)]
    share: Share,
}

/// The part of `summary.json` that is read.
#[derive(Debug, Deserialize)]
struct Summary {
    arms: Vec<Trained>,
}

/// The numbers that are asked for, and what the table calls them.
const ASKED: [(&str, &str); 3] = [
    ("spread", "max t50 / min t50"),
    ("gap", "gap at equal mean skill"),
    ("worst_accuracy", "worst accuracy"),
];

impl Trained {
    /// All arms of the experiment in `folder` with finished runs; none where only one is trained.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Vec<Self>> {
        let Summary { mut arms } = serde_json::from_str(&summary(folder)?)?;
        arms.retain(|arm| arm.seeds > 0);
        for arm in &mut arms {
            arm.metrics
                .retain(|one| ASKED.iter().any(|(metric, _)| *metric == one.metric));
        }
        Ok(if arms.len() > 1 { arms } else { Vec::new() })
    }

    fn measured(&self, metric: &str) -> String {
        let own = self.metrics.iter().find(|one| one.metric == metric);
        let number = own.and_then(|one| one.sample.as_ref());
        number.map_or_else(dash, |sample| match sample.deviation {
            Some(deviation) => format!("{:.2} ± {deviation:.2}", sample.mean),
            None => format!("{:.2}", sample.mean),
        })
    }

    fn shared(&self, metric: &str) -> String {
        let number = |value: f64| format!("{value:.2}").replace('-', "−");
        let own = self.shares.iter().find(|one| one.metric == metric);
        own.map_or_else(dash, |Shared { share, .. }| match share.interval {
            _ if share.is_unclear() => "unclear".to_owned(),
            None => number(share.share),
            Some(one) => {
                let share = number(share.share);
                format!("{share} ({} to {})", number(one.low), number(one.high))
            }
        })
    }
}

fn dash() -> String {
    "–".to_owned()
}

/// The section; nothing where nothing is trained on groups.
pub(super) fn add(sheet: &mut Sheet, trained: &[Trained]) {
    let Some(first) = trained.first() else {
        return;
    };
    sheet.heading("What training on groups gives");
    sheet.text(
        "Runs of their own, each on one grouping. A number is missing where a run never got there.",
    );
    let mut heads = vec!["arm", "groups"];
    heads.extend(ASKED.map(|(_, name)| name));
    if let Some(reference) = &first.reference {
        sheet.text(&format!(
            "The share is that of the effect of {reference}: the mean log ratio to the mean loss over that of {reference}, with \
             Fieller's 95 % interval over seeds; 0 for what does nothing, 1 for what does the same, unclear where {reference} may \
             have no effect."
        ));
        heads.extend(["share in t50", "share in the gap", "share in the worst"]);
    }
    let asked = || ASKED.iter().map(|(metric, _)| *metric);
    let rows = trained.iter().map(|arm| {
        let own = [arm.arm.clone(), arm.about.clone()].into_iter();
        let measured = asked().map(|metric| arm.measured(metric));
        let shared = asked().filter(|_| first.reference.is_some());
        let shared = shared.map(|metric| arm.shared(metric));
        own.chain(measured).chain(shared).collect()
    });
    sheet.table(&heads, rows.collect());
}
