//! What happened since the last evaluation.

use std::collections::BTreeMap;

use burn::optim::GradientsParams;
use gradual_group::{Groups, adjusted_rand};
use gradual_runs::{ChurnRecord, GroupingRecord, SCHEMA};

use crate::step::stepped::Stepped;
use crate::task::{Capability, Task};

/// Singular values written per evaluation.
const SPECTRUM: usize = 64;

/// Sums over the steps since the last evaluation, and the groups of the last one.
#[derive(Debug)]
pub(crate) struct SinceEvaluation {
    /// Sum of the losses of all examples that have one, and their number.
    pub(crate) losses: f64,
    pub(crate) examples: u64,
    /// Σ|c| by capability, and of examples that exercise no known one.
    pub(crate) mass: Vec<f64>,
    pub(crate) other_mass: f64,
    last: Option<Last>,
}

/// What is known of the last step.
#[derive(Debug)]
struct Last {
    groups: Groups,
    labels: Vec<Option<usize>>,
    /// Share of the coefficients below zero.
    negative: f64,
}

impl SinceEvaluation {
    pub(crate) fn new(capabilities: usize) -> Self {
        Self::from(0.0, 0, vec![0.0; capabilities], 0.0)
    }

    /// Sums that a checkpoint held. The groups come with the next step.
    pub(crate) fn from(losses: f64, examples: u64, mass: Vec<f64>, other_mass: f64) -> Self {
        Self {
            losses,
            examples,
            mass,
            other_mass,
            last: None,
        }
    }

    /// Adds a step, and hands its update back, with the mean loss of its draw.
    pub(crate) fn add(
        &mut self,
        labels: Vec<Option<usize>>,
        stepped: Stepped,
    ) -> (GradientsParams, f64) {
        let losses = stepped.losses.iter().enumerate();
        let present = losses.filter(|(at, _)| stepped.left_out.binary_search(at).is_err());
        let present: Vec<f64> = present.map(|(_, &loss)| f64::from(loss)).collect();
        let sum: f64 = present.iter().sum();
        self.examples += present.len() as u64;
        self.losses += sum;
        for (label, &coefficient) in labels.iter().zip(&stepped.coefficients) {
            let known = label.and_then(|label| self.mass.get_mut(label));
            *known.unwrap_or(&mut self.other_mass) += f64::from(coefficient).abs();
        }
        let below = stepped.coefficients.iter().filter(|&&c| c < 0.0).count();
        self.last = Some(Last {
            groups: stepped.groups,
            labels,
            negative: below as f64 / stepped.coefficients.len().max(1) as f64,
        });
        (stepped.update, sum / present.len().max(1) as f64)
    }

    /// The groups of the last step.
    pub(crate) fn groups(&self) -> Option<&Groups> {
        self.last.as_ref().map(|last| &last.groups)
    }

    pub(crate) fn mean_loss(&self) -> Option<f64> {
        (self.examples > 0).then(|| self.losses / self.examples as f64)
    }

    pub(crate) fn grouping<T: Task>(&self, task: &T, step: u64) -> Option<GroupingRecord> {
        let Last {
            groups,
            labels,
            negative,
        } = self.last.as_ref()?;
        let total = self.mass.iter().sum::<f64>() + self.other_mass;
        let share = |mass: f64| if total > 0.0 { mass / total } else { 0.0 };
        let names = task
            .capabilities()
            .iter()
            .map(|capability| capability.name.clone());
        let assignment = groups.assignment();
        let sizes = assignment.map(|_| groups.sizes().iter().map(|&size| size as u64).collect());
        Some(GroupingRecord {
            schema: SCHEMA,
            step,
            groups: groups.num_groups() as u64,
            sizes: sizes.unwrap_or_default(),
            members: assignment.map_or_else(Vec::new, |found| {
                members(task.capabilities(), found, labels, groups.num_groups())
            }),
            identities: groups.identities().to_vec(),
            shares: names
                .zip(self.mass.iter().map(|&mass| share(mass)))
                .collect(),
            negative: groups.is_signed().then_some(*negative),
            spectrum: groups.spectrum().iter().copied().take(SPECTRUM).collect(),
            recovery: assignment.and_then(|found| adjusted_rand(found, labels)),
            estimates: groups
                .estimates()
                .iter()
                .map(|&(name, said)| (name.to_owned(), said as u64))
                .collect(),
            churn: groups.churn().map(|churn| ChurnRecord {
                births: churn.births as u64,
                deaths: churn.deaths as u64,
                changed: churn.changed,
                adjusted_rand: churn.adjusted_rand,
            }),
        })
    }
}

/// For each group its examples by name of the capability.
fn members(
    capabilities: &[Capability],
    assignment: &[Option<usize>],
    labels: &[Option<usize>],
    groups: usize,
) -> Vec<BTreeMap<String, u64>> {
    let mut members = vec![BTreeMap::new(); groups];
    for (group, label) in assignment.iter().zip(labels) {
        let group = group.and_then(|group| members.get_mut(group));
        let capability = label.and_then(|label| capabilities.get(label));
        if let (Some(group), Some(capability)) = (group, capability) {
            *group.entry(capability.name.clone()).or_insert(0) += 1;
        }
    }
    members
}
