//! The examples that stand for groups.

use std::collections::BTreeSet;

use burn::tensor::{Tensor, TensorData};
use gradual_grad::ExampleGradients;

use super::OPERATION;
use crate::clustering::cosines::{Cosines, squares};
use crate::clustering::similarity::SimilarityMatrix;
use crate::error::GroupError;
use crate::grouping::churn::Churn;
use crate::grouping::groups::Groups;
use crate::grouping::unread::{UnreadAssignment, or_else};
use crate::groupings::search::Clusters;
use crate::linalg::spectrum::Spectrum;
use crate::over_time::identities::Identities;
use crate::over_time::matching::follow;
use crate::over_time::split_merge::{PendingChanges, SplitMerge};
use crate::read::host;

/// How landmarks are summed up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axes {
    /// Directions of each group.
    pub(super) count: usize,
    /// Singular pairs that are kept of each direction in each weight.
    pub(super) rank: usize,
}

/// The standing examples.
#[derive(Debug, Clone)]
pub(super) struct StandingGroups {
    /// How many are shown.
    pub(super) shown: usize,
    /// Which of them stay, and the group of each.
    pub(super) kept: Vec<usize>,
    pub(super) assignment: Vec<usize>,
    pub(super) clusters: Clusters,
    /// None before the first standing examples, and without any landmark.
    pub(super) now: Option<Prototypes>,
    pub(super) identities: Identities,
    /// What splits and merges changed when the landmarks were last shown, and what is to come.
    pub(super) churn: Option<Churn>,
    pub(super) pending: PendingChanges,
}

/// What new examples are compared with.
#[derive(Debug, Clone)]
pub(super) enum Prototypes {
    /// The landmarks, and how inner products with them are weighed.
    Examples(ExampleGradients, Box<LandmarkWeights>),
    /// The leading axes of each group, those of one group together, each as long as the root mean
    /// square of the unit landmarks' components along it.
    Axes(ExampleGradients),
}

/// How inner products with l landmarks are weighed.
#[derive(Debug, Clone)]
pub(super) struct LandmarkWeights {
    /// 1 / ‖landmark‖, `[1, l]`; 0 for a gradient of zero.
    lengths: Tensor<2>,
    /// 1 / n_g if a landmark is of group g, `[l, k]`.
    members: Tensor<2>,
}

impl StandingGroups {
    /// Standing examples with the groups that they were clustered into, of which the `kept` most alike
    /// to their group stay in each.
    pub(super) fn new(clusters: Clusters, similarities: &SimilarityMatrix, kept: usize) -> Self {
        let n = similarities.num_examples();
        let mut stay = Vec::new();
        for group in 0..clusters.groups {
            let members: Vec<usize> = (0..n)
                .filter(|&j| clusters.assignment[j] == Some(group))
                .collect();
            let alike = |j: usize| -> f32 {
                let row = similarities.row(j);
                members.iter().map(|&other| row[other]).sum()
            };
            let mut ranked: Vec<(f32, usize)> = members.iter().map(|&j| (alike(j), j)).collect();
            ranked.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            stay.extend(ranked.into_iter().take(kept).map(|(_, j)| (j, group)));
        }
        let (kept, assignment) = stay.into_iter().unzip();
        let mut identities = Identities::default();
        identities.renew(clusters.groups, &BTreeSet::new());
        Self {
            shown: n,
            kept,
            assignment,
            identities,
            clusters,
            now: None,
            churn: None,
            pending: PendingChanges::default(),
        }
    }

    /// Groups of a draw by these, with what is known of them.
    pub(super) fn describe(&self, groups: Groups) -> Groups {
        let groups = self.clusters.describe(groups);
        let groups = groups.with_identities(self.identities.current(self.clusters.groups));
        match self.churn {
            Some(churn) => groups.with_churn(churn),
            None => groups,
        }
    }

    /// How many examples a share of them is, one at least.
    pub(super) fn share(&self, share: f64) -> usize {
        let wanted = (share * self.shown as f64).round() as usize;
        wanted.clamp(1, self.shown.max(1))
    }

    /// The last `fresh` of the examples that are shown have taken the place of the first ones. They
    /// join the groups as they were when landmarks were last shown.
    pub(super) fn replace(
        &mut self,
        fresh: usize,
        gradients: &ExampleGradients,
        most: usize,
        axes: Option<Axes>,
    ) -> Result<(), GroupError> {
        let first = self.shown.saturating_sub(fresh);
        let new: Vec<usize> = (first..self.shown).collect();
        let joined = self.assign(
            &gradients
                .choose(&new)
                .map_err(GroupError::gradients(OPERATION))?,
            axes,
        )?;
        let stay = self.kept.iter().zip(&self.assignment);
        let stay = stay.filter_map(|(&at, &group)| Some((at.checked_sub(fresh)?, group)));
        let (kept, assignment) = stay.unzip();
        (self.kept, self.assignment) = (kept, assignment);
        let mut room: Vec<usize> = self
            .sizes()
            .iter()
            .map(|&size| most.saturating_sub(size as usize))
            .collect();
        for (&at, group) in new.iter().zip(&joined) {
            let Some(group) = *group else { continue };
            if room[group] > 0 {
                room[group] -= 1;
                self.kept.push(at);
                self.assignment.push(group);
            }
        }
        self.clusters.assignment.drain(..fresh.min(self.shown));
        self.clusters.assignment.extend(joined);
        Ok(())
    }

