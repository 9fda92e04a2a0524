//! The samplers that come with the trainer.

mod curriculum;
mod epochs;
mod mixture;
mod stratified;
mod task_mixture;

pub use curriculum::Curriculum;
pub use epochs::Epochs;
pub use mixture::Mixture;
pub use stratified::Stratified;
pub use task_mixture::TaskMixture;
