//! The check before the first step.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{Verified, Warning, burn_faults, verify};

use crate::statistics::unmoved;
use crate::{Objective, TrainError};

/// Checks the gradients that a step under `objective` would take, and leaves the model's running statistics as they were.
/// None where the losses of the draw are not all finite, so that another draw has to be taken for it.
///
/// A step on Burn's own backward pass is right about any losses, so of one only the layers that Burn gets wrong are
/// looked for, which are seen where they are tapped.
pub(crate) fn verified<M: Module>(
    model: &M,
    objective: &Objective,
    losses: impl Fn(&M) -> Tensor<1>,
) -> Result<Option<Verified>, TrainError> {
    if !objective.needs_gradients() {
        // What can't be traced need not be.
        let faults = unmoved(model, || burn_faults(model, losses)).unwrap_or_default();
        return match faults.into_iter().next() {
            Some((parameter, fault)) => Err(TrainError::BurnFault { parameter, fault }),
            None => Ok(Some(Verified::default())),
        };
    }
    let verified = unmoved(model, || verify(model, losses))?;
    let unfinished = |warning: &Warning| matches!(warning, Warning::NotFinite { .. });
    Ok((!verified.warnings.iter().any(unfinished)).then_some(verified))
}
