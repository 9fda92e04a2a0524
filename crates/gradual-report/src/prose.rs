//! The first paragraphs, written from the numbers.

use gradual_measure::{Metric, Verdict};

use crate::column::Column;
use crate::folder::Folder;
use crate::numbers::{count, number};
use crate::results::{ArmResult, Results};
use crate::text::shorten;

/// Up to this many arms besides the baseline are described one by one.
const TOLD: usize = 4;
/// Up to this many arms are said to have capabilities that never came.
const NEVER: usize = 8;
/// Letters of the name of an arm.
const NAME: usize = 44;

/// Paragraphs: what ran and what the baseline does, what the arms change, what was judged and what never came.
pub(crate) fn paragraphs(folder: &Folder, results: &Results) -> Vec<String> {
    let mut first = vec![what_ran(folder, results)];
    let mut changes = Vec::new();
    let baseline = results.arm(&folder.baseline);
    if let Some(base) = baseline.filter(|arm| arm.runs > 0) {
        first.extend(alone(base));
        let others = worth_telling(results, base).into_iter();
        changes.extend(
            others
                .filter(|arm| arm.compared)
                .filter_map(|arm| against(arm, base)),
        );
    } else {
        first.push(format!(
            "There is no run of the baseline `{}`, so nothing can be compared.",
            shorten(&folder.baseline, NAME)
        ));
    }
    let outcome = judged(results).into_iter().chain(never_came(results));
    let all = [first, changes, outcome.collect()];
    let told = all.into_iter().filter(|sentences| !sentences.is_empty());
    told.map(|sentences| sentences.join(" ")).collect()
}

fn what_ran(folder: &Folder, results: &Results) -> String {
    let runs: usize = results.arms.iter().map(|arm| arm.runs).sum();
    let finished: usize = results.arms.iter().map(|arm| arm.finished).sum();
    let arms = results.arms.iter().filter(|arm| arm.runs > 0).count();
    let capabilities = folder
        .with_runs()
        .flat_map(|arm| &arm.runs)
        .map(|run| run.summary.capabilities.len())
        .max()
        .unwrap_or_default();
    let state = match (runs - finished, runs) {
        (0, 1) => "finished".to_owned(),
        (0, _) => "all finished".to_owned(),
        (1, 1) => "unfinished".to_owned(),
        (open, _) => format!("{open} of them unfinished"),
    };
    format!(
        "{} of {} on {}, {state}.",
        count(runs, "run", "runs"),
        count(arms, "arm", "arms"),
        count(capabilities, "capability", "capabilities"),
    )
}

/// The arms beside the baseline; of more than [`TOLD`], those with the smallest gap, the smallest spread
/// and the fewest steps to 90 %.
fn worth_telling<'a>(results: &'a Results, base: &ArmResult) -> Vec<&'a ArmResult> {
    let others: Vec<&ArmResult> = results
        .arms
        .iter()
        .filter(|arm| arm.name != base.name && arm.baseline == base.name && arm.runs > 0)
        .collect();
    if others.len() <= TOLD {
        return others;
    }
    let best = [Metric::Gap, Metric::Spread, Metric::StepsTo90].map(|metric| {
        let values = others
            .iter()
            .filter_map(|arm| Some((mean(arm, metric)?, arm.name.as_str())));
        values.min_by(|a, b| a.0.total_cmp(&b.0)).map(|one| one.1)
    });
    let told = |arm: &&ArmResult| best.contains(&Some(arm.name.as_str()));
    others.into_iter().filter(told).collect()
}

fn mean(arm: &ArmResult, metric: Metric) -> Option<f64> {
    arm.sample(metric).map(|sample| sample.mean)
}

/// In how many runs of an arm a number is there, where that is not all of them: a mean of some is that of the best.
fn some_of(arm: &ArmResult, metric: Metric) -> String {
    let found = arm.metric(Column::Of(metric));
    let counted = found.and_then(|one| Some((one.sample.as_ref()?.count, one.runs)));
    match counted {
        Some((count, runs)) if count < runs => format!(" in {count} of {runs} runs"),
        _ => String::new(),
    }
}

