//! All groupings and all wrappers, by name.
//!
//! Each has its entry in its own file: name, one sentence, parameters with defaults and bounds, constructor. A new one
//! is added by that file and by its lines in `groupings.rs`.
//!
//! ```
//! use gradual_group::registry::{GROUPINGS, GroupingContext};
//!
//! let context = GroupingContext { num_groups: 4, seed: 0, metric: None };
//! let grouping = GROUPINGS.build(&"spectral(k = eigengap)".parse()?, context)?;
//! assert!(grouping.needs().gradients());
//! # Ok::<(), gradual_registry::RegistryError>(())
//! ```

use gradual_registry::Entry;

pub use crate::grouping::context::GroupingContext;
pub use crate::groupings::GROUPINGS;
pub use crate::wrappers::WRAPPERS;

use crate::grouping::Grouping;

/// A grouping, by name.
pub type GroupingEntry = Entry<GroupingContext, Box<dyn Grouping>>;

/// A wrapper, by name; it is given what it wraps.
pub type WrapperEntry = Entry<(GroupingContext, Box<dyn Grouping>), Box<dyn Grouping>>;
