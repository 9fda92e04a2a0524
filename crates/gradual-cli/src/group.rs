//! `gradual group`.

use std::collections::BTreeMap;

use clap::Args;
use gradual::group::{adjusted_rand, homogeneity, normalised_mutual_information, purity};
use serde::Serialize;

use crate::draw;
use crate::numbers::numbers;
use crate::output::{Output, Tabular};

const EXAMPLES: &str = "Examples:
  gradual group --gram K.safetensors --grouping 'spectral(k = eigengap)'
  gradual group --gradients G.npy --labels labels.csv --grouping 'kmeans(k = known)'
  gradual group --gradients G.npy --grouping 'landmarks' --format csv --out groups.csv
  gradual group --losses losses.csv --grouping 'difficulty(k = 4)'
  gradual --list";

/// Prints groups with their members and weights, the spectrum, and what it says of the number of groups.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    draw: draw::Arguments,
    #[command(flatten)]
    output: Output,
}

/// What was found.
#[derive(Debug, Serialize)]
struct Found {
    /// The rule with every parameter.
    grouping: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    wrappers: Vec<String>,
    examples: usize,
    /// Whether memberships may be negative.
    signed: bool,
    /// The group of each example, from 0; null where it is in none. Of hard groups alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    assignment: Option<Vec<Option<usize>>>,
    groups: Vec<Group>,
    /// Singular values, largest first.
    spectrum: Vec<f64>,
    /// Estimates of the number of groups, by the name of the rule.
    estimates: BTreeMap<&'static str, usize>,
    /// How well hard groups agree with the labels, where some are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    agreement: Option<Agreement>,
}

#[derive(Debug, Serialize)]
struct Group {
    weight: f64,
    /// Number of examples; mass of soft groups.
    size: f64,
    /// The group's loss, where losses are given.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<f64>,
    /// The examples of a hard group, from 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    members: Option<Vec<usize>>,
    /// Examples by label, where labels are given and groups are hard.
    #[serde(skip_serializing_if = "Option::is_none")]
    labels: Option<BTreeMap<String, usize>>,
    /// Of each example. The group's loss is the sum of the losses, multiplied by these.
    #[serde(skip_serializing_if = "Option::is_none")]
    memberships: Option<Vec<f64>>,
}

#[derive(Debug, Serialize)]
struct Agreement {
    adjusted_rand: Option<f64>,
    normalised_mutual_information: Option<f64>,
    homogeneity: Option<f64>,
    purity: Option<f64>,
    purity_by_chance: Option<f64>,
}

impl Arguments {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        self.output.check()?;
        let loaded = self.draw.load()?;
        let grouped = self.draw.group(&loaded)?;
        let groups = &grouped.groups;
        let (k, n) = (groups.num_groups(), groups.num_examples());
        let weights = numbers(groups.weights())?;
        let losses = match loaded.given_losses() {
            Some(losses) => Some(numbers(&groups.losses(losses.clone()))?),
            None => None,
        };
        let assignment = groups.assignment();
        let memberships = match assignment {
            Some(_) => Vec::new(),
            None => numbers(groups.membership())?,
        };
        let group = |index: usize| {
            let members = assignment.map(|assignment| {
                let own = assignment.iter().enumerate();
                let own = own.filter(|(_, group)| **group == Some(index));
                own.map(|(example, _)| example).collect::<Vec<_>>()
            });
            let labels = members.as_ref().zip(loaded.labels.as_ref());
            Group {
                weight: weights[index],
                size: groups.sizes()[index],
                loss: losses.as_ref().map(|losses| losses[index]),
                labels: labels.map(|(members, labels)| {
                    let mut counts = BTreeMap::new();
                    for name in members.iter().filter_map(|&member| labels.of[member]) {
                        *counts.entry(labels.names[name].clone()).or_insert(0) += 1;
                    }
                    counts
                }),
                memberships: match members {
                    Some(_) => None,
                    None => Some(memberships[index * n..(index + 1) * n].to_vec()),
                },
                members,
            }
        };
        let agreement = assignment
            .zip(loaded.labels.as_ref())
            .map(|(found, labels)| {
                let known = &labels.of;
                let purity = purity(found, known);
                Agreement {
                    adjusted_rand: adjusted_rand(found, known),
                    normalised_mutual_information: normalised_mutual_information(found, known),
                    homogeneity: homogeneity(found, known),
                    purity: purity.as_ref().map(|purity| purity.purity),
                    purity_by_chance: purity.as_ref().map(|purity| purity.chance),
                }
            });
        self.output.write(&Found {
            grouping: grouped.grouping.to_string(),
            wrappers: grouped.wrappers.iter().map(ToString::to_string).collect(),
            examples: n,
            signed: groups.is_signed(),
            assignment: assignment.map(<[_]>::to_vec),
            groups: (0..k).map(group).collect(),
            spectrum: groups.spectrum().to_vec(),
            estimates: groups.estimates().iter().copied().collect(),
            agreement,
        })
    }
}

/// A row for each example of a hard group, or for each membership of a soft one. An example in no group has no group there.
impl Tabular for Found {
    fn columns(&self) -> Vec<&'static str> {
        match self.assignment {
            Some(_) => vec!["example", "group", "weight"],
            None => vec!["example", "group", "weight", "membership"],
        }
    }

    fn rows(&self) -> Vec<Vec<String>> {
        if let Some(assignment) = &self.assignment {
            let row = |(example, group): (usize, &Option<usize>)| {
                let weight = group.map(|group| self.groups[group].weight.to_string());
                let group = group.map(|group| group.to_string());
                vec![
                    example.to_string(),
                    group.unwrap_or_default(),
                    weight.unwrap_or_default(),
                ]
            };
            return assignment.iter().enumerate().map(row).collect();
        }
        let mut rows = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            for (example, membership) in group.memberships.iter().flatten().enumerate() {
                rows.push(vec![
                    example.to_string(),
                    index.to_string(),
                    group.weight.to_string(),
                    membership.to_string(),
                ]);
            }
        }
        rows
    }
}
