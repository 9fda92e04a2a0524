//! One forward and one backward pass that keep every example's gradient, in factors.

pub(crate) mod pass;
pub(crate) mod strategy;
pub(crate) mod tape;
pub(crate) mod traced;
pub(crate) mod tracer;
pub(crate) mod views;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::error::GradError;
use traced::Traced;
use tracer::Tracer;

/// Runs `losses` on `model` once, forward and backward, and keeps every example's gradient.
///
/// `losses` is given a copy of the model and must use it: the taps of this copy, and of no other module, are seen.
/// It must return one loss per example, `[n]`, and must not let one example's loss depend on another example's
/// input, which [`verify`](crate::verify()) checks.
///
/// # Errors
///
/// [`GradError`] when a trainable parameter was not seen by a tap or was also used outside of one, when a tapped
/// input does not have one row per loss, when two parameters have one identity, when the draw is empty, when nothing
/// is trainable or when traces are nested.
pub fn trace<M, F>(model: &M, losses: F) -> Result<Traced, GradError>
where
    M: Module,
    F: FnOnce(&M) -> Tensor<1>,
{
    Tracer::default().trace(model, losses)
}
