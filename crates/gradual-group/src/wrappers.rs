//! Groupings around other groupings: they change what the inner one is shown, or what becomes of its groups.

pub(crate) mod after;
pub(crate) mod damped;
pub(crate) mod in_metric;
pub(crate) mod priors;
pub(crate) mod tracked;
pub(crate) mod wrapper;
