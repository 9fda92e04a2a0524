//! Finite data in two parts: examples to train on, and examples that are held out to be measured on.
//!
//! Both [tables](crate::Table) and [images](crate::Images) come so. A quarter of the examples of each group (at least
//! one, and at most as many as are asked for) is held out, drawn at random and stratified by class: every class of a
//! group has its share of the part that is held out.

pub(crate) mod few;
pub(crate) mod groups;
pub(crate) mod quotas;
pub(crate) mod scale;
pub(crate) mod texts;

use gradual::train::Capability;
use rand::RngExt;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use groups::Group;
use quotas::{classes_of, quotas};

/// One example in this many of each group is held out.
const HELD_OUT: usize = 4;

/// How many of `examples` are held out, but for [`Parts::new`]'s limit.
pub(crate) fn out_of(examples: usize) -> usize {
    (examples / HELD_OUT).max(1)
}

/// Which examples are trained on, and which are held out.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    /// The examples that are trained on, group by group.
    pub(crate) training: Vec<u32>,
    /// The group of each.
    group_of: Vec<u32>,
    /// Where the examples of each group are in `training`.
    pub(crate) members: Vec<std::ops::Range<usize>>,
    /// The examples of each group that are held out.
    pub(crate) held_out: Vec<Vec<u32>>,
}

impl Parts {
    /// Parts the examples of every group, the groups in this `order`. `classes` has the class of every example, or is
    /// empty where there are none. At most `most` examples of a group are held out.
    pub(crate) fn new(
        groups: &[Group],
        order: &[usize],
        classes: &[i32],
        most: usize,
        random: &mut ChaCha8Rng,
    ) -> Self {
        let mut parts = Self {
            training: Vec::new(),
            group_of: Vec::new(),
            members: vec![0..0; groups.len()],
            held_out: vec![Vec::new(); groups.len()],
        };
        for &at in order {
            let group = &groups[at];
            let strata = classes_of(&group.examples, classes);
            let sizes: Vec<usize> = strata.iter().map(|&(_, size)| size).collect();
            let mut left = quotas(&sizes, out_of(group.examples.len()).min(most));
            let mut shuffled = group.examples.clone();
            shuffled.shuffle(random);
            let first = parts.training.len();
            for example in shuffled {
                let class = classes.get(example as usize).copied().unwrap_or_default();
                let stratum = strata.iter().position(|&(other, _)| other == class);
                match stratum.map(|stratum| &mut left[stratum]) {
                    Some(left) if *left > 0 => {
                        *left -= 1;
                        parts.held_out[at].push(example);
                    }
                    _ => parts.training.push(example),
                }
            }
            parts.training.extend(group.lone);
            parts.members[at] = first..parts.training.len();
            parts.group_of.resize(parts.training.len(), at as u32);
        }
        parts
    }

    /// Leaves a share of the training examples of one group, one at least.
    pub(crate) fn thin(&mut self, group: usize, share: f64) {
        let members = self.members[group].clone();
        let kept = ((share * members.len() as f64).round() as usize).clamp(1, members.len());
        let gone = members.start + kept..members.end;
        self.training.drain(gone.clone());
        self.group_of.drain(gone.clone());
        for other in &mut self.members {
            if other.start >= gone.end {
                *other = other.start - gone.len()..other.end - gone.len();
            }
        }
        self.members[group] = members.start..members.start + kept;
    }

    /// The groups as capabilities, with the accuracy of guessing.
    pub(crate) fn capabilities(&self, groups: &[Group], chance: f64) -> Vec<Capability> {
        let all = self.training.len() as f64;
        let members = groups.iter().zip(&self.members);
        members
            .map(|(group, members)| {
                Capability::new(&group.name, chance, members.len() as f64 / all)
            })
            .collect()
    }

    /// `n` places among the training examples, drawn with replacement.
    pub(crate) fn draw(&self, n: usize, random: &mut ChaCha8Rng) -> Vec<usize> {
        let all = self.training.len();
        (0..n).map(|_| random.random_range(0..all)).collect()
    }

    /// A place among the training examples of each of these groups.
    pub(crate) fn draw_of(&self, groups: &[usize], random: &mut ChaCha8Rng) -> Vec<usize> {
        let place = |&group: &usize| {
            let members = self.members[group].clone();
            members.start + random.random_range(0..members.len())
        };
        groups.iter().map(place).collect()
    }

    /// The examples at these places of the training part.
    pub(crate) fn examples(&self, places: &[usize]) -> Vec<u32> {
        places.iter().map(|&at| self.training[at]).collect()
    }

    /// The groups of the examples at these places of the training part.
    pub(crate) fn labels(&self, places: &[usize]) -> Vec<Option<usize>> {
        let group = |&at: &usize| Some(self.group_of[at] as usize);
        places.iter().map(group).collect()
    }
}
