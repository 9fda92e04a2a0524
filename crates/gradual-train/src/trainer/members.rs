//! What found groups hold, in words: the same examples, grouped again along a run.
//!
//! A run's own draws change from step to step, and a group has few examples in each. So a set of examples of its own is
//! drawn once, by random numbers of its own, and grouped now and then by a copy of the grouping, which learns nothing of
//! it: sizes and losses of groups can be compared over time, and the run is the same as without.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{ExampleGradients, Traced};
use gradual_group::{Draw, Grouping, Groups, Standing};
use gradual_runs::{GroupMembers, MembersRecord, SCHEMA};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::builder::Trainer;
use super::run::Run;
use crate::error::TrainError;
use crate::label_set::LabelSet;
use crate::objective::Sight;
use crate::samplers::sampler::Wanted;
use crate::step::finite::host;
use crate::step::parts::trace_together;
use crate::task::{Drawn, Task};

/// The stream of random numbers that the examples are drawn with.
const EXAMPLES: u64 = 4;
/// Most examples, but for larger draws: their inner products are taken.
const MOST: usize = 512;
/// Draws that they are as many as, where that is not more.
const DRAWS: usize = 4;
/// Records of a run, about.
const RECORDS: u64 = 20;
/// Steps of a run for each step that a record costs, at least.
const COST: u64 = 25;
/// Examples of a group that are shown.
const SHOWN: usize = 5;

/// The examples, their losses and gradients.
struct Shown<B> {
    parts: Vec<Drawn<B>>,
    labels: Vec<Option<usize>>,
    losses: Vec<f32>,
    traced: Traced,
}

