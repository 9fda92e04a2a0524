//! Whether capabilities come in the same order: in an arm as in the baseline, and from seed to seed.

use std::collections::BTreeSet;

use gradual_measure::{CapabilitySummary, Sample, kendall_tau, statistics};

use crate::folder::{Arm, Folder, Run};

/// The agreement on the order within one arm.
pub(crate) struct Order<'a> {
    pub(crate) arm: &'a Arm,
    /// Kendall's τ with the baseline's run of the same seed, over seeds; `None` for the baseline itself.
    pub(crate) with_baseline: Option<Sample>,
    /// Kendall's τ of two seeds, over all pairs.
    pub(crate) between_seeds: Option<Sample>,
}

/// The arms of which at least one of the two is known.
pub(crate) fn orders(folder: &Folder) -> impl Iterator<Item = Order<'_>> {
    folder.with_runs().filter_map(|arm| {
        let runs = arm.counted();
        let pairs = runs.iter().filter(|_| arm.name != arm.baseline);
        let taus = pairs.filter_map(|run| agreement(run, folder.paired(arm, run.seed)?));
        let order = Order {
            arm,
            with_baseline: Sample::from_values(&taus.collect::<Vec<_>>()),
            between_seeds: between(&runs),
        };
        (order.with_baseline.is_some() || order.between_seeds.is_some()).then_some(order)
    })
}

/// Kendall's τ-b of t50 in two runs, over the capabilities that both have; those that never come are last. `None` where
/// fewer than two emerge in either, for then there is no order.
pub(crate) fn agreement(one: &Run, other: &Run) -> Option<f64> {
    let time = |one: &CapabilitySummary| one.emergence.t50.unwrap_or(f64::INFINITY);
    let both = one.summary.capabilities.iter().filter_map(|(name, ours)| {
        let theirs = other.summary.capabilities.get(name)?;
        Some((time(ours), time(theirs)))
    });
    let (ours, theirs): (Vec<f64>, Vec<f64>) = both.unzip();
    let emerge = |times: &[f64]| times.iter().filter(|time| time.is_finite()).count();
    match emerge(&ours) >= 2 && emerge(&theirs) >= 2 {
        true => kendall_tau(&ours, &theirs),
        false => None,
    }
}

/// The mean over all pairs of runs. Pairs that share a run are not independent, so the spread is that of the jackknife's
/// pseudo-values (Tukey 1958): of n runs, `n θ − (n−1) θ₋ᵢ`, with θ₋ᵢ the mean over the pairs without run i. Their mean is
/// θ itself.
fn between(runs: &[&Run]) -> Option<Sample> {
    let n = runs.len();
    let mut taus = Vec::new();
    for (at, one) in runs.iter().enumerate() {
        for (before, other) in runs[..at].iter().enumerate() {
            if let Some(tau) = agreement(one, other) {
                taus.push((at, before, tau));
            }
        }
    }
    let count = taus.len() as f64;
    let all = statistics::mean(&taus.iter().map(|pair| pair.2).collect::<Vec<_>>())?;
    // Without a run of two there is no pair left, and without some pairs not every run has as many.
    if n < 3 || taus.len() != n * (n - 1) / 2 {
        // A run without an order is in no pair.
        let used: BTreeSet<usize> = taus.iter().flat_map(|pair| [pair.0, pair.1]).collect();
        let count = used.len();
        return Sample::from_values(&[all]).map(|sample| Sample { count, ..sample });
    }
    // Of each run, the sum over the pairs that it is in.
    let mut sums = vec![0.0; n];
    for (one, other, tau) in &taus {
        sums[*one] += tau;
        sums[*other] += tau;
    }
    let runs = n as f64;
    let without = |sum: &f64| (count * all - sum) / (count - (runs - 1.0));
    let values = sums
        .iter()
        .map(|sum| runs * all - (runs - 1.0) * without(sum));
    Sample::from_values(&values.collect::<Vec<_>>())
}
