//! Clustering of examples whose similarities are known, and of points of the host.
//!
//! From [`cosines`](crate::Cosines) of gradients to [similarities](crate::Similarity), from there to a
//! [problem](partition::CutProblem) that is cut into any number of groups. The algorithms on points are k-means
//! ([`lloyd`]) and clusters by direction ([`spherical`]); both start from the same [`seeding`]. Many examples of a few numbers each
//! need no similarities of all pairs ([`rows`]).

pub(crate) mod cosines;
pub(crate) mod least_size;
pub(crate) mod lloyd;
pub(crate) mod partition;
pub(crate) mod rows;
pub(crate) mod seeding;
pub(crate) mod sign;
pub(crate) mod similarity;
pub(crate) mod spherical;
