//! What searches for a lens chose, and from how much.

use gradual_runs::{LookRecord, LooksRecord};

use super::{Shown, table};
use crate::folder::{Folder, Run};
use crate::numbers::number;
use crate::text::{escape, shown};

/// Rows of the section, the first seeds first.
const ROWS: usize = 60;
/// Letters of a layer and of a metric.
const LAYER: usize = 80;
const METRIC: usize = 40;

/// The section; nothing where no run searched for a lens.
pub(super) fn html(folder: &Folder) -> String {
    let mut looked = Vec::new();
    for arm in folder.shown() {
        let runs = arm.runs.iter().enumerate();
        let records = runs.flat_map(|(at, run)| run.looks.iter().map(move |each| (at, run, each)));
        looked.extend(records.map(|(at, run, record)| (at, arm.label.as_str(), run, record)));
    }
    if looked.is_empty() {
        return String::new();
    }
    looked.sort_by_key(|(at, ..)| *at);
    let rows: Vec<Vec<Shown>> = looked
        .iter()
        .take(ROWS)
        .map(|(_, arm, run, record)| row(arm, run, record))
        .collect();
    format!(
        "<h2 id=\"looks\">Looks for a lens</h2>\n{}<p class=\"small\">Where a run searched for a lens: a layer, a metric and a number of groups \
         that are chosen without labels. <b>Stability</b>: adjusted Rand index between the groups that two independent sets of \
         examples make of the same others. <b>Explained</b>: share of the variance between these others that is between groups, in \
         what each has learned since fresh weights (the fall of its loss); <b>held</b> is what the look of an earlier step explains \
         of the same. The rule takes the stable look that explains most, and exchanges the one that is held if that explains less. \
         <b>Recovery</b>: of these groups against the capabilities, which nothing was chosen by; <b>best</b> is the highest of \
         all looks at this step. tables/looks.csv has all looks.</p>\n",
        table(
            "metrics",
            &[
                "arm",
                "seed",
                "step",
                "layer",
                "metric",
                "groups",
                "stability",
                "explained",
                "held",
                "lens",
                "recovery",
                "best",
            ],
            &rows
        )
    )
}

fn row(arm: &str, run: &Run, record: &LooksRecord) -> Vec<Shown> {
    let chosen = record.chosen.and_then(|at| usize::try_from(at).ok());
    let chosen = chosen.and_then(|at| record.looks.get(at));
    let text = |value: &dyn Fn(&LookRecord) -> String| -> Shown {
        chosen.map_or_else(|| String::from("–"), value).into()
    };
    let index = |value: Option<f64>| Shown {
        html: value.map_or_else(|| String::from("–"), number),
        sort: value,
    };
    let best = record.looks.iter().filter_map(|look| look.recovery);
    let count = |value: u64| Shown {
        html: value.to_string(),
        sort: Some(value as f64),
    };
    vec![
        format!("<code>{}</code>", escape(arm)).into(),
        count(run.seed),
        count(record.step),
        text(&|look| shown(&look.layer, LAYER)),
        text(&|look| shown(&look.metric, METRIC)),
        text(&|look| look.groups.to_string()),
        index(chosen.and_then(|look| look.stability)),
        index(chosen.and_then(|look| look.explained)),
        index(record.held),
        match record.taken {
            true => "taken".to_owned().into(),
            false => String::new().into(),
        },
        index(chosen.and_then(|look| look.recovery)),
        index(best.reduce(f64::max)),
    ]
}
