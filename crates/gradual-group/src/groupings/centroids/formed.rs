//! Centroids, and the examples nearest to them.

use std::collections::BTreeSet;

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use gradual_grad::ExampleGradients;
use serde::{Deserialize, Serialize};

use super::OPERATION;
use crate::clustering::sign::Sign;
use crate::error::GroupError;
use crate::grouping::churn::Churn;
use crate::grouping::unread::{UnreadAssignment, or_else};
use crate::groupings::search::{Clusters, ClustersRecord};
use crate::over_time::identities::Identities;
use crate::over_time::matching::best_matching;
use crate::quality::recovery::adjusted_rand;
use crate::read::host;

/// The least cosine of two centroids of which one continues the other.
const LEAST: f32 = 0.5;

/// A mean of unit vectors with no entry larger than this is zero but for rounding.
const ROUNDING: f32 = 1e-7;

/// Steps of the power method for the axis of a group.
const ROUNDS: usize = 30;

/// The space that centroids live in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sketch {
    pub(super) dimensions: usize,
    pub(super) seed: u64,
}

impl Sketch {
    /// The sketches of gradients, each of length one, `[n, dimensions]` in single precision; zero gradients stay zero.
    pub(super) fn units(self, gradients: &ExampleGradients) -> Tensor<2> {
        unit(
            gradients
                .sketch(self.dimensions, self.seed)
                .cast(DType::F32),
        )
    }
}

/// Groups, each a centroid.
#[derive(Debug, Clone)]
pub(super) struct CentroidGroups {
    /// For each number, `[k, dimensions]`; zero where it is no group's.
    centroids: Tensor<2>,
    identities: Identities,
    /// What the groups were formed as.
    pub(super) clusters: Clusters,
    /// What forming them changed.
    pub(super) churn: Option<Churn>,
}

/// [`CentroidGroups`] as plain data.
#[derive(Serialize, Deserialize)]
pub(super) struct CentroidGroupsRecord {
    centroids: Vec<Vec<f32>>,
    identities: Identities,
    clusters: ClustersRecord,
    churn: Option<Churn>,
}

/// Who joins which group.
pub(super) struct NearestGroups {
    pub(super) unread: UnreadAssignment,
    /// 1, or −1 where an example points away from a group's axis, `[n, k]`.
    ways: Tensor<2>,
}

