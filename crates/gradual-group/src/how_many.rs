//! How many groups there are: the open question of every clustering.
//!
//! Each rule looks at one matrix of similarities and answers a number from 1 to an upper limit. The
//! cheap ones read the spectrum alone ([`estimates`](crate::estimates()) gives all of them at once);
//! the others cluster the examples for every number and compare. `docs/how-many-groups.md` says how
//! often each is right on planted groups.

pub(crate) mod gap;
pub(crate) mod one_group;
pub(crate) mod sign_flip;
pub(crate) mod silhouette;
pub(crate) mod stability;

use crate::clustering::partition::CutProblem;
use crate::error::GroupError;
use crate::linalg::eigenvalues::{rounded, within};

/// How the number of groups is chosen.
///
/// K is the matrix that the grouping cuts: the cosines for [`KMeans`](crate::KMeans) and
/// [`SphericalKMeans`](crate::SphericalKMeans), the normalised similarities D^-½ S D^-½ for
/// [`Spectral`](crate::Spectral); λ are its eigenvalues, S the similarities (squared cosines where
/// signs are ignored).
///
/// # Which rule
///
/// [`Eigengap`](Self::Eigengap) first: it costs nothing beside the clustering, and with squared cosines in a whitened
/// metric it finds the capabilities' true number. But it presupposes at least two groups, and answers 2 to 12 for a
/// draw of a single capability; where that can happen, take [`TestedEigengap`](Self::TestedEigengap).
/// [`Silhouette`](Self::Silhouette) agrees with the eigengap where there are groups and costs one clustering per number
/// tried. Those that measure how evenly the trace is spread (participation ratio, effective and stable rank, energy)
/// count the directions of the noise too: they say how a spectrum changes over training, not how many groups there are.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum HowMany {
    /// A known number k. Groups beyond the number of distinct gradients are empty and weigh nothing; more groups than
    /// examples are an error, which a run gives before it starts.
    Fixed(usize),
    /// The k with the largest mean silhouette (b − a) / max(a, b) (Rousseeuw 1987,
    /// doi:10.1016/0377-0427(87)90125-7), a and b the mean of 1 − S from an example to its own and to
    /// the nearest other group. 1 if no k has a positive one. A clustering and n² operations for
    /// each k.
    Silhouette,
    /// The smallest k with Gap(k) ≥ Gap(k+1) − s_{k+1} (Tibshirani, Walther & Hastie 2001,
    /// doi:10.1111/1467-9868.00293): Gap is how far k-means gets the logarithm of the sum of squares
    /// within groups below that of points drawn uniformly from the box around the data in its
    /// principal axes. Eleven clusterings for each k.
    Gap,
    /// The largest λ_k − λ_{k+1} for k ≥ 2 (von Luxburg 2007, doi:10.1007/s11222-007-9033-z).
    Eigengap,
    /// The same k, or 1 if the examples are no nearer to k directions than a cloud without groups is.
    ///
    /// A spectrum alone can't tell one group from several: the noise of one capability's gradients has leading
    /// directions of its own, and noise in k dimensions has the spectrum of k groups. What tells them apart is whether
    /// examples lie *at* k directions or all around them. So the examples are taken as unit vectors in the k leading
    /// directions of their cosines (axes, where signs are ignored) and clustered into k there; the mean (squared)
    /// cosine with the clusters' directions has to be above that of each of forty clouds of as many points, twenty
    /// normally and twenty uniformly distributed with the same mean and standard deviation along each direction. Normal
    /// clouds are the null of SigClust (Liu, Hayes, Nobel & Marron 2008, doi:10.1198/016214508000000454). Such a cloud
    /// is taken for groups one time in twenty-one at most.
    ///
    /// Forty-one clusterings of n points in k dimensions beside the eigengap's spectrum, and one more spectrum for
    /// spectral clustering. It needs some ten examples a group. One capability whose gradients fall apart by themselves
    /// (by the class of the answer, say, or by a bit of the input) is several groups to it, as to any clustering.
    TestedEigengap,
    /// tr(K)² / ‖K‖_F².
    ParticipationRatio,
    /// exp of the entropy of λ / tr(K) (Roy & Vetterli 2007).
    EffectiveRank,
    /// tr(K) / λ_1.
    StableRank,
    /// The smallest k whose leading eigenvalues hold this share of tr(K), 0 to 1.
    Energy(f64),
    /// The number of eigenvalues above the largest one of the same matrix with random signs: parallel
    /// analysis by signflips (Hong, Sheng & Dobriban 2020, arXiv 2012.02985). They flip the entries of
    /// the data, here those of the symmetric matrix are flipped, off its diagonal: that measures the
    /// noise rightly where there are fewer examples than dimensions of noise, and too low otherwise
    /// (see [`sign_flip()`](crate::sign_flip()) for the paper's form).
    SignFlip,
    /// The k whose clusters of two random parts of the draw agree best where they overlap, by the
    /// adjusted Rand index (Ben-Hur, Elisseeff & Guyon 2002; von Luxburg 2010, arXiv 1007.1075). 1 if
    /// none agree better than chance. Twenty clusterings for each k, twenty spectra.
    Stability,
}

impl From<usize> for HowMany {
    fn from(groups: usize) -> Self {
        Self::Fixed(groups)
    }
}

impl HowMany {
    /// A short name, as in the records of a run.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fixed(_) => "fixed",
            Self::Silhouette => "silhouette",
            Self::Gap => "gap",
            Self::Eigengap => "eigengap",
            Self::TestedEigengap => "tested-eigengap",
            Self::ParticipationRatio => "participation-ratio",
            Self::EffectiveRank => "effective-rank",
            Self::StableRank => "stable-rank",
            Self::Energy(_) => "energy",
            Self::SignFlip => "sign-flip",
            Self::Stability => "stability",
        }
    }

    /// The number itself, where it is known.
    pub(crate) fn fixed(self) -> Option<usize> {
        match self {
            Self::Fixed(groups) => Some(groups),
            _ => None,
        }
    }

    /// The number of groups of a problem, 1 to `at_most` unless it is fixed.
    pub(crate) fn choose(
        self,
        problem: &CutProblem,
        at_most: usize,
        seed: u64,
    ) -> Result<usize, GroupError> {
        let spectrum = problem.eigenvalues();
        let chosen = match self {
            Self::Fixed(groups) => return Ok(groups),
            Self::Silhouette => silhouette::choose(problem, at_most, seed)?,
            Self::Gap => gap::choose(problem, at_most, seed)?,
            Self::Eigengap => spectrum.eigengap(at_most),
            Self::TestedEigengap => one_group::choose(problem, at_most, seed)?,
            Self::ParticipationRatio => rounded(spectrum.participation_ratio(), at_most),
            Self::EffectiveRank => rounded(spectrum.effective_rank(), at_most),
            Self::StableRank => rounded(spectrum.stable_rank(), at_most),
            Self::Energy(rho) => spectrum.energy(rho),
            Self::SignFlip => sign_flip::choose(problem, at_most, seed)?,
            Self::Stability => stability::choose(problem, at_most, seed)?,
        };
        Ok(within(chosen, at_most))
    }
}
