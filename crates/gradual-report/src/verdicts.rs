//! The claims of the experiment, judged by its finished runs.

use std::collections::{BTreeMap, BTreeSet};

use gradual_measure::{
    Against, CapabilityCurves, Claim, Effect, LEAST_SEEDS, Lack, Metric, Question, Verdict, judge,
    paired_ratio,
};
use serde::Serialize;

use crate::folder::{Folder, Run, Stated};
use crate::numbers::count;

/// A claim with what came out.
#[derive(Serialize)]
pub(crate) struct JudgedClaim {
    pub(crate) experiment: String,
    #[serde(flatten)]
    pub(crate) claim: Claim,
    /// The arm or the number that it is compared with.
    pub(crate) baseline: Against,
    /// Over the seeds in which both arms have the number.
    pub(crate) effect: Option<Effect>,
    pub(crate) verdict: Verdict,
    /// Against a ratio of exactly the smallest effect.
    pub(crate) p: Option<f64>,
    /// Corrected for the number of claims.
    pub(crate) adjusted_p: Option<f64>,
    /// Why there is no verdict, if numbers or seeds are missing.
    pub(crate) reason: Option<String>,
}

/// All claims of a folder, judged together; none where claims are not judged.
pub(crate) fn of(folder: &Folder) -> Vec<JudgedClaim> {
    if !folder.judged {
        return Vec::new();
    }
    let effects: Vec<(Option<Effect>, Option<String>)> = folder
        .stated
        .iter()
        .map(|stated| effect(folder, stated))
        .collect();
    let questions: Vec<Question> = folder
        .stated
        .iter()
        .zip(&effects)
        .map(|(stated, (effect, reason))| Question {
            // Seeds that never got there are the hard ones: to judge by the others would flatter the arm.
            effect: effect.filter(|_| reason.is_none()),
            direction: stated.claim.direction,
            smallest_effect: stated.claim.smallest_effect,
        })
        .collect();
    folder
        .stated
        .iter()
        .zip(effects)
        .zip(judge(&questions))
        .map(|((stated, (effect, reason)), answer)| JudgedClaim {
            experiment: stated.experiment.clone(),
            claim: stated.claim.clone(),
            baseline: stated.against.clone(),
            effect,
            verdict: answer.verdict,
            p: answer.p,
            adjusted_p: answer.adjusted_p,
            reason: reason
                .or_else(|| few(effect.as_ref()))
                .or_else(|| answer.doubt.map(|doubt| doubt.label().to_owned())),
        })
        .collect()
}

/// The effect that a claim is about, and why it can't be judged.
fn effect(folder: &Folder, stated: &Stated) -> (Option<Effect>, Option<String>) {
    let claim = &stated.claim;
    let arm_values = values(folder, &claim.arm, claim);
    let base_values = match &stated.against {
        Against::Arm(name) => values(folder, name, claim),
        Against::Number(number) => {
            let seeds = arm_values.keys().map(|&seed| (seed, Some(*number)));
            seeds.collect()
        }
    };
    let effect = paired_ratio(&present(&arm_values), &present(&base_values));
    let reason = missing(folder, &claim.arm, claim)
        .or_else(|| unlike_their_recipe(folder, stated))
        .or_else(|| match &stated.against {
            Against::Arm(name) => {
                missing(folder, name, claim).or_else(|| unlike(folder, name, claim))
            }
            Against::Number(_) => None,
        })
        .or_else(|| {
            let none = effect.is_none();
            none.then(|| without_ratio(stated, &present(&arm_values), &present(&base_values)))
        });
    (effect, reason)
}

/// Why numbers have no ratio.
fn without_ratio(
    stated: &Stated,
    arm_values: &BTreeMap<u64, f64>,
    base_values: &BTreeMap<u64, f64>,
) -> String {
    let arm = stated.claim.arm.as_str();
    let both = arm_values.iter().filter_map(|(seed, value)| {
        let base = base_values.get(seed)?;
        let other = match &stated.against {
            Against::Arm(name) => name.as_str(),
            Against::Number(_) => arm,
        };
        Some((*seed, [(arm, *value), (other, *base)]))
    });
    let mut odd = both.flat_map(|(seed, pair)| {
        let odd = pair.into_iter().filter(|(_, value)| *value <= 0.0);
        odd.map(move |(name, value)| (seed, name, value))
    });
    match odd.next() {
        Some((seed, name, value)) => format!(
            "{name} has {value} with seed {seed}, and ratios are of numbers above 0 in every seed"
        ),
        None => String::from("no seed has a number in both arms"),
    }
}

