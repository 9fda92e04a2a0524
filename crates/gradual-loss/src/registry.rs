//! What compositions, rules and scales there are: one line each, beside the [`Entry`](gradual_registry::Entry) in its own
//! file.
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

use crate::composition::Composition;
use crate::compositions::{
    cvar, dro, excess, focal, leave_one_out, mean, power, running, shifted, squares, tilted,
};
use crate::rules::gram::GramComposition;
use crate::rules::{mgda, pcgrad, upgrad};
use crate::scale::{self, Scale};

pub use crate::rules::gram::RuleContext;

/// The compositions of group losses.
pub static COMPOSITIONS: Registry<(), Box<dyn Composition>> = Registry::new(
    "composition",
    &[
        &mean::ENTRY,
        &squares::ENTRY,
        &power::ENTRY,
        &tilted::ENTRY,
        &cvar::ENTRY,
        &dro::ENTRY,
        &excess::ENTRY,
        &focal::ENTRY,
        &leave_one_out::ENTRY,
    ],
);

/// Compositions made of another one.
pub static WRAPPERS: Registry<Box<dyn Composition>, Box<dyn Composition>> =
    Registry::new("composition wrapper", &[&shifted::ENTRY, &running::ENTRY]);

/// The rules on group gradients.
pub static RULES: Registry<RuleContext, Box<dyn GramComposition>> = Registry::new(
    "gradient rule",
    &[&pcgrad::ENTRY, &mgda::ENTRY, &upgrad::ENTRY],
);

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
