//! What an experiment claims, checked against its arms and its task before anything runs.

use std::collections::BTreeSet;

use anyhow::bail;
use gradual::measure::{Against, Claim, LEAST_SEEDS, Metric, Topic};
use gradual::train::Capability;

use super::Experiment;
use crate::meant::meant;

impl Experiment {
    /// Refuses claims that no run could decide: on arms that the experiment does not have, on numbers that their runs can't
    /// have, with odd ratios. `known` are the names of all arms.
    pub(super) fn check_claims(&self, known: &[String]) -> anyhow::Result<()> {
        for claim in &self.claims {
            for (what, name) in named(claim) {
                if !known.contains(name) {
                    let near = meant(name, known.iter().map(String::as_str));
                    bail!(
                        "{what}: experiment {} has no arm '{name}'{near}; its arms are {}",
                        self.name,
                        known.join(", ")
                    );
                }
            }
            if claim.statement.trim().is_empty() {
                bail!("a claim on the arm '{}' has no statement", claim.arm);
            }
            if claim.arm == self.baseline && claim.against.is_none() {
                bail!(
                    "the claim \"{}\" compares the baseline '{}' with itself; name another arm",
                    claim.statement,
                    claim.arm
                );
            }
            let against = match claim.against {
                Some(Against::Number(number)) => Some(("against", number)),
                _ => None,
            };
            let numbers = [("smallest_effect", claim.smallest_effect)];
            for (what, number) in numbers.into_iter().chain(against) {
                if !(number.is_finite() && number > 0.0) {
                    bail!(
                        "the claim \"{}\": {what} = {number}, but it is a number above 0",
                        claim.statement
                    );
                }
            }
            self.check_phases(claim)?;
        }
        self.check_several()?;
        self.check_parts()?;
        self.check_capabilities()
    }

    /// Refuses a claim on a capability that the task has not.
    fn check_capabilities(&self) -> anyhow::Result<()> {
        let named = self
            .claims
            .iter()
            .filter(|claim| claim.capability.is_some());
        let named: Vec<&Claim> = named.collect();
        if named.is_empty() {
            return Ok(());
        }
        let known: Vec<String> = self
            .task
            .capabilities()?
            .into_iter()
            .map(|one| one.name)
            .collect();
        for claim in named {
            let name = claim.capability.as_deref().unwrap_or_default();
            let (metric, several) = (claim.metric, [Topic::Together, Topic::Composed]);
            let seconds = [Metric::SecondsTo90, Metric::SecondsTo99];
            if several.contains(&metric.topic()) || seconds.contains(&metric) {
                bail!(
                    "the claim \"{}\": one capability alone has no {}; leave the capability out, or claim something else",
                    claim.statement,
                    metric.name()
                );
            }
            if !known.iter().any(|one| one == name) {
                bail!(
                    "the claim \"{}\": the task has no capability '{name}'{}; its capabilities are {}",
                    claim.statement,
                    meant(name, known.iter().map(String::as_str)),
                    known.join(", ")
                );
            }
        }
        Ok(())
    }

    /// Refuses a claim on the second phase of an arm that has none.
    fn check_phases(&self, claim: &Claim) -> anyhow::Result<()> {
        if !matches!(claim.metric, Metric::Moved | Metric::Kept) {
            return Ok(());
        }
        let against = match &claim.against {
            None => Some(&self.baseline),
            Some(Against::Arm(name)) => Some(name),
            Some(Against::Number(_)) => None,
        };
        for name in [&claim.arm].into_iter().chain(against) {
            if self.arm(name)?.recipe.then.is_none() {
                bail!(
                    "the claim \"{}\": {} is a number of a second phase, and the arm '{name}' has none: give it one by then = \
                     {{ after = 0.7, like = \"{name}\" }}, or claim something else",
                    claim.statement,
                    claim.metric.name()
                );
            }
        }
        Ok(())
    }

    /// Leaves claims on several capabilities out where data have one group alone: whose data they are need not have made the claims.
    pub(super) fn leave_out_several(&mut self) -> anyhow::Result<()> {
        let named = self.claims.iter().filter(|claim| is_of_several(claim));
        let mut named: Vec<&str> = named.map(|claim| claim.metric.name()).collect();
        named.dedup();
        let (task, is_read) = (&self.task, !self.task.notes().is_empty());
        if named.is_empty()
            || !is_read
            || !task.has_known_groups()
            || task.capabilities()?.len() > 1
        {
            return Ok(());
        }
        self.unclaimed = Some(format!(
            "the data have one group, and so no {}: the claims on that are left out",
            named.join(", ")
        ));
        self.claims.retain(|claim| !is_of_several(claim));
        Ok(())
    }