fn alone(base: &ArmResult) -> Option<String> {
    let mut parts = Vec::new();
    if let Some(spread) = mean(base, Metric::Spread) {
        parts.push(format!(
            "the last capability emerges at {} times the steps of the first{}",
            number(spread),
            some_of(base, Metric::Spread)
        ));
    }
    if let Some(gap) = mean(base, Metric::Gap) {
        parts.push(format!(
            "two capabilities differ in skill by {} on average at equal mean skill",
            number(gap)
        ));
    }
    parts.push(match mean(base, Metric::StepsTo90) {
        Some(steps) => format!(
            "mean accuracy reaches 90 % after {} steps{}",
            number(steps),
            some_of(base, Metric::StepsTo90)
        ),
        None => format!(
            "mean accuracy never reaches 90 % and ends at {}",
            number(mean(base, Metric::FinalAccuracy)?)
        ),
    });
    Some(format!(
        "Under the baseline `{}`, {}.",
        base.label,
        list(&parts)
    ))
}

fn against(arm: &ArmResult, base: &ArmResult) -> Option<String> {
    let parts: Vec<String> = [
        (Metric::Spread, "the spread of emergence"),
        (Metric::Gap, "the gap"),
        (
            Metric::RelativeWidth,
            "the width of a rise against its own time",
        ),
        (Metric::StepsTo90, "the number of steps to 90 %"),
    ]
    .into_iter()
    .filter_map(|(metric, name)| {
        // The ratio of the tables: over the seeds that both have, and none where a seed of either lacks the number.
        let ratio = arm
            .metric(Column::Of(metric))
            .and_then(|one| one.effect.as_ref());
        Some(match (mean(arm, metric), ratio) {
            (Some(ours), Some(effect)) => {
                format!(
                    "{name} is {} ({} of the baseline’s)",
                    number(ours),
                    number(effect.ratio)
                )
            }
            (Some(ours), None) => format!("{name} is {}{}", number(ours), some_of(arm, metric)),
            (None, _) if mean(base, metric).is_some() => format!("{name} cannot be given"),
            (None, _) => return None,
        })
    })
    .collect();
    (!parts.is_empty()).then(|| format!("With `{}`: {}.", arm.label, list(&parts)))
}

fn judged(results: &Results) -> Option<String> {
    let of = |verdict| {
        let held = results.verdicts.iter();
        held.filter(|held| held.verdict == verdict).count()
    };
    let total = results.verdicts.len();
    let parts: Vec<String> = [
        Verdict::Supported,
        Verdict::NotSupported,
        Verdict::Inconclusive,
    ]
    .into_iter()
    .filter(|&verdict| of(verdict) > 0)
    .map(|verdict| format!("{} {}", of(verdict), verdict.label()))
    .collect();
    (total > 0).then(|| format!("Of {}: {}.", count(total, "claim", "claims"), list(&parts)))
}

/// Which capabilities did not come in which arms.
fn never_came(results: &Results) -> Option<String> {
    let never: Vec<&ArmResult> = results.arms.iter().filter(|arm| lacks_some(arm)).collect();
    let counted = |arm: &ArmResult| {
        let (reached, of) = arm.reached();
        let seeds = arm.metrics.first().map_or(1, |metric| metric.runs);
        let over = match seeds {
            0 | 1 => String::new(),
            seeds => format!(" (over {seeds} seeds)"),
        };
        (of - reached, of, over)
    };
    if let [arm] = never.as_slice() {
        let (missing, of, over) = counted(arm);
        return Some(format!(
            "In `{}`, {missing} of {}{over} never reached a skill of 50 %.",
            arm.label,
            count(of, "capability", "capabilities")
        ));
    }
    let mut parts: Vec<String> = (never.iter().take(NEVER))
        .map(|arm| {
            let (missing, of, over) = counted(arm);
            format!("{missing} of {of} in `{}`{over}", arm.label)
        })
        .collect();
    if never.len() > NEVER {
        parts.push(format!(
            "some in {}",
            count(never.len() - NEVER, "more arm", "more arms")
        ));
    }
    (!parts.is_empty()).then(|| {
        format!(
            "Capabilities that never reached a skill of 50 %: {}.",
            list(&parts)
        )
    })
}

fn lacks_some(arm: &ArmResult) -> bool {
    let (reached, of) = arm.reached();
    reached < of
}

/// `a`, `a and b`, `a, b and c`.
fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
