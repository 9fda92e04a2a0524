//! The rules that yield groups, one file each.
//!
//! [`search`] holds what the rules that cluster a matrix of similarities have in common: their settings, the choice of the
//! number of groups and the place in the random numbers.

pub(crate) mod centroids;
pub(crate) mod density;
pub(crate) mod each;
pub(crate) mod kmeans;
pub(crate) mod labels;
pub(crate) mod landmarks;
pub(crate) mod noisy;
pub(crate) mod one_group;
pub(crate) mod random;
pub(crate) mod search;
pub(crate) mod singular;
pub(crate) mod spectral;
pub(crate) mod spherical;