impl<T: Task> Trainer<'_, T> {
    /// What the found groups hold now, where there are some, the task has words for its examples, and it is time.
    pub(super) fn members(
        &self,
        model: &T::Model,
        run: &mut Run<T::Batch>,
    ) -> Result<Option<MembersRecord>, TrainError> {
        // Nothing is drawn from a task that has no words for its examples.
        if run.described != Some(true) || !self.is_time(run) || !self.has_found_groups() {
            return Ok(None);
        }
        let Some(shown) = self.shown(model)? else {
            return Ok(None);
        };
        let mut grouping = self.objective.grouping.clone();
        let draw = Draw::from(&shown.traced);
        let draw = LabelSet::new(&shown.labels).of(draw);
        let groups = match grouping.group(&draw).map_err(TrainError::from) {
            Ok(groups) => self.objective.marked(groups),
            // The next step says what is wrong, if it is wrong there.
            Err(error) if error.is_not_finite() => return Ok(None),
            Err(error) => return Err(error),
        };
        // One that waited for its last draw has seen none, and compares gradients as it did while it waited.
        let gradients = &shown.traced.gradients;
        let seen = grouping.seen(gradients);
        let seen = seen.or_else(|_| self.objective.grouping.seen(gradients))?;
        let (assignment, typical) = members_of(&groups, &seen)?;
        let numbers = match groups.identities() {
            [] => run.followed.numbers(&assignment),
            identities => {
                let number = |group: &Option<usize>| identities.get((*group)?).copied();
                assignment.iter().map(number).collect()
            }
        };
        run.followed.step = Some(run.done);
        Ok(Some(self.record(run.done, &shown, &numbers, &typical)))
    }

    /// A record of the first groups, one of the last, and some between: so many that they cost little beside the run.
    fn is_time(&self, run: &Run<T::Batch>) -> bool {
        let cost = (self.num_shown() / self.config.draw.max(1)) as u64;
        let every = (self.config.steps / RECORDS).max(COST * cost);
        let due = |last: u64| run.done - last >= every || run.done == self.config.steps;
        run.done > 0 && run.followed.step.is_none_or(due)
    }

    fn num_shown(&self) -> usize {
        let draw = self.config.draw;
        draw.max(MOST.min(DRAWS * draw))
    }

    /// Whether groups come from gradients, and have been found already.
    fn has_found_groups(&self) -> bool {
        let grouping = &self.objective.grouping;
        grouping.needs().gradients()
            && self.objective.sight != Sight::Waiting
            && !matches!(grouping.wants(), Some(Standing::Fresh(_)))
            && grouping.check(self.num_shown()).is_ok()
    }

    /// The examples, the same every time; none where one has no loss.
    fn shown(&self, model: &T::Model) -> Result<Option<Shown<T::Batch>>, TrainError> {
        let mut random = ChaCha8Rng::seed_from_u64(self.config.seed);
        random.set_stream(EXAMPLES);
        let examples = self.num_shown();
        let at_once = self.config.draw.div_ceil(self.config.parts).max(1);
        let parts = self.draw(
            Wanted::Any(examples),
            examples.div_ceil(at_once),
            &mut random,
        )?;
        let of = |m: &T::Model, part: &Drawn<T::Batch>| self.task.losses(m, &part.batch);
        let seen = self.sight().map_or(model, |frozen| &frozen.model);
        let traced = trace_together(seen, &self.sight_tracer(), &parts, of)?;
        let traced = match self.ranks {
            Some(ranks) => ranks.gathering().view(traced),
            None => traced,
        };
        let losses = match self.sight() {
            None => host("losses", &traced.losses)?,
            Some(_) => {
                let model = model.valid();
                let each = parts.iter().map(|part| of(&model, part)).collect();
                host("losses", &Tensor::cat(each, 0))?
            }
        };
        if losses.len() != examples || losses.iter().any(|loss| !loss.is_finite()) {
            return Ok(None);
        }
        let labels = parts.iter().flat_map(|part| part.labels.iter().copied());
        Ok(Some(Shown {
            labels: labels.collect(),
            parts,
            losses,
            traced,
        }))
    }

    fn record(
        &self,
        step: u64,
        shown: &Shown<T::Batch>,
        numbers: &[Option<u64>],
        typical: &[f64],
    ) -> MembersRecord {
        let mut groups: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
        for (example, number) in numbers.iter().enumerate() {
            if let Some(number) = number {
                groups.entry(*number).or_default().push(example);
            }
        }
        let examples = numbers.len();
        let mut found: Vec<(u64, Vec<usize>)> = groups.into_iter().collect();
        found.sort_by_key(|(number, members)| (std::cmp::Reverse(members.len()), *number));
        let groups = found.len() as u64;
        found.truncate(MembersRecord::MOST_GROUPS);
        let group = |(group, mut members): (u64, Vec<usize>)| {
            let losses = members.iter().map(|&at| f64::from(shown.losses[at]));
            let loss = losses.sum::<f64>() / members.len() as f64;
            let share = members.len() as f64 / examples as f64;
            let capabilities = self.capabilities_of(&members, &shown.labels);
            members.sort_by(|&a, &b| typical[b].total_cmp(&typical[a]).then(a.cmp(&b)));
            let mut nearest: Vec<String> = Vec::new();
            let mut words = members.iter().filter_map(|&at| self.words(shown, at));
            while nearest.len() < SHOWN
                && let Some(words) = words.next()
            {
                // An example may have been drawn twice.
                if !nearest.contains(&words) {
                    nearest.push(words);
                }
            }
            GroupMembers {
                group,
                share,
                loss,
                capabilities,
                nearest,
            }
        };
        MembersRecord {
            schema: SCHEMA,
            step,
            examples: examples as u64,
            groups,
            found: found.into_iter().map(group).collect(),
        }
    }

    /// How many of these examples are of each capability, where there are several.
    fn capabilities_of(
        &self,
        members: &[usize],
        labels: &[Option<usize>],
    ) -> BTreeMap<String, u64> {
        let capabilities = self.task.capabilities();
        let mut counts = BTreeMap::new();
        if capabilities.len() < 2 {
            return counts;
        }
        for &at in members {
            let label = labels.get(at).copied().flatten();
            if let Some(capability) = label.and_then(|label| capabilities.get(label)) {
                *counts.entry(capability.name.clone()).or_insert(0) += 1;
            }
        }
        counts
    }

    /// An example in words, cut to what a record holds.
    fn words(&self, shown: &Shown<T::Batch>, example: usize) -> Option<String> {
        let mut at = example;
        let part = shown.parts.iter().find(|part| {
            let here = at < part.labels.len();
            at -= if here { 0 } else { part.labels.len() };
            here
        })?;
        let words = self.task.describe(&part.batch, at)?;
        Some(match words.chars().nth(MembersRecord::MOST_CHARACTERS) {
            None => words,
            Some(_) => {
                let start = words.chars().take(MembersRecord::MOST_CHARACTERS - 1);
                start.chain(['…']).collect()
            }
        })
    }
}

