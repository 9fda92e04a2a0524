//! Groups of examples, and the rules that find them.
//!
//! # The idea
//!
//! A grouped loss needs groups: sets of examples that exercise the same capability. They may be
//! known ([`Labels`]), found in the gradients of a draw ([`KMeans`], [`SingularVectors`]), or drawn
//! at random as a control ([`RandomGroups`]). Every rule is a [`Grouping`] and yields [`Groups`]: a
//! membership matrix M `[k, n]` that turns the losses of n examples into the losses of k groups,
//! ℓ̄ = Mℓ. Groups are constants when the loss is differentiated.
//!
//! # Which grouping
//!
//! | grouping | needs | cost per draw of n | use it |
//! |---|---|---|---|
//! | [`OneGroup`] | nothing | n | for the plain mean loss (ERM) |
//! | [`Labels`] | labels | k n | when capabilities are known |
//! | [`RandomGroups`] | nothing | k n | as the control that any gain must beat |
//! | [`KMeans`] | gradients | Gram matrix + n² k + n k² per iteration | for hard groups without labels |
//! | [`SingularVectors`] | gradients | Gram matrix + n³ | for soft groups without labels |

mod cosines;
mod eigenvalues;
mod error;
mod grouping;
mod groups;
mod how_many;
mod information;
mod kmeans;
mod labels;
mod least_size;
mod lloyd;
mod mass_slope;
mod partition;
mod purity;
mod random;
mod recovery;
mod search;
mod similarity;
mod singular;
mod spectral;
mod spectrum;
mod spherical;

pub use cosines::Cosines;
pub use eigenvalues::{Eigenvalues, estimates};
pub use error::GroupError;
pub use grouping::{Draw, Grouping, Needs, OneGroup};
pub use groups::{Average, Groups};
pub use how_many::{HowMany, sign_flip};
pub use information::{homogeneity, normalised_mutual_information};
pub use kmeans::KMeans;
pub use labels::Labels;
pub use mass_slope::weight_mass_slope;
pub use purity::{Purity, purity};
pub use random::RandomGroups;
pub use recovery::adjusted_rand;
pub use search::Clusters;
pub use similarity::{Similarity, SimilarityMatrix};
pub use singular::{Membership, SingularVectors};
pub use spectral::Spectral;
pub use spectrum::Spectrum;
pub use spherical::{Sign, SphericalKMeans};
