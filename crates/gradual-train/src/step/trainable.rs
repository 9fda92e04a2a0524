//! Models that can be trained.

use burn::module::Module;
use gradual_grad::{GradError, draw_parameters};

use crate::error::TrainError;

/// Draws the parameters of `model` that are still lazy, some of which are to be trained.
///
/// # Errors
///
/// [`TrainError::NothingTrained`] naming the parameters, when all are frozen or there are none;
/// [`TrainError::NoLeaf`] for one that a backward pass would leave without a gradient.
pub(crate) fn trainable<M: Module>(model: &M) -> Result<(), TrainError> {
    let drawn = draw_parameters(model).map_err(|error| match error {
        GradError::NoLeaf { path } => TrainError::NoLeaf { parameter: path },
        other => other.into(),
    })?;
    match drawn.trainable.is_empty() {
        true => Err(TrainError::NothingTrained {
            parameters: drawn.frozen,
        }),
        false => Ok(()),
    }
}