impl CentroidGroups {
    /// Groups formed from examples with these unit sketches, after those of before.
    pub(super) fn next(
        before: Option<Self>,
        mut clusters: Clusters,
        units: &Tensor<2>,
        sign: Sign,
    ) -> Result<Self, GroupError> {
        let centres = (0..clusters.groups).map(|group| {
            let of = clusters.assignment.iter().enumerate();
            let members = of.filter(|(_, of)| **of == Some(group));
            centre(
                units,
                members.map(|(example, _)| example as i64).collect(),
                sign,
            )
        });
        let centroids = Tensor::cat(centres.collect(), 0);
        let Some(before) = before else {
            let mut identities = Identities::default();
            identities.renew(clusters.groups, &BTreeSet::new());
            return Ok(Self {
                centroids,
                identities,
                clusters,
                churn: None,
            });
        };
        let (numbers, fresh) = before.numbers(&centroids, sign)?;
        let expected = before.nearest(units, sign).unread;
        let expected = expected.assignment(&expected.read()?)?;
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
            deaths: living(&before.centroids)?
                .iter()
                .filter(|&old| lost(old))
                .count(),
            changed: moved as f64 / both.count().max(1) as f64,
            adjusted_rand: adjusted_rand(&clusters.assignment, &expected),
        };
        let most = taken.last().map_or(0, |most| most + 1);
        clusters.groups = most.max(before.groups());
        let [_, dimensions] = centroids.dims();
        let mut numbered =
            Tensor::zeros([clusters.groups, dimensions], (&units.device(), DType::F32));
        for (at, number) in numbers.into_iter().enumerate() {
            if let Some(number) = number {
                let centroid = centroids.clone().narrow(0, at, 1);
                numbered = numbered.slice_assign([number..number + 1, 0..dimensions], centroid);
            }
        }
        let mut identities = before.identities;
        identities.renew(clusters.groups, &fresh);
        Ok(Self {
            centroids: numbered,
            identities,
            clusters,
            churn: Some(churn),
        })
    }

    /// The number of each new centroid, none for that of an empty group: that of the old group that it
    /// continues, or the smallest one that is free. And the numbers of those that continue none.
    fn numbers(
        &self,
        next: &Tensor<2>,
        sign: Sign,
    ) -> Result<(Vec<Option<usize>>, BTreeSet<usize>), GroupError> {
        let ([new, _], old) = (next.dims(), self.groups());
        let cosines = unit(next.clone()).matmul(unit(self.centroids.clone()).transpose());
        let cosines = host(OPERATION, &closeness(cosines, sign))?;
        let alike = |new: usize, of: usize| {
            let cosine = cosines[new * old + of];
            if cosine >= LEAST {
                f64::from(cosine)
            } else {
                0.0
            }
        };
        let mut numbers = best_matching(new, old, alike);
        let taken: BTreeSet<usize> = numbers.iter().flatten().copied().collect();
        let mut free = (0..).filter(|number| !taken.contains(number));
        let mut fresh = BTreeSet::new();
        for at in living(next)? {
            if numbers[at].is_none() {
                numbers[at] = free.next();
                fresh.extend(numbers[at]);
            }
        }
        Ok((numbers, fresh))
    }

    /// `[k, dimensions]`.
    pub(super) fn centroids(&self) -> &Tensor<2> {
        &self.centroids
    }

    fn groups(&self) -> usize {
        self.centroids.dims()[0]
    }

    /// `[k]`.
    pub(super) fn identities(&self) -> Vec<u64> {
        self.identities.current(self.groups())
    }

    /// The nearest group of each unit sketch; none for a zero gradient.
    pub(super) fn nearest(&self, units: &Tensor<2>, sign: Sign) -> NearestGroups {
        let directions = unit(self.centroids.clone());
        let cosines = units.clone().matmul(directions.clone().transpose());
        // 1 for a row of length one, 0 for zeros.
        let present = |rows: Tensor<2>| (rows.clone() * rows).sum_dim(1).round();
        let there = present(units.clone()) * present(directions).transpose();
        // Above zero for every group that is there, however far away. Where none is, the first one begins.
        let scores = (closeness(cosines.clone(), sign) + 2.0) * there;
        let scores = or_else(scores, present(units.clone()), 0);
        NearestGroups {
            unread: UnreadAssignment::highest(OPERATION, scores),
            ways: match sign {
                Sign::Kept => cosines.ones_like(),
                Sign::Ignored => signs(cosines),
            },
        }
    }

    /// Moves each centroid towards the mean of the sketches that joined it.
    pub(super) fn follow(&mut self, units: Tensor<2>, joined: &NearestGroups, memory: f64) {
        // A non-finite sketch joins no group, but zero times a non-finite number is NaN.
        let broken = units.clone().is_finite().bool_not();
        let units = units.mask_fill(broken, 0.0);
        let members = joined.unread.one_hot().cast(DType::F32);
        let sizes = members.clone().sum_dim(0).transpose();
        let sums = (members * joined.ways.clone()).transpose().matmul(units);
        let means = sums / sizes.clone().clamp_min(1.0);
        let moved = self.centroids.clone() * memory + means * (1.0 - memory);
        // Opposite examples may leave nothing, which would be no group's.
        let left = moved.clone().abs().max_dim(1).greater_elem(0.0);
        let grown = sizes.greater_elem(0.0).bool_and(left).expand(moved.dims());
        self.centroids = self.centroids.clone().mask_where(grown, moved);
    }

    pub(super) fn record(&self) -> Result<CentroidGroupsRecord, GroupError> {
        let [_, dimensions] = self.centroids.dims();
        let entries = host(OPERATION, &self.centroids)?;
        Ok(CentroidGroupsRecord {
            centroids: entries.chunks(dimensions).map(<[_]>::to_vec).collect(),
            identities: self.identities.clone(),
            clusters: self.clusters.record(),
            churn: self.churn,
        })
    }
}

