//! The observers that come with the trainer, beside [`RunFolder`](crate::RunFolder).

mod divergence;
mod progress;
mod target;
mod when;

pub use divergence::StopOnDivergence;
pub use progress::Progress;
pub use target::StopAtTarget;
pub use when::{Selected, When};
