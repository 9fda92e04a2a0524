//! Groups of examples, and the rules that find them.
//!
//! # The idea
//!
//! A grouped loss needs groups: sets of examples that exercise the same capability. They may be
//! known ([`Labels`]), found in the gradients of a draw, or drawn at random as a control
//! ([`RandomGroups`]). Every rule is a [`Grouping`] and yields [`Groups`]: a membership matrix M
//! `[k, n]` that turns the losses of n examples into the losses of k groups, ℓ̄ = Mℓ. Groups are
//! constants when the loss is differentiated.
//!
//! # Which grouping
//!
//! | name | grouping | needs | cost per draw of n | use it |
//! |---|---|---|---|---|
//! | `one-group` | [`OneGroup`] | nothing | n | for the plain mean loss (ERM) |
//! | `each-example` | [`EachExample`] | nothing | n² | for compositions of single examples |
//! | `labels` | [`Labels`] | labels | k n | when capabilities are known, in one way or in several at once |
//! | `noisy-labels` | [`NoisyLabels`] | labels | k n | as the control for how good groups must be |
//! | `random` | [`RandomGroups`] | nothing | k n | as the control that any gain must beat |
//! | `landmarks` | [`Landmarks`] | gradients | a cross Gram matrix | to keep groups that were found once, in small draws |
//! | `centroids` | [`Centroids`] | gradients | a sketch + n k times its dimensions | the same where groups are plain and examples can't stand |
//! | `spectral` | [`Spectral`] | gradients | Gram matrix + n² k + n k² per iteration | to find capabilities: it sees no signs and groups of any shape |
//! | `spherical` | [`SphericalKMeans`] | gradients | the same | for groups along one axis each, with or without signs |
//! | `kmeans` | [`KMeans`] | gradients | the same | for the post's own proposal |
//! | `hdbscan` | [`Hdbscan`] | gradients | Gram matrix + n² | where much belongs to no group |
//! | `singular-vectors` | [`SingularVectors`] | gradients | Gram matrix; other readings + n³, or n² m | for soft groups, with signs or without |
//!
//! Around any of them:
//!
//! | name | wrapper | needs more | cost | use it |
//! |---|---|---|---|---|
//! | | [`InMetric`] | gradients | n t (d + e) | to show it gradients in another metric |
//! | `priors` | [`Priors`] | nothing | k | to weigh its groups |
//! | `damped` | [`Damped`] | nothing | k n | so that groups that can't be learned don't hold the weight |
//! | `tracked` | [`Tracked`] | gradients | two more Gram matrices | so that groups keep their numbers from draw to draw |
//! | `after` | [`After`] | nothing | nothing | so that the first steps are those of ERM |
//!
//! The names are those of the [`registry`], which builds a grouping from its name and parameters. One of your own
//! implements [`Grouping`], or [`Wrapper`] if it goes around another.
//!
//! [`Landmarks`] may change as training goes on: examples first in, first out
//! ([`with_refresh`](Landmarks::with_refresh)), groups by [`SplitMerge`].
//!
//! What a grouping has learned from draw to draw is its [`State`]: written down and taken up again, it
//! goes on to the same groups bit for bit.
//!
//! # Examples in no group
//!
//! An example may be in no group: one without a label, one that [`Hdbscan`] takes for noise, and, wherever groups are
//! found in gradients, one whose gradient is zero, since it has no direction and no cosine with any other. Its loss is
//! part of no group loss, so its coefficient is 0 and a step does not train on it. A gradient that is zero in all layers
//! would not have moved anything; but a metric that looks at some layers only
//! ([`with_layers`](gradual_grad::Metric::with_layers)) leaves out what is zero in these. Gradients with NaN or infinity
//! are an error that names the example or the parameter.
//!
//! # How many groups
//!
//! [`HowMany`] holds the rules, [`estimates()`] what the cheap ones say of a spectrum.
//!
//! # How good they are
//!
//! Against known labels: [`adjusted_rand`], [`normalised_mutual_information`], [`homogeneity`],
//! [`purity()`] with its chance level, and [`weight_mass_slope`] for what they do to a loss. Over time:
//! [`follow`] and [`Churn`].

mod clustering;
mod error;
mod grouping;
mod groupings;
mod how_many;
mod linalg;
mod over_time;
mod parameters;
mod quality;
mod read;
pub mod registry;
mod wrappers;

pub use clustering::cosines::Cosines;
pub use clustering::sign::Sign;
pub use clustering::similarity::{Similarity, SimilarityMatrix};
pub use error::GroupError;
pub use grouping::Grouping;
pub use grouping::churn::Churn;
pub use grouping::draw::Draw;
pub use grouping::groups::{Average, Groups};
pub use grouping::needs::Needs;
pub use grouping::standing::Standing;
pub use grouping::state::State;
pub use groupings::centroids::Centroids;
pub use groupings::density::Hdbscan;
pub use groupings::each::EachExample;
pub use groupings::kmeans::KMeans;
pub use groupings::labels::Labels;
pub use groupings::landmarks::Landmarks;
pub use groupings::noisy::NoisyLabels;
pub use groupings::one_group::OneGroup;
pub use groupings::random::RandomGroups;
pub use groupings::search::Clusters;
pub use groupings::singular::{Membership, SingularVectors};
pub use groupings::spectral::Spectral;
pub use groupings::spherical::SphericalKMeans;
pub use how_many::HowMany;
pub use how_many::sign_flip::sign_flip;
pub use linalg::eigenvalues::{Eigenvalues, estimates};
pub use linalg::spectrum::Spectrum;
pub use over_time::directions::{Turned, match_directions, overlap};
pub use over_time::matching::{Followed, best_matching, follow};
pub use over_time::split_merge::SplitMerge;
pub use quality::information::{homogeneity, normalised_mutual_information};
pub use quality::mass_slope::weight_mass_slope;
pub use quality::purity::{Purity, purity};
pub use quality::recovery::adjusted_rand;
pub use wrappers::after::After;
pub use wrappers::damped::Damped;
pub use wrappers::in_metric::InMetric;
pub use wrappers::priors::Priors;
pub use wrappers::tracked::Tracked;
pub use wrappers::wrapper::{GroupBy, Wrapper};
