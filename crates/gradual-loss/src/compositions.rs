//! The compositions, one file each. A new one is a file, and here its module, its type and its entry.

pub(crate) mod cvar;
pub(crate) mod dro;
pub(crate) mod excess;
pub(crate) mod focal;
pub(crate) mod leave_one_out;
pub(crate) mod max;
pub(crate) mod mean;
mod multiplicative;
pub(crate) mod power;
pub(crate) mod running;
pub(crate) mod shifted;
pub(crate) mod squares;
pub(crate) mod tilted;

pub use cvar::Cvar;
pub use dro::GroupDro;
pub use excess::ExcessLoss;
pub use focal::Focal;
pub use leave_one_out::LeaveOneOut;
pub use max::Max;
pub use mean::Mean;
pub use power::PowerMean;
pub use running::RunningMeans;
pub use shifted::Shifted;
pub use squares::SumOfSquares;
pub use tilted::Tilted;

use gradual_registry::Registry;

use crate::composition::Composition;

/// The compositions of group losses.
pub static COMPOSITIONS: Registry<(), Box<dyn Composition>> = Registry::new(
    "composition",
    &[
        &mean::ENTRY,
        &squares::ENTRY,
        &power::ENTRY,
        &tilted::ENTRY,
        &cvar::ENTRY,
        &max::ENTRY,
        &dro::ENTRY,
        &excess::ENTRY,
        &focal::ENTRY,
        &leave_one_out::ENTRY,
    ],
);

/// Compositions made of another one.
pub static WRAPPERS: Registry<Box<dyn Composition>, Box<dyn Composition>> =
    Registry::new("composition wrapper", &[&shifted::ENTRY, &running::ENTRY]);
