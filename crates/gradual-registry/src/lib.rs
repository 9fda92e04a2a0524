//! Named things with parameters, built from data.
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
//!
//! ```
//! use gradual_registry::{Entry, Parameter, Registry, Spec};
//!
//! static SHOUT: Entry<String, String> = Entry {
//!     name: "shout",
//!     about: "says it loudly",
//!     facts: &[("loudness", "high")],
//!     parameters: &[Parameter::count("marks", "exclamation marks", 1).at_most(3.0)],
//!     build: |arguments, text| Ok(text.to_uppercase() + &"!".repeat(arguments.count("marks")?)),
//! };
//! static VOICES: Registry<String, String> = Registry::new("voice", &[&SHOUT]);
//!
//! let spec: Spec = "shout(marks = 2)".parse()?;
//! assert_eq!(VOICES.build(&spec, String::from("hello"))?, "HELLO!!");
//! assert_eq!(VOICES.resolve(&"shout".parse()?)?.to_string(), "shout(marks = 1)");
//! let error = VOICES.resolve(&"shout(mark = 2)".parse()?).unwrap_err();
//! assert_eq!(error.to_string(), "voice shout has no parameter 'mark'; did you mean 'marks'? It has: marks");
//! # Ok::<(), gradual_registry::RegistryError>(())
//! ```

mod arguments;
mod entry;
mod error;
mod excerpt;
mod nearest;
mod parameter;
mod registry;
mod spec;
mod value;

pub use arguments::Arguments;
pub use entry::{BuildError, Entry};
pub use error::RegistryError;
pub use excerpt::excerpt;
pub use nearest::nearest;
pub use parameter::{Kind, Parameter};
pub use registry::Registry;
pub use spec::{Spec, split};
pub use value::Value;
