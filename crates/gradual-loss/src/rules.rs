//! The rules on group gradients, one file each. A new one is a file, and here its module, its type and its entry.

pub(crate) mod gram;
pub(crate) mod mgda;
mod nonnegative;
pub(crate) mod pcgrad;
pub(crate) mod upgrad;

pub use gram::{GramComposition, GroupGram};
pub use mgda::Mgda;
pub use pcgrad::PcGrad;
pub use upgrad::UpGrad;

use gradual_registry::Registry;

use gram::RuleContext;

/// The rules on group gradients.
pub static RULES: Registry<RuleContext, Box<dyn GramComposition>> = Registry::new(
    "gradient rule",
    &[&pcgrad::ENTRY, &mgda::ENTRY, &upgrad::ENTRY],
);
