//! The compositions, one a file.

pub(crate) mod cvar;
pub(crate) mod dro;
pub(crate) mod excess;
pub(crate) mod focal;
pub(crate) mod leave_one_out;
pub(crate) mod mean;
mod multiplicative;
pub(crate) mod power;
pub(crate) mod running;
pub(crate) mod shifted;
pub(crate) mod squares;
pub(crate) mod tilted;