    /// Splits and merges groups by the similarities of the landmarks. The numbers of groups that were
    /// merged into others.
    pub(super) fn regroup(
        &mut self,
        rule: &SplitMerge,
        similarities: &SimilarityMatrix,
    ) -> Result<BTreeSet<usize>, GroupError> {
        let before: Vec<Option<usize>> = self.assignment.iter().copied().map(Some).collect();
        let next = rule.regroup(&mut self.pending, similarities, &before)?;
        let next = next.unwrap_or_else(|| before.clone());
        let followed = follow(&before, &next);
        let fresh: BTreeSet<usize> = followed.fresh.iter().copied().collect();
        let most = followed.assignment.iter().flatten().max();
        let most = most.map_or(0, |most| most + 1);
        self.clusters.groups = self.clusters.groups.max(most);
        self.identities.renew(self.clusters.groups, &fresh);
        let mut gone: BTreeSet<usize> = self.assignment.iter().copied().collect();
        for (at, group) in followed.assignment.into_iter().enumerate() {
            self.clusters.assignment[self.kept[at]] = group;
            if let Some(group) = group {
                self.assignment[at] = group;
                gone.remove(&group);
            }
        }
        self.churn = Some(followed.churn);
        Ok(gone)
    }

    /// The same landmarks with their gradients under the current model.
    pub(super) fn renew(
        &mut self,
        gradients: &ExampleGradients,
        axes: Option<Axes>,
        gone: &BTreeSet<usize>,
    ) -> Result<(), GroupError> {
        if self.kept.is_empty() {
            // Axes can do without landmarks.
            self.now = self.now.take().filter(|_| axes.is_some());
            return Ok(());
        }
        let gradients = gradients
            .choose(&self.kept)
            .map_err(GroupError::gradients(OPERATION))?;
        self.now = Some(match axes {
            None => self.examples(gradients)?,
            Some(axes) => self.axes(&gradients, axes, gone)?,
        });
        Ok(())
    }

    /// Number of landmarks in each group, `[k]`.
    fn sizes(&self) -> Vec<f64> {
        let mut sizes = vec![0.0; self.clusters.groups];
        for &group in &self.assignment {
            sizes[group] += 1.0;
        }
        sizes
    }

    pub(super) fn examples(&self, gradients: ExampleGradients) -> Result<Prototypes, GroupError> {
        let (l, k) = (self.kept.len(), self.clusters.groups);
        let norms = host(OPERATION, &gradients.norms())?;
        let all: Vec<usize> = (0..l).collect();
        self.finite(&norms, 1, &all)?;
        let sizes = self.sizes();
        let mut members = vec![0.0; l * k];
        for (landmark, &group) in self.assignment.iter().enumerate() {
            members[landmark * k + group] = 1.0 / sizes[group];
        }
        let length = |&norm: &f32| {
            if norm > 0.0 {
                1.0 / f64::from(norm)
            } else {
                0.0
            }
        };
        let lengths: Vec<f64> = norms.iter().map(length).collect();
        // In the precision of what they multiply.
        let like = (&gradients.device(), gradients.norms().dtype());
        let by = LandmarkWeights {
            lengths: Tensor::from_data(TensorData::new(lengths, [1, l]), like),
            members: Tensor::from_data(TensorData::new(members, [l, k]), like),
        };
        Ok(Prototypes::Examples(gradients, Box::new(by)))
    }

