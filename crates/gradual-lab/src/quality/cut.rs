//! Ways to cut what is seen into groups.

use burn::tensor::Tensor;
use gradual::group::{Cosines, Diffusion, GroupError, Hdbscan, Sign, SphericalKMeans};
use gradual::prelude::*;

/// Runs of each clustering, of which the best counts.
const RESTARTS: usize = 5;

/// Most groups that a rule may find.
const MOST_GROUPS: usize = 100;

/// Fewest examples of a group that is found by its density.
const LEAST_SIZE: usize = 5;

/// A rule that cuts examples into groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    KMeans,
    Spherical(Sign),
    Spectral(Similarity),
    /// The singular direction with the largest α².
    Singular,
    /// Spectral clusters of squared cosines, as many as the eigengap says.
    Eigengap,
    /// Dense parts, as many as there are.
    Density,
    /// Soft groups without a number.
    Diffusion,
}

/// What a cut yields.
pub(super) struct Found {
    /// The group of each example, `[n]`; empty for soft groups.
    pub(super) assignment: Vec<Option<usize>>,
    /// How many there are, or were asked for.
    pub(super) groups: usize,
    /// The groups themselves where they are soft.
    pub(super) soft: Option<Groups>,
}

impl Found {
    /// Hard groups, of which so many were asked for.
    pub(super) fn hard(assignment: Vec<Option<usize>>, groups: usize) -> Self {
        Self {
            assignment,
            groups,
            soft: None,
        }
    }

    /// Hard groups whose number nobody told.
    fn counted(assignment: Vec<Option<usize>>) -> Self {
        let groups = assignment.iter().flatten().max().map_or(1, |last| last + 1);
        Self::hard(assignment, groups)
    }
}

impl Cut {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::KMeans => "k-means",
            Self::Spherical(Sign::Kept) => "spherical k-means",
            Self::Spherical(Sign::Ignored) => "sign-free k-means",
            Self::Spectral(Similarity::Squared) => "spectral C²",
            Self::Spectral(Similarity::Absolute) => "spectral |C|",
            Self::Spectral(Similarity::Angular) => "spectral angular",
            Self::Singular => "singular vectors",
            Self::Eigengap => "spectral C² by eigengap",
            Self::Density => "HDBSCAN",
            Self::Diffusion => "diffusion",
        }
    }

    /// Whether it has to be told the number of groups.
    pub(super) fn is_told(self) -> bool {
        !matches!(self, Self::Eigengap | Self::Density | Self::Diffusion)
    }

    /// The groups of a draw with these cosines, `groups` in all where it has to be told.
    pub(super) fn cut(
        self,
        draw: &Draw<'_>,
        cosines: &Cosines,
        groups: usize,
        seed: u64,
    ) -> Result<Found, GroupError> {
        let found = match self {
            Self::KMeans => KMeans::new(groups, seed)
                .with_restarts(RESTARTS)?
                .group(draw)?,
            Self::Spherical(sign) => {
                let spherical = SphericalKMeans::new(groups, seed).with_restarts(RESTARTS)?;
                match sign {
                    Sign::Kept => spherical,
                    Sign::Ignored => spherical.sign_free(),
                }
                .group(draw)?
            }
            // The Gram matrix costs far more than all cuts of it.
            Self::Spectral(similarity) => {
                let mut spectral = Spectral::new(groups, seed).with_restarts(RESTARTS)?;
                let clusters = spectral.clusters(&cosines.similarity(similarity))?;
                return Ok(Found::hard(clusters.assignment, groups));
            }
            Self::Eigengap => {
                let spectral = Spectral::new(HowMany::Eigengap, seed);
                let mut spectral = spectral
                    .with_at_most(MOST_GROUPS)?
                    .with_restarts(RESTARTS)?;
                let clusters = spectral.clusters(&cosines.similarity(Similarity::Squared))?;
                return Ok(Found::hard(clusters.assignment, clusters.groups));
            }
            Self::Density => {
                let dense = Hdbscan::new(LEAST_SIZE)?.group(draw)?;
                let assignment = dense.assignment().map(<[_]>::to_vec);
                return Ok(Found::counted(assignment.unwrap_or_default()));
            }
            Self::Diffusion => {
                let soft = Diffusion::new().in_the_draw().group(draw)?;
                return Ok(Found {
                    assignment: Vec::new(),
                    groups: soft.num_groups(),
                    soft: Some(soft),
                });
            }
            Self::Singular => {
                let soft = SingularVectors::squared()
                    .with_leading(groups)?
                    .group(draw)?;
                return Ok(Found::hard(strongest(&soft, groups)?, groups));
            }
        };
        let assignment = found.assignment().map(<[_]>::to_vec);
        Ok(Found::hard(assignment.unwrap_or_default(), groups))
    }
}

/// The leading group that each example belongs to most; none where it belongs to none of them.
fn strongest(soft: &Groups, groups: usize) -> Result<Vec<Option<usize>>, GroupError> {
    let n = soft.num_examples();
    let membership = read("singular vectors", soft.membership())?;
    let strongest = |example: usize| {
        let of = |group: usize| membership[group * n + example];
        let best = (0..groups.min(soft.num_groups())).max_by(|&a, &b| of(a).total_cmp(&of(b)));
        best.filter(|&group| of(group) > 0.0)
    };
    Ok((0..n).map(strongest).collect())
}

/// How far two examples are in one soft group, `[n, n]`, and the soft number of groups, of groups around each example:
/// M_ij / s_i = K_ij and Σ s.
pub(super) fn together(soft: &Groups) -> Result<(Vec<f64>, f64), GroupError> {
    let n = soft.num_examples();
    let mut kernel = read("diffusion", soft.membership())?;
    let weights = read("diffusion", soft.weights())?;
    for (row, &weight) in kernel.chunks_mut(n.max(1)).zip(&weights) {
        let degree = if weight > 0.0 { 1.0 / weight } else { 0.0 };
        row.iter_mut().for_each(|entry| *entry *= degree);
    }
    Ok((kernel, weights.iter().sum()))
}

/// The entries of a tensor, row-major.
fn read<const D: usize>(
    operation: &'static str,
    tensor: &Tensor<D>,
) -> Result<Vec<f64>, GroupError> {
    let data = tensor.clone().into_data().convert::<f64>();
    data.try_to_vec().map_err(|problem| GroupError::Read {
        operation,
        problem: format!("{problem:?}"),
    })
}
