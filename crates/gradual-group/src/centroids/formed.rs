//! Centroids, and who is nearest to them.

use std::collections::BTreeSet;

use gradual_grad::ExampleGradients;
use serde::{Deserialize, Serialize};

use super::OPERATION;
use crate::identities::Identities;
use crate::search::{Clusters, ClustersRecord};
use crate::spectrum::host;
use crate::state;
use crate::{Churn, GroupError, Sign, adjusted_rand, best_matching};

/// The least cosine of two centroids of which one continues the other.
const LEAST: f64 = 0.5;

/// Steps of the power method for the axis of a group.
const ROUNDS: usize = 30;

/// The space that centroids live in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sketch {
    pub(super) dimensions: usize,
    pub(super) seed: u64,
}

impl Sketch {
    /// The sketches of gradients, each of length one; zero gradients stay zero.
    pub(super) fn units(self, gradients: &ExampleGradients) -> Result<Vec<Vec<f32>>, GroupError> {
        let sketch = host(OPERATION, &gradients.sketch(self.dimensions, self.seed))?;
        let rows = sketch.chunks(self.dimensions).enumerate();
        rows.map(|(example, row)| {
            let norm = dot(row, row).sqrt();
            match norm.is_finite() {
                true => Ok(scaled(row, norm)),
                false => Err(GroupError::NotFinite {
                    operation: OPERATION,
                    example,
                }),
            }
        })
        .collect()
    }
}

/// Groups, each a centroid.
#[derive(Debug, Clone)]
pub(super) struct Formed {
    /// For each number; zero where it is no group's.
    centroids: Vec<Vec<f32>>,
    identities: Identities,
    /// What the groups were formed as.
    pub(super) clusters: Clusters,
    /// What forming them changed.
    pub(super) churn: Option<Churn>,
}

/// [`Formed`] as plain data.
#[derive(Serialize, Deserialize)]
pub(super) struct FormedRecord {
    centroids: Vec<Vec<f32>>,
    identities: Identities,
    clusters: ClustersRecord,
    churn: Option<Churn>,
}

/// The group that an example is nearest to, and 1, or −1 where it points the other way.
pub(super) type Joined = Option<(usize, f32)>;

impl Formed {
    /// Groups formed from examples with these unit sketches, after those of before.
    pub(super) fn next(
        before: Option<Self>,
        mut clusters: Clusters,
        units: &[Vec<f32>],
        sign: Sign,
    ) -> Self {
        let dimensions = units.first().map_or(0, Vec::len);
        let centroids: Vec<Vec<f32>> = (0..clusters.groups)
            .map(|group| {
                let of = units.iter().zip(&clusters.assignment);
                let members = of.filter(|(_, of)| **of == Some(group));
                let members: Vec<&[f32]> = members.map(|(unit, _)| unit.as_slice()).collect();
                centre(&members, sign, dimensions)
            })
            .collect();
        let Some(before) = before else {
            let mut identities = Identities::default();
            identities.renew(clusters.groups, &BTreeSet::new());
            return Self {
                centroids,
                identities,
                clusters,
                churn: None,
            };
        };
        let (numbers, fresh) = before.numbers(&centroids, sign);
        let joined = before.nearest(units, sign);
        let expected: Vec<_> = joined.iter().map(|joined| joined.map(|(g, _)| g)).collect();
        for group in clusters.assignment.iter_mut().flatten() {
            *group = numbers[*group].unwrap_or(*group);
        }
        let taken: BTreeSet<usize> = numbers.iter().flatten().copied().collect();
        let lost = |number: &usize| !taken.contains(number) || fresh.contains(number);
        let pairs = || expected.iter().zip(&clusters.assignment);
        let both = pairs().filter(|(old, new)| old.is_some() && new.is_some());
        let moved = both.clone().filter(|(old, new)| old != new).count();
        let churn = Churn {
            births: fresh.len(),
            deaths: before.living().filter(lost).count(),
            changed: moved as f64 / both.count().max(1) as f64,
            adjusted_rand: adjusted_rand(&clusters.assignment, &expected),
        };
        let most = taken.last().map_or(0, |most| most + 1);
        clusters.groups = most.max(before.centroids.len());
        let mut numbered = vec![vec![0.0; dimensions]; clusters.groups];
        for (number, centroid) in numbers.into_iter().zip(centroids) {
            if let Some(number) = number {
                numbered[number] = centroid;
            }
        }
        let mut identities = before.identities;
        identities.renew(clusters.groups, &fresh);
        Self {
            centroids: numbered,
            identities,
            clusters,
            churn: Some(churn),
        }
    }

