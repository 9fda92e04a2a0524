//! The rules that yield groups, one file each. A new one is a file, and here its module, its type and its entry.
//!
//! [`search`] holds what the rules that cluster a matrix of similarities have in common: their settings, the choice of
//! the number of groups and the place in the random numbers.

pub(crate) mod atoms;
pub(crate) mod centroids;
pub(crate) mod density;
mod difficulty;
pub(crate) mod diffusion;
pub(crate) mod each;
pub(crate) mod kmeans;
pub(crate) mod labels;
pub(crate) mod landmarks;
pub(crate) mod merged;
pub(crate) mod mistakes;
pub(crate) mod noisy;
pub(crate) mod one_group;
pub(crate) mod random;
pub(crate) mod search;
pub(crate) mod singular;
pub(crate) mod spectral;
pub(crate) mod spherical;
pub(crate) mod split;

pub use atoms::SparseAtoms;
pub use centroids::Centroids;
pub use density::Hdbscan;
pub use difficulty::Difficulty;
pub use diffusion::Diffusion;
pub use each::EachExample;
pub use kmeans::KMeans;
pub use labels::Labels;
pub use landmarks::Landmarks;
pub use merged::{MergedLabels, Merging};
pub use mistakes::Mistakes;
pub use noisy::NoisyLabels;
pub use one_group::OneGroup;
pub use random::RandomGroups;
pub use search::Clusters;
pub use singular::{Membership, SingularVectors};
pub use spectral::Spectral;
pub use spherical::SphericalKMeans;
pub use split::SplitLabels;

use gradual_registry::Registry;

use crate::grouping::Grouping;
use crate::grouping::context::GroupingContext;

/// The rules that yield groups. Those that look at gradients see them in the context's metric.
pub static GROUPINGS: Registry<GroupingContext, Box<dyn Grouping>> = Registry::new(
    "grouping",
    &[
        &one_group::ENTRY,
        &each::ENTRY,
        &labels::ENTRY,
        &merged::ENTRY,
        &split::ENTRY,
        &noisy::ENTRY,
        &random::ENTRY,
        &difficulty::ENTRY,
        &mistakes::ENTRY,
        &kmeans::ENTRY,
        &spherical::ENTRY,
        &spectral::ENTRY,
        &density::ENTRY,
        &singular::ENTRY,
        &landmarks::ENTRY,
        &centroids::ENTRY,
        &diffusion::ENTRY,
        &atoms::ENTRY,
    ],
);
