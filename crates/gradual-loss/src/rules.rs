//! The rules on group gradients, one a file.

pub(crate) mod gram;
pub(crate) mod mgda;
mod nonnegative;
pub(crate) mod pcgrad;
pub(crate) mod upgrad;
