//! The step of a draw whose passes have been made.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual_grad::ExampleGradients;

use super::decided::decide;
use super::examples::Examples;
use super::known::Known;
use super::pass::{Pass, added_up, joined};
use super::range::{may_vanish, out_of_range};
use super::stepped::Stepped;
use crate::error::TrainError;
use crate::objective::Objective;

/// The step of a draw whose passes have been made.
pub(crate) fn finish<M: Module>(
    model: &M,
    objective: &mut Objective,
    known: Known<'_>,
    passes: Vec<Pass>,
) -> Result<Stepped, TrainError> {
    let examples = Examples::of(&passes)?;
    let known = examples.known(known)?;
    let losses = joined(&passes)?;
    let counted = passes.iter().filter(|pass| pass.losses().dims()[0] > 0);
    let traced: Option<Vec<ExampleGradients>> =
        counted.map(|pass| pass.gradients().cloned()).collect();
    let gradients = match traced.filter(|_| objective.needs_gradients()) {
        Some(mut each) if each.len() == 1 => each.pop(),
        Some(each) => Some(ExampleGradients::concat(&each)?),
        None => None,
    };
    let tracer = objective.tracer().clone();
    let update = |coefficients: &Tensor<1>| -> Result<GradientsParams, TrainError> {
        match &gradients {
            Some(gradients) => Ok(gradients.combine(coefficients)?),
            None => {
                let update = added_up(model, &passes, coefficients, |_, pass, coefficients| {
                    pass.update(model, coefficients)
                })?;
                Ok(tracer.restrict(model, update)?)
            }
        }
    };
    let mixed = passes.iter().any(Pass::is_mixed);
    // Tries the step, with similarities of the gradients `compared`. Whether it may be tried again comes with it.
    let mut attempt = |compared: Option<&ExampleGradients>, checks: bool| {
        let mut decides = true;
        let stepped = objective.attempt(|objective| {
            let decided = decide(objective, known.as_known(), losses.clone(), compared)?;
            decides = false;
            let update = update(&decided.composed.coefficients)?;
            let checked = decided.checked(model, update, gradients.as_ref(), None)?;
            if let Some(gradients) = compared.filter(|_| checks && objective.compares_gradients())
                && may_vanish(&checked, gradients.num_parameters())
                && let Some(error) = out_of_range(gradients)?
            {
                return Err(error);
            }
            Ok(checked.observed(objective))
        });
        // A grouping that refuses a draw has learned nothing of it. Its state may be on the device: only a step that
        // was refused asks for it.
        let repeats =
            stepped.is_err() && objective.is_scale_free() && (decides || objective.is_stateless());
        (stepped, repeats)
    };
    let stepped = match (attempt(gradients.as_ref(), true), &gradients) {
        ((Err(error), repeats), Some(gradients)) => {
            retried(error, gradients, repeats, |in_range| {
                attempt(Some(in_range), false).0
            })
        }
        ((stepped, _), _) => stepped,
    };
    examples.whole(stepped, mixed)
}

/// Tries a step that was refused once more on gradients [in range](ExampleGradients::in_range), where their squares are
/// out of it; where it may not be tried again, says that this is why.
fn retried(
    error: TrainError,
    gradients: &ExampleGradients,
    repeats: bool,
    again: impl FnOnce(&ExampleGradients) -> Result<Stepped, TrainError>,
) -> Result<Stepped, TrainError> {
    if matches!(error, TrainError::NotFinite { what: "loss", .. }) {
        return Err(error);
    }
    match (out_of_range(gradients)?, repeats) {
        (None, _) => Err(error),
        (Some(_), true) => again(&gradients.in_range().0),
        (Some(range), false) if error.is_not_finite() => Err(range),
        (Some(_), false) => Err(error),
    }
}
