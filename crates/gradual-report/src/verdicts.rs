//! The claims of the experiment, held against its finished runs.

use std::collections::BTreeMap;

use gradual_measure::{Claim, Effect, Metric, Verdict, paired_ratio, verdict};
use serde::Serialize;

use crate::folder::Folder;

/// A claim with what came out.
#[derive(Serialize)]
pub(crate) struct Held {
    #[serde(flatten)]
    pub(crate) claim: Claim,
    pub(crate) baseline: String,
    /// Over the seeds in which both arms have the number.
    pub(crate) effect: Option<Effect>,
    pub(crate) verdict: Verdict,
    /// Why there is no verdict, if there is none for want of numbers.
    pub(crate) reason: Option<String>,
}

pub(crate) fn hold(folder: &Folder) -> Vec<Held> {
    let claims = folder.record.claims.iter();
    claims.map(|claim| held(folder, claim)).collect()
}

fn held(folder: &Folder, claim: &Claim) -> Held {
    let baseline = folder.record.baseline.clone();
    let arm_values = values(folder, &claim.arm, claim.metric);
    let base_values = values(folder, &baseline, claim.metric);
    let effect = paired_ratio(&present(&arm_values), &present(&base_values));
    let reason = lack(&claim.arm, &arm_values)
        .or_else(|| lack(&baseline, &base_values))
        .or_else(|| match &effect {
            None => Some("no seed has a positive number in both arms".to_owned()),
            Some(effect) if effect.low.is_none() => {
                Some("one pair of seeds gives no interval".to_owned())
            }
            Some(_) => None,
        });
    // Seeds that never got there are the hard ones: to judge by the others would flatter the arm.
    let verdict = match reason {
        Some(_) => Verdict::Inconclusive,
        None => verdict(effect.as_ref(), claim.direction, claim.smallest_effect),
    };
    Held {
        claim: claim.clone(),
        baseline,
        effect,
        verdict,
        reason,
    }
}

/// The numbers of the finished runs of an arm, by seed.
fn values(folder: &Folder, arm: &str, metric: Metric) -> BTreeMap<u64, Option<f64>> {
    let runs = folder
        .arms
        .iter()
        .filter(|one| one.name == arm)
        .flat_map(|one| &one.runs);
    runs.filter(|run| run.finished)
        .map(|run| (run.seed, run.summary.value(metric)))
        .collect()
}

fn present(values: &BTreeMap<u64, Option<f64>>) -> BTreeMap<u64, f64> {
    values
        .iter()
        .filter_map(|(seed, value)| Some((*seed, (*value)?)))
        .collect()
}

fn lack(arm: &str, values: &BTreeMap<u64, Option<f64>>) -> Option<String> {
    let missing = values.values().filter(|value| value.is_none()).count();
    if values.is_empty() {
        Some(format!("{arm} has no finished run"))
    } else if missing > 0 {
        Some(format!(
            "{missing} of {} runs of {arm} never got there",
            values.len()
        ))
    } else {
        None
    }
}