    /// The number of each new centroid, none for that of an empty group: that of the old group that it
    /// continues, or the smallest one that is free. And the numbers of those that continue none.
    fn numbers(&self, next: &[Vec<f32>], sign: Sign) -> (Vec<Option<usize>>, BTreeSet<usize>) {
        let alike = |new: usize, old: usize| {
            let (new, old) = (&next[new], &self.centroids[old]);
            let cosine = dot(new, old) / (dot(new, new) * dot(old, old)).sqrt();
            let cosine = match sign {
                Sign::Kept => cosine,
                Sign::Ignored => cosine.abs(),
            };
            if cosine >= LEAST { cosine } else { 0.0 }
        };
        let mut numbers = best_matching(next.len(), self.centroids.len(), alike);
        let taken: BTreeSet<usize> = numbers.iter().flatten().copied().collect();
        let mut free = (0..).filter(|number| !taken.contains(number));
        let mut fresh = BTreeSet::new();
        for (number, centroid) in numbers.iter_mut().zip(next) {
            if number.is_none() && centroid.iter().any(|&entry| entry != 0.0) {
                *number = free.next();
                fresh.extend(*number);
            }
        }
        (numbers, fresh)
    }

    pub(super) fn centroids(&self) -> &[Vec<f32>] {
        &self.centroids
    }

    /// `[k]`.
    pub(super) fn identities(&self) -> Vec<u64> {
        self.identities.current(self.centroids.len())
    }

    /// The numbers that are some group's.
    fn living(&self) -> impl Iterator<Item = usize> {
        let some = |(_, centroid): &(usize, &Vec<f32>)| centroid.iter().any(|&entry| entry != 0.0);
        let numbered = self.centroids.iter().enumerate();
        numbered.filter(some).map(|(number, _)| number)
    }

    /// The nearest group of each unit sketch; none for a zero gradient.
    pub(super) fn nearest(&self, units: &[Vec<f32>], sign: Sign) -> Vec<Joined> {
        let directions: Vec<(usize, Vec<f32>)> = self
            .living()
            .map(|number| {
                let centroid = &self.centroids[number];
                (number, scaled(centroid, dot(centroid, centroid).sqrt()))
            })
            .collect();
        let nearest = |unit: &Vec<f32>| {
            let present = unit.iter().any(|&entry| entry != 0.0);
            let cosines = directions
                .iter()
                .filter(|_| present)
                .map(|(number, direction)| (*number, dot(unit, direction)));
            cosines
                .reduce(|best, next| {
                    let nearer = match sign {
                        Sign::Kept => next.1 > best.1,
                        Sign::Ignored => next.1.abs() > best.1.abs(),
                    };
                    if nearer { next } else { best }
                })
                .map(|(number, cosine)| match sign {
                    Sign::Kept => (number, 1.0),
                    Sign::Ignored => (number, 1f64.copysign(cosine) as f32),
                })
        };
        units.iter().map(nearest).collect()
    }

    /// Moves each centroid towards the mean of the sketches that joined it.
    pub(super) fn follow(&mut self, units: &[Vec<f32>], joined: &[Joined], memory: f64) {
        for (number, centroid) in self.centroids.iter_mut().enumerate() {
            let of = units.iter().zip(joined);
            let own = of.filter_map(|(unit, joined)| match joined {
                Some((group, way)) if *group == number => Some((unit.as_slice(), *way)),
                _ => None,
            });
            let own: Vec<(&[f32], f32)> = own.collect();
            if own.is_empty() {
                continue;
            }
            let mean = mean(&own, centroid.len());
            for (entry, mean) in centroid.iter_mut().zip(mean) {
                *entry = (memory * f64::from(*entry) + (1.0 - memory) * mean) as f32;
            }
        }
    }

