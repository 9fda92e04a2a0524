//! Optimizers by name, with settings that are checked.

pub(crate) mod adam;
pub(crate) mod adamw;
pub(crate) mod egalitarian;
mod moments;
pub(crate) mod muon;
mod rank;
pub(crate) mod sgd;
