#![doc = include_str!("../README.md")]
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
#![doc = include_str!("groupings.md")]
//!
//! Around any of them:
//!
#![doc = include_str!("wrappers.md")]
//!
//! [`InMetric`] shows any of them gradients in another metric, at n t (d + e).
//!
//! The names are those of the [`registry`], which builds a grouping from its name and parameters. One of your own
//! implements [`Grouping`], or [`Wrapper`] if it goes around another.
//!
//! [`Landmarks`] may change as training goes on: examples first in, first out
//! ([`with_refresh`](Landmarks::with_refresh)), groups by [`SplitMerge`].
//!
//! What a grouping has learned from draw to draw is its [`State`]: a grouping that is restored from it
//! yields the same groups from then on, bit for bit.
//!
//! # Settings
//!
//! A setting that can't be is refused by the method that sets it, with an error that names it
//! ([`GroupError::Parameter`]); nothing is set to the nearest value that can be. How many groups a draw can hold is
//! known when its size is: [`Grouping::check`] says so before a run.
//!
//! # Examples in no group
//!
//! An example may be in no group: one without a label, one that [`Hdbscan`] takes for noise, and, wherever groups are
//! found in gradients, one whose gradient is zero, since it has no direction and no cosine with any other. Its loss is
//! part of no group loss, so its coefficient is 0 and a step does not train on it. A gradient that is zero in all
//! layers would not have moved anything; but a metric that looks at some layers only
//! ([`with_layers`](gradual_grad::Metric::with_layers)) leaves out what is zero in these. Gradients with NaN or
//! infinity are an error that names the example or the parameter.
//!
//! # How many groups
//!
//! [`HowMany`] holds the rules, [`estimates()`] what the cheap ones say of a spectrum.
//!
//! # How good they are
//!
//! Against known labels: [`adjusted_rand`] (of soft groups [`soft_adjusted_rand`]), [`normalised_mutual_information`], [`homogeneity`],
//! [`purity()`] with its chance level, and [`weight_mass_slope`] for what they do to a loss. Over time:
//! [`follow`] and [`Churn`].
#![cfg_attr(not(test), warn(clippy::disallowed_methods))]

mod clustering;
mod error;
mod grouping;
mod groupings;
mod how_many;
mod linalg;
mod metric;
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
pub use grouping::look::Look;
pub use grouping::needs::Needs;
pub use grouping::standing::Standing;
pub use grouping::state::State;
pub use groupings::*;
pub use how_many::HowMany;
pub use how_many::sign_flip::sign_flip;
pub use linalg::eigenvalues::{Eigenvalues, estimates};
pub use linalg::spectrum::Spectrum;
pub use over_time::directions::{MatchedDirection, match_directions, overlap};
pub use over_time::matching::{Followed, best_matching, follow};
pub use over_time::split_merge::SplitMerge;
pub use quality::explained::explained_share;
pub use quality::information::{homogeneity, normalised_mutual_information};
pub use quality::mass_slope::weight_mass_slope;
pub use quality::purity::{Purity, purity};
pub use quality::recovery::{adjusted_rand, soft_adjusted_rand};
pub use wrappers::*;