    /// Refuses a claim on several capabilities where one alone is trained, and one on the order by frequency of equally frequent ones.
    fn check_several(&self) -> anyhow::Result<()> {
        let claims: Vec<&Claim> = self
            .claims
            .iter()
            .filter(|claim| is_of_several(claim))
            .collect();
        // Without known groups such claims are left out, and that is told.
        if claims.is_empty() || !self.task.has_known_groups() {
            return Ok(());
        }
        let capabilities = self.task.capabilities()?;
        let trained = capabilities.iter().map(|one| one.frequency);
        let mut trained: Vec<f64> = trained.filter(|&frequency| frequency > 0.0).collect();
        if trained.is_empty() {
            // Then all count.
            trained = vec![0.0; capabilities.len()];
        }
        let refused = |claim: &Claim, why: &str| {
            anyhow::anyhow!(
                "the claim \"{}\": {} can't be had, for {why}: claim something else",
                claim.statement,
                claim.metric.name()
            )
        };
        if trained.len() < 2 {
            return Err(refused(claims[0], "the task has one capability alone"));
        }
        let equal = trained.iter().all(|one| *one == trained[0]);
        match claims.iter().find(|claim| claim.metric == Metric::Order) {
            Some(claim) if equal => Err(refused(claim, "all capabilities are equally frequent")),
            _ => Ok(()),
        }
    }

    /// Refuses claims on composed capabilities where the task has none.
    fn check_parts(&self) -> anyhow::Result<()> {
        let mut claims = self.claims.iter();
        let Some(claim) = claims.find(|claim| claim.metric.topic() == Topic::Composed) else {
            return Ok(());
        };
        let is_composed = |one: &Capability| !one.parts.is_empty();
        if !self.task.capabilities()?.iter().any(is_composed) {
            bail!(
                "the claim \"{}\": {} is of capabilities that are composed of others, and the task has none",
                claim.statement,
                claim.metric.name()
            );
        }
        Ok(())
    }

    /// What to tell who runs these arms alone of the claims that need others; nothing where there are none. `has_runs` says
    /// whether there are runs of an arm already.
    pub(crate) fn unjudged(
        &self,
        running: &[&str],
        has_runs: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let mut missing: Vec<&str> = Vec::new();
        let mut unjudged = 0;
        for claim in &self.claims {
            let needed: Vec<&str> = self.needed(claim).collect();
            let absent = |name: &&str| !running.contains(name) && !has_runs(name);
            let absent: Vec<&str> = needed.into_iter().filter(absent).collect();
            unjudged += usize::from(!absent.is_empty());
            for name in absent {
                if !missing.contains(&name) {
                    missing.push(name);
                }
            }
        }
        if missing.is_empty() {
            return None;
        }
        let claims = match self.claims.len() {
            1 => String::from("the claim"),
            all => format!("{unjudged} of {all} claims"),
        };
        let arms = match missing.as_slice() {
            [arms @ .., last] if !arms.is_empty() => format!("{} or {last}", arms.join(", ")),
            _ => missing.concat(),
        };
        Some(format!(
            "{claims} can't be judged: there is no run of {arms}, and none is asked for"
        ))
    }

    /// The arms whose runs a claim is on: its own, and the one that it is compared with.
    fn needed<'a>(&'a self, claim: &'a Claim) -> impl Iterator<Item = &'a str> {
        let baseline = claim.against.is_none().then_some(&self.baseline);
        let named = named(claim).map(|(_, name)| name);
        named.chain(baseline).map(String::as_str)
    }

    /// What to tell who asks for too few seeds for a verdict; nothing where there are none. `seeds` are those of the runs of an arm that
    /// are there and asked for.
    pub(crate) fn undecided(&self, seeds: impl Fn(&str) -> BTreeSet<u64>) -> Option<String> {
        let common = |claim: &Claim| {
            // Of arms without runs something else is told.
            let all: Vec<BTreeSet<u64>> = self.needed(claim).map(&seeds).collect();
            let is_there = all.iter().all(|seeds| !seeds.is_empty());
            let common = all.into_iter().reduce(|one, other| &one & &other);
            common.filter(|_| is_there).map(|common| common.len())
        };
        let few = self.claims.iter().filter_map(common);
        let few: Vec<usize> = few.filter(|&common| common < LEAST_SEEDS).collect();
        let most = few.iter().max()?;
        let claims = match self.claims.len() {
            1 => String::from("the claim"),
            all => format!("{} of {all} claims", few.len()),
        };
        let at_most = if few.iter().any(|common| common != most) {
            "at most "
        } else {
            ""
        };
        Some(format!(
            "{claims} can't be decided: a verdict takes at least {LEAST_SEEDS} seeds that both arms have, and there are {at_most}{most}"
        ))
    }

    /// Why nothing will be said of shares of an effect, if there is one to share.
    pub(crate) fn unshared(
        &self,
        running: &[&str],
        has_runs: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let is_there = |name: &str| running.contains(&name) || has_runs(name);
        let needed = [self.reference.as_ref()?, &self.baseline];
        let absent = needed.into_iter().find(|name| !is_there(name))?;
        Some(format!(
            "nothing will be said of shares of the effect of {}: there is no run of {absent}, and none is asked for",
            needed[0]
        ))
    }
}

/// Whether a claim is on a number that one capability alone has not.
fn is_of_several(claim: &Claim) -> bool {
    let alone = [Metric::WorstAccuracy, Metric::Learned].contains(&claim.metric);
    claim.capability.is_none() && claim.metric.topic() == Topic::Together && !alone
}

/// The arms that a claim names, and what as.
fn named(claim: &Claim) -> impl Iterator<Item = (&'static str, &String)> {
    let against = match &claim.against {
        Some(Against::Arm(other)) => Some(("against", other)),
        _ => None,
    };
    [("claim", &claim.arm)].into_iter().chain(against)
}