    pub(super) fn record(&self) -> FormedRecord {
        FormedRecord {
            centroids: self.centroids.clone(),
            identities: self.identities.clone(),
            clusters: self.clusters.record(),
            churn: self.churn,
        }
    }
}

impl FormedRecord {
    pub(super) fn restored(self, sketch: Sketch) -> Result<Formed, GroupError> {
        let clusters = self.clusters.restored(OPERATION)?;
        let long = |centroid: &Vec<f32>| centroid.len() == sketch.dimensions;
        if self.centroids.len() != clusters.groups || !self.centroids.iter().all(long) {
            let expected = format!(
                "expected {} centroids of {} dimensions",
                clusters.groups, sketch.dimensions
            );
            return Err(state::refused(OPERATION, expected));
        }
        Ok(Formed {
            centroids: self.centroids,
            identities: self.identities,
            clusters,
            churn: self.churn,
        })
    }
}

/// The mean of unit vectors; sign-free, of unit vectors that are turned to point along their axis.
fn centre(members: &[&[f32]], sign: Sign, dimensions: usize) -> Vec<f32> {
    let ways = match sign {
        Sign::Kept => vec![1.0; members.len()],
        Sign::Ignored => along_axis(members),
    };
    let turned: Vec<(&[f32], f32)> = members.iter().copied().zip(ways).collect();
    let mean = mean(&turned, dimensions).into_iter();
    mean.map(|entry| entry as f32).collect()
}

/// Which way each vector points along the leading axis of all, by the power method.
fn along_axis(members: &[&[f32]]) -> Vec<f32> {
    let Some(first) = members.first() else {
        return Vec::new();
    };
    let along = |axis: &[f64], member: &[f32]| -> f64 {
        let products = axis.iter().zip(member);
        products.map(|(a, &b)| a * f64::from(b)).sum()
    };
    // From the sum of all, turned to point like the first.
    let ways = members.iter().map(|member| {
        let way = 1f64.copysign(dot(first, member)) as f32;
        (*member, way)
    });
    let mut axis = mean(&ways.collect::<Vec<_>>(), first.len());
    for _ in 0..ROUNDS {
        let mut next = vec![0.0; axis.len()];
        for member in members {
            let by = along(&axis, member);
            let entries = next.iter_mut().zip(member.iter());
            entries.for_each(|(entry, &value)| *entry += by * f64::from(value));
        }
        let norm = next.iter().map(|entry| entry * entry).sum::<f64>().sqrt();
        if norm == 0.0 {
            break;
        }
        axis = next.into_iter().map(|entry| entry / norm).collect();
    }
    members
        .iter()
        .map(|member| 1f64.copysign(along(&axis, member)) as f32)
        .collect()
}

/// The mean of vectors, each turned by its sign.
fn mean(turned: &[(&[f32], f32)], dimensions: usize) -> Vec<f64> {
    let mut sum = vec![0.0f64; dimensions];
    for (vector, way) in turned {
        for (sum, &entry) in sum.iter_mut().zip(vector.iter()) {
            *sum += f64::from(way * entry);
        }
    }
    let count = turned.len().max(1) as f64;
    sum.into_iter().map(|entry| entry / count).collect()
}

fn dot(one: &[f32], other: &[f32]) -> f64 {
    let products = one.iter().zip(other);
    products.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// A vector over its norm; zero stays zero.
fn scaled(vector: &[f32], norm: f64) -> Vec<f32> {
    let inverse = if norm > 0.0 { 1.0 / norm } else { 0.0 };
    let scaled = vector
        .iter()
        .map(|&entry| (f64::from(entry) * inverse) as f32);
    scaled.collect()
}