/// The group of each example, and how typical the example is of it.
///
/// Of hard groups that is the mean squared cosine of its gradient, as the grouping sees it, with those of the others; of
/// soft ones, where the group is that of the largest membership, its membership without the sign.
fn members_of(
    groups: &Groups,
    seen: &ExampleGradients,
) -> Result<(Vec<Option<usize>>, Vec<f64>), TrainError> {
    if let Some(assignment) = groups.assignment() {
        let gram = host("gradients", &seen.gram())?;
        return Ok((assignment.to_vec(), typical(&gram, assignment)));
    }
    let (k, n) = (groups.num_groups(), groups.num_examples());
    let membership = host("memberships", groups.membership())?;
    let strongest = |example: usize| {
        let memberships = (0..k).map(|group| (group, membership[group * n + example].abs()));
        memberships
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
            .filter(|(_, most)| *most > 0.0)
    };
    let strongest: Vec<Option<(usize, f32)>> = (0..n).map(strongest).collect();
    let assignment = strongest.iter().map(|most| most.map(|(group, _)| group));
    let typical = strongest
        .iter()
        .map(|most| most.map_or(0.0, |(_, most)| f64::from(most)));
    Ok((assignment.collect(), typical.collect()))
}

/// The numbers of a tensor, on the host.
/// The mean squared cosine of each example with the others of its group, from inner products `[n, n]`.
fn typical(gram: &[f32], assignment: &[Option<usize>]) -> Vec<f64> {
    let n = assignment.len();
    let product = |a: usize, b: usize| f64::from(gram[a * n + b]);
    let cosine = |a: usize, b: usize| {
        let lengths = (product(a, a) * product(b, b)).sqrt();
        match lengths > 0.0 {
            true => product(a, b) / lengths,
            false => 0.0,
        }
    };
    let of = |example: usize| {
        let others = (0..n).filter(|&other| {
            other != example
                && assignment[other].is_some()
                && assignment[other] == assignment[example]
        });
        let squares = others.map(|other| cosine(example, other).powi(2));
        let (sum, count) = squares.fold((0.0, 0u32), |(sum, count), square| {
            (sum + square, count + 1)
        });
        sum / f64::from(count.max(1))
    };
    (0..n).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_that_are_like_the_others_are_typical() {
        // Unit gradients in a plane, at these angles; the last has length zero.
        let angles = [0.0f32, 0.1, 0.5, 1.5, 0.0];
        let length = |at: usize| if at == 4 { 0.0 } else { 2.0f32 };
        let gram: Vec<f32> = (0..25)
            .map(|at| {
                let (a, b) = (at / 5, at % 5);
                length(a) * length(b) * (angles[a] - angles[b]).cos()
            })
            .collect();
        let typical = typical(&gram, &[Some(0), Some(0), Some(0), Some(1), Some(0)]);
        let squared = |angle: f64| angle.cos().powi(2);
        // Three others, one of which has no direction.
        let expected = (squared(0.1) + squared(0.5)) / 3.0;
        assert!((typical[0] - expected).abs() < 1e-6, "{typical:?}");
        assert!(typical[1] > typical[0] && typical[0] > typical[2]);
        assert_eq!((typical[3], typical[4]), (0.0, 0.0));
    }
}