/// Why runs do not say what their recipe does, if some were stopped before their last step, or ended before they grouped.
fn unlike_their_recipe(folder: &Folder, stated: &Stated) -> Option<String> {
    let other = match &stated.against {
        Against::Arm(name) => Some(name.as_str()),
        Against::Number(_) => None,
    };
    let mut arms = std::iter::once(stated.claim.arm.as_str()).chain(other);
    arms.find_map(|arm| {
        let short = finished(folder, arm).filter(|run| run.is_short()).count();
        let runs = count(finished(folder, arm).count(), "run", "runs");
        let stopped = (short > 0).then(|| {
            format!(
                "{short} of {runs} of {arm} ended before their last step, so numbers of whole runs can't be compared"
            )
        });
        let late = || {
            let after = finished(folder, arm).find_map(Run::begins_too_late)?;
            Some(format!(
                "the groups of {arm} would begin after {after} steps, and its runs end before that"
            ))
        };
        stopped.or_else(late)
    })
}

/// Why a number over all capabilities is another one in the two arms of a claim, if it is: in a seed they train others, or count
/// skill from another level.
fn unlike(folder: &Folder, other: &str, claim: &Claim) -> Option<String> {
    if claim.capability.is_some() {
        return None;
    }
    let by_frequency = matches!(claim.metric, Metric::ByFrequency | Metric::Order);
    let trained = |arm: &str| -> BTreeMap<u64, BTreeSet<_>> {
        let of = |run: &Run| {
            let all = run.curves.capabilities.iter();
            let counts = all.filter(|one| one.counts || !one.parts.is_empty());
            let known = |one: &CapabilityCurves| {
                let name = one.name.clone();
                let parts: BTreeSet<String> = one.parts.iter().cloned().collect();
                let frequency = by_frequency.then(|| one.frequency.to_bits());
                (name, parts, one.counts, one.chance.to_bits(), frequency)
            };
            counts.map(known).collect()
        };
        finished(folder, arm)
            .map(|run| (run.seed, of(run)))
            .collect()
    };
    let (own, others) = (trained(&claim.arm), trained(other));
    let differs = |seed: &&u64| others.get(seed).is_some_and(|other| *other != own[*seed]);
    own.keys().find(differs).map(|seed| {
        format!(
            "the two arms begin with different capabilities, or chances, parts{} of them, in seed {seed}, so only a number of one capability can \
             be compared",
            if by_frequency { " or frequencies" } else { "" }
        )
    })
}

fn few(effect: Option<&Effect>) -> Option<String> {
    let seeds = effect?.seeds;
    let pairs = count(seeds, "pair", "pairs");
    (seeds < LEAST_SEEDS)
        .then(|| format!("{pairs} of seeds; a verdict takes at least {LEAST_SEEDS}"))
}

/// The numbers of the finished runs of an arm that a claim is about, by seed.
pub(crate) fn values(folder: &Folder, arm: &str, claim: &Claim) -> BTreeMap<u64, Option<f64>> {
    let value = |run: &Run| {
        run.summary
            .value_of(claim.metric, claim.capability.as_deref())
    };
    finished(folder, arm)
        .map(|run| (run.seed, value(run)))
        .collect()
}

/// Those that are there.
pub(crate) fn present(values: &BTreeMap<u64, Option<f64>>) -> BTreeMap<u64, f64> {
    values
        .iter()
        .filter_map(|(seed, value)| Some((*seed, (*value)?)))
        .collect()
}

fn finished<'a>(folder: &'a Folder, arm: &str) -> impl Iterator<Item = &'a Run> {
    let runs = folder.arm(arm).into_iter().flat_map(|one| &one.runs);
    runs.filter(|run| run.finished)
}

/// What the runs of an arm lack of a number, if they lack anything.
fn missing(folder: &Folder, arm: &str, claim: &Claim) -> Option<String> {
    let runs = finished(folder, arm).count();
    if runs == 0 {
        return Some(match folder.arm(arm).map_or(0, |arm| arm.runs.len()) {
            0 => format!("there is no run of {arm}"),
            1 => format!("the run of {arm} is unfinished"),
            _ => format!("all runs of {arm} are unfinished"),
        });
    }
    // Those that can't have it, by why, and those that might have had it.
    let mut lacking: BTreeMap<Option<Lack>, usize> = BTreeMap::new();
    let (metric, capability) = (claim.metric, claim.capability.as_deref());
    let lacks = |run: &&Run| run.summary.value_of(metric, capability).is_none();
    for run in finished(folder, arm).filter(lacks) {
        let lack = run.summary.lack_of(metric, capability);
        *lacking.entry(lack).or_default() += 1;
    }
    let said = lacking.into_iter().map(|(lack, some)| {
        let some = format!("{some} of {} of {arm}", count(runs, "run", "runs"));
        match lack {
            None => format!("{some} never got there"),
            Some(lack) => format!("{some} can't have this number, for {lack}"),
        }
    });
    let said: Vec<String> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}
