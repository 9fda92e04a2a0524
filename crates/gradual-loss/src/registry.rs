//! What compositions, rules and scales there are: each by the [`Entry`](gradual_registry::Entry) in its
//! own file and its lines in `compositions.rs` or `rules.rs`.
//!
//! ```
//! use gradual_loss::registry::{COMPOSITIONS, SCALES};
//!
//! let composition = COMPOSITIONS.build(&"cvar(alpha = 0.2)".parse()?, ())?;
//! assert_eq!(composition.name(), "CVaR");
//! assert_eq!(SCALES.build(&"unit-sum".parse()?, ())?, Some(gradual_loss::Scale::UnitSum));
//! # Ok::<(), gradual_registry::RegistryError>(())
//! ```

use gradual_registry::Registry;

pub use crate::compositions::{COMPOSITIONS, WRAPPERS};
pub use crate::rules::RULES;
pub use crate::rules::gram::RuleContext;

use crate::scale::{self, Scale};

/// The scales of a step; `usual` is none of its own, but whatever is [usual](Scale::usual) for the groups.
pub static SCALES: Registry<(), Option<Scale>> = Registry::new(
    "scale",
    &[
        &scale::USUAL,
        &scale::RAW,
        &scale::UNIT_SUM,
        &scale::UNIT_ABSOLUTE,
        &scale::MATCH_NORM,
        &scale::CAP,
        &scale::RUNNING_SUM,
    ],
);
