//! Gradient-checkpointing strategies that meet in one operation, which Burn panics about.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use burn::tensor::{Device, GradientCheckpointingStrategy};

use crate::error::GradError;

/// What a tap stops a closure with.
struct Mismatch;

/// How Burn says it, where an operation meets it before a tap does.
const MESSAGE: &str = "Gradient checkpointing strategy mismatch";

/// The strategy of the graph that tensors on `device` are part of; none without autodiff.
pub(crate) fn of(device: &Device) -> Option<GradientCheckpointingStrategy> {
    device.gradient_checkpointing_strategy()
}

/// Stops the closure that [`run`] runs unless tensors on both devices can be in one operation. Nothing is printed.
pub(crate) fn meet(model: Option<&Device>, input: &Device) {
    // The parameters of a model without autodiff are tracked in the default context.
    let model = model.and_then(of).unwrap_or_default();
    if of(input).is_some_and(|input| input != model) {
        resume_unwind(Box::new(Mismatch));
    }
}

/// Runs a closure that runs a model, and says as an error where two strategies meet in it.
pub(crate) fn run<O>(closure: impl FnOnce() -> O) -> Result<O, GradError> {
    catch_unwind(AssertUnwindSafe(closure)).or_else(|panic| {
        let message = panic.downcast_ref::<String>().map(String::as_str);
        let of_burn = message.is_some_and(|message| message.contains(MESSAGE));
        match of_burn || panic.is::<Mismatch>() {
            true => Err(GradError::Checkpointing),
            false => resume_unwind(panic),
        }
    })
}
