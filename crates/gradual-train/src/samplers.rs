//! Which examples a step draws.

pub(crate) mod context;
pub(crate) mod curriculum;
pub(crate) mod epochs;
pub(crate) mod mixture;
pub(crate) mod sampler;
pub(crate) mod stratified;
pub(crate) mod task_mixture;
