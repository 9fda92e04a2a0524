//! Ways to cut what is seen into groups.

use gradual::group::{Cosines, GroupError, Sign, SphericalKMeans};
use gradual::prelude::*;

/// Runs of each clustering, of which the best counts.
const RESTARTS: usize = 5;

/// A rule that cuts examples into groups.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cut {
    KMeans,
    Spherical(Sign),
    Spectral(Similarity),
    /// The singular direction with the largest α².
    Singular,
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
        }
    }

    /// The group of each example of a draw with these cosines, `[n]`, of `groups` in all.
    pub(crate) fn cut(
        self,
        draw: &Draw<'_>,
        cosines: &Cosines,
        groups: usize,
        seed: u64,
    ) -> Result<Vec<Option<usize>>, GroupError> {
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
                return Ok(clusters.assignment);
            }
            Self::Singular => {
                let soft = SingularVectors::squared()
                    .with_leading(groups)?
                    .group(draw)?;
                return strongest(&soft, groups);
            }
        };
        Ok(found.assignment().map(<[_]>::to_vec).unwrap_or_default())
    }
}

/// The leading group that each example belongs to most; none where it belongs to none of them.
fn strongest(soft: &Groups, groups: usize) -> Result<Vec<Option<usize>>, GroupError> {
    let n = soft.num_examples();
    let data = soft.membership().clone().into_data().convert::<f32>();
    let membership = data
        .try_to_vec::<f32>()
        .map_err(|problem| GroupError::Read {
            operation: "singular vectors",
            problem: format!("{problem:?}"),
        })?;
    let strongest = |example: usize| {
        let of = |group: usize| membership[group * n + example];
        let best = (0..groups.min(soft.num_groups())).max_by(|&a, &b| of(a).total_cmp(&of(b)));
        best.filter(|&group| of(group) > 0.0)
    };
    Ok((0..n).map(strongest).collect())
}
