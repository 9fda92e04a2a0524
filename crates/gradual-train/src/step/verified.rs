//! The check before the first step.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{GradError, Tracer, Verified, Warning, burn_faults};

use crate::error::TrainError;

/// Checks the gradients that a step under `objective` would take, by the tracer that takes them, if one does.
/// None where the losses of the draw are not all finite, so that another draw has to be taken for it; not so where such
/// examples are `left_out` anyway, which may be of every draw.
///
/// A step on Burn's own backward pass is right about any losses, so of one only the layers that Burn gets wrong are
/// looked for, which are seen where they are tapped.
pub(crate) fn verified<M: Module>(
    model: &M,
    tracer: Option<&Tracer>,
    left_out: bool,
    losses: impl Fn(&M) -> Tensor<1>,
) -> Result<Option<Verified>, TrainError> {
    let Some(tracer) = tracer else {
        return match burn_faults(model, losses) {
            Ok(faults) => match faults.into_iter().next() {
                Some((parameter, fault)) => Err(TrainError::BurnFault { parameter, fault }),
                None => Ok(Some(Verified::default())),
            },
            // Burn's own forward pass can't be run either.
            Err(error @ GradError::Checkpointing) => Err(error.into()),
            // What can't be traced need not be.
            Err(_) => Ok(Some(Verified::default())),
        };
    };
    let verified = tracer.verify(model, losses)?;
    let unfinished = |warning: &Warning| matches!(warning, Warning::NotFinite { .. });
    let finished = left_out || !verified.warnings.iter().any(unfinished);
    Ok(finished.then_some(verified))
}