impl CentroidGroupsRecord {
    pub(super) fn restored(
        self,
        sketch: Sketch,
        device: &Device,
    ) -> Result<CentroidGroups, GroupError> {
        let clusters = self.clusters.restored(OPERATION)?;
        let (k, dimensions) = (clusters.groups, sketch.dimensions);
        let long = |centroid: &Vec<f32>| centroid.len() == dimensions;
        if self.centroids.len() != k || !self.centroids.iter().all(long) {
            let expected = format!("expected {k} centroids of {dimensions} dimensions");
            return Err(GroupError::state(OPERATION, expected));
        }
        let entries = TensorData::new(self.centroids.concat(), [k, dimensions]);
        Ok(CentroidGroups {
            centroids: Tensor::from_data(entries, (device, DType::F32)),
            identities: self.identities,
            clusters,
            churn: self.churn,
        })
    }
}

/// The mean of some unit vectors `[n, d]`, as `[1, d]`; sign-free, of unit vectors that are turned to point along their
/// axis. The first of them where they cancel: a centroid of zero is no group's.
fn centre(units: &Tensor<2>, members: Vec<i64>, sign: Sign) -> Tensor<2> {
    if members.is_empty() {
        return units.clone().narrow(0, 0, 1).zeros_like();
    }
    let members = Tensor::<1, Int>::from_data(members.as_slice(), &units.device());
    let own = units.clone().select(0, members);
    let first = own.clone().narrow(0, 0, 1);
    let turned = match sign {
        Sign::Kept => own,
        Sign::Ignored => own.clone() * along_axis(&own),
    };
    let mean = turned.mean_dim(0);
    let none = mean.clone().abs().max_dim(1).lower_equal_elem(ROUNDING);
    let none = none.expand(mean.dims());
    mean.mask_where(none, first)
}

/// Which way each vector of `[n, d]` points along the leading axis of all, `[n, 1]`, by the power method.
fn along_axis(own: &Tensor<2>) -> Tensor<2> {
    let along = |axis: Tensor<2>| own.clone().matmul(axis.transpose());
    // From the sum of all, turned to point like the first.
    let ways = signs(along(own.clone().narrow(0, 0, 1)));
    let mut axis = (own.clone() * ways).sum_dim(0);
    for _ in 0..ROUNDS {
        axis = unit(along(axis).transpose().matmul(own.clone()));
    }
    signs(along(axis))
}

/// How near by these cosines.
fn closeness<const D: usize>(cosines: Tensor<D>, sign: Sign) -> Tensor<D> {
    match sign {
        Sign::Kept => cosines,
        Sign::Ignored => cosines.abs(),
    }
}

/// 1, or −1 for what is below zero.
fn signs(values: Tensor<2>) -> Tensor<2> {
    values.ones_like().mask_fill(values.lower_elem(0.0), -1.0)
}

/// Rows of length one; those of zeros stay.
fn unit(rows: Tensor<2>) -> Tensor<2> {
    // By the largest entry first, whose square may be out of range.
    let over = |rows: Tensor<2>, size: Tensor<2>| {
        let none = size.clone().equal_elem(0.0);
        let dims = rows.dims();
        (rows / size).mask_fill(none.expand(dims), 0.0)
    };
    let rows = over(rows.clone(), rows.abs().max_dim(1));
    let norms = (rows.clone() * rows.clone()).sum_dim(1).sqrt();
    over(rows, norms)
}

/// The rows that are not zero.
fn living(rows: &Tensor<2>) -> Result<Vec<usize>, GroupError> {
    let sizes = host(OPERATION, &rows.clone().abs().max_dim(1))?;
    let some = sizes.iter().enumerate().filter(|(_, size)| **size > 0.0);
    Ok(some.map(|(row, _)| row).collect())
}