    fn axes(
        &self,
        gradients: &ExampleGradients,
        axes: Axes,
        gone: &BTreeSet<usize>,
    ) -> Result<Prototypes, GroupError> {
        let condensed = (0..self.clusters.groups).map(|group| {
            let members = self.assignment.iter().enumerate();
            let members: Vec<usize> = members
                .filter(|(_, of)| **of == group)
                .map(|(landmark, _)| landmark)
                .collect();
            let own = group * axes.count..(group + 1) * axes.count;
            match &self.now {
                // Its landmarks have been replaced, and it waits for others.
                Some(Prototypes::Axes(before))
                    if members.is_empty()
                        && !gone.contains(&group)
                        && before.num_examples() >= own.end =>
                {
                    return before
                        .choose(&own.collect::<Vec<_>>())
                        .map_err(GroupError::gradients(OPERATION));
                }
                _ => {}
            }
            if members.is_empty() {
                let nothing = Tensor::zeros([axes.count, self.kept.len()], &gradients.device());
                return gradients
                    .condense(&nothing, axes.rank)
                    .map_err(GroupError::gradients(OPERATION));
            }
            let own = gradients
                .choose(&members)
                .map_err(GroupError::gradients(OPERATION))?;
            let gram = host(OPERATION, &own.gram())?;
            self.finite(&gram, members.len(), &members)?;
            own.condense(&leading(gram, axes.count, &own)?, axes.rank)
                .map_err(GroupError::gradients(OPERATION))
        });
        let condensed = condensed.collect::<Result<Vec<_>, _>>()?;
        let condensed =
            ExampleGradients::concat(&condensed).map_err(GroupError::gradients(OPERATION))?;
        Ok(Prototypes::Axes(condensed))
    }

    /// Whether all numbers of some landmarks, `width` of each, are finite.
    fn finite(&self, values: &[f32], width: usize, of: &[usize]) -> Result<(), GroupError> {
        match values.iter().position(|value| !value.is_finite()) {
            None => Ok(()),
            Some(entry) => Err(GroupError::NotFinite {
                operation: OPERATION,
                example: self.kept[of[entry / width]],
            }),
        }
    }

    /// How alike n examples are to each group, up to a factor for each example, `[n, k]`. Those that are like no group
    /// at all are a little like the largest one, unless their gradients are zero.
    pub(super) fn alike(
        &self,
        gradients: &ExampleGradients,
        axes: Option<Axes>,
    ) -> Result<Tensor<2>, GroupError> {
        let (n, k) = (gradients.num_examples(), self.clusters.groups);
        let norms = gradients.norms().reshape([n, 1]);
        let alike = match (&self.now, axes) {
            (None, _) => norms.zeros_like().expand([n, k]),
            (Some(Prototypes::Examples(landmarks, by)), _) => {
                let products = gradients
                    .cross_gram(landmarks)
                    .map_err(GroupError::gradients(OPERATION))?;
                squares(products * by.lengths.clone()).matmul(by.members.clone())
            }
            (Some(Prototypes::Axes(axes)), Some(Axes { count, .. })) => {
                let products = gradients
                    .cross_gram(axes)
                    .map_err(GroupError::gradients(OPERATION))?;
                let squares = squares(products).reshape([n, k, count]);
                squares.sum_dim(2).reshape([n, k])
            }
            (Some(Prototypes::Axes(_)), None) => {
                return Err(GroupError::NoStanding {
                    operation: OPERATION,
                });
            }
        };
        let sizes = self.sizes().into_iter().enumerate();
        let largest = sizes.max_by(|(a, x), (b, y)| x.total_cmp(y).then(b.cmp(a)));
        Ok(or_else(alike, norms, largest.map_or(0, |(group, _)| group)))
    }

    /// The group of each of n examples: that of the largest mean squared cosine, the largest group where all are 0.
    /// None for a zero gradient.
    fn assign(
        &self,
        gradients: &ExampleGradients,
        axes: Option<Axes>,
    ) -> Result<Vec<Option<usize>>, GroupError> {
        let unread = UnreadAssignment::highest(OPERATION, self.alike(gradients, axes)?);
        unread.assignment(&unread.read()?)
    }
}

/// Coefficients `[count, n]` of the leading axes of n gradients with this Gram matrix, each axis as
/// long as the root mean square of the unit gradients' components along it.
fn leading(
    gram: Vec<f32>,
    count: usize,
    gradients: &ExampleGradients,
) -> Result<Tensor<2>, GroupError> {
    let n = gradients.num_examples();
    let norms: Vec<f32> = (0..n).map(|j| gram[j * n + j].max(0.0).sqrt()).collect();
    let cosines = Cosines::from_gram(OPERATION, gram, n)?;
    let spectrum = Spectrum::leading_host(cosines.entries(), n, count.min(n))?;
    let mut coefficients = vec![0.0f32; count * n];
    let lengths = spectrum.singular_values().iter().enumerate();
    for (axis, &length) in lengths.filter(|(_, length)| **length > 0.0) {
        // a = Σ_l u_l ĝ_l / √n, with σ u from the spectrum.
        let scale = 1.0 / (length * (n as f64).sqrt());
        for (at, component) in spectrum.components(axis).enumerate() {
            if norms[at] > 0.0 {
                coefficients[axis * n + at] = (component * scale) as f32 / norms[at];
            }
        }
    }
    let coefficients = TensorData::new(coefficients, [count, n]);
    Ok(Tensor::from_data(coefficients, &gradients.device()))
}
