//! All groupings and all wrappers, by name.
//!
//! Each has its entry in its own file: name, one sentence, parameters with defaults and bounds, constructor. A new one is
//! added by that file and by one line here.
//!
//! ```
//! use gradual_group::registry::{GROUPINGS, GroupingContext};
//!
//! let context = GroupingContext { num_groups: 4, seed: 0, metric: None };
//! let grouping = GROUPINGS.build(&"spectral(k = eigengap)".parse()?, context)?;
//! assert!(grouping.needs().gradients());
//! # Ok::<(), gradual_registry::RegistryError>(())
//! ```

use gradual_registry::{Entry, Registry};

pub use crate::grouping::context::GroupingContext;

use crate::grouping::Grouping;
use crate::groupings::{
    centroids, density, each, kmeans, labels, landmarks, noisy, one_group, random, singular,
    spectral, spherical,
};
use crate::wrappers::{after, damped, priors, tracked};

/// A grouping, by name.
pub type GroupingEntry = Entry<GroupingContext, Box<dyn Grouping>>;

/// A wrapper, by name; it is given what it wraps.
pub type WrapperEntry = Entry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>>;

/// The rules that yield groups. Those that look at gradients see them in the context's metric.
pub static GROUPINGS: Registry<GroupingContext, Box<dyn Grouping>> = Registry::new(
    "grouping",
    &[
        &one_group::ENTRY,
        &each::ENTRY,
        &labels::ENTRY,
        &noisy::ENTRY,
        &random::ENTRY,
        &kmeans::ENTRY,
        &spherical::ENTRY,
        &spectral::ENTRY,
        &density::ENTRY,
        &singular::ENTRY,
        &landmarks::ENTRY,
        &centroids::ENTRY,
    ],
);

/// What can be put around a grouping.
///
/// [`InMetric`](crate::InMetric) is not among them: the groupings put themselves into the metric of their
/// [context](GroupingContext).
pub static WRAPPERS: Registry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>> =
    Registry::new(
        "wrapper",
        &[
            &priors::ENTRY,
            &damped::ENTRY,
            &tracked::ENTRY,
            &after::ENTRY,
        ],
    );
