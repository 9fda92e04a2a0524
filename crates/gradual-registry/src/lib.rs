#![doc = include_str!("../README.md")]
//!
//! # The idea
//!
//! A training run is described by data: `spectral(k = 8)` in a file, `{"name": "spectral", "k": 8, …}` in a run folder.
//! Somewhere the name has to become a grouping, and somebody has to know which parameters it takes, what they are by
//! default and which values make sense. Here each such thing says so once, beside its own code, as an [`Entry`]: name,
//! one sentence, [`Parameter`]s with defaults and bounds, constructor. A [`Registry`] is a list of entries of one kind.
//! Files are checked against it, lists and tables are printed from it, and tests iterate over it, so that what is not
//! in the list does not exist and what is in the list is tested.
//!
//! # The steps
//!
//! 1. A [`Spec`] is a name with some parameters, as a person writes it. It is read from text or from a map.
//! 2. [`Registry::resolve`] checks it, and gives the spec with *every* parameter, defaults included. This is what a run
//!    folder holds: a default that changes later is then seen to differ.
//! 3. [`Registry::build`] calls the constructor with the [`Arguments`] and whatever else it needs, its context `C`: the
//!    seed, the number of known groups, the thing that it wraps.

mod arguments;
mod condition;
mod entry;
mod error;
mod excerpt;
mod nearest;
mod parameter;
mod quotes;
mod registry;
mod spec;
mod value;

pub use arguments::Arguments;
pub use entry::{BuildError, Entry};
pub use error::RegistryError;
pub use excerpt::excerpt;
pub use nearest::nearest;
pub use parameter::{Kind, Parameter};
pub use quotes::{QuoteError, Quotes};
pub use registry::Registry;
pub use spec::{Spec, split};
pub use value::Value;
