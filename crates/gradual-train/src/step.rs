//! One step: losses to groups to coefficients to update.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual_grad::trace;
use gradual_group::{Draw, Groups};

use crate::{Objective, TrainError};

/// What one step yields.
#[derive(Debug)]
pub struct Stepped {
    /// The update Gᵀc, for an optimizer's `step`.
    pub update: GradientsParams,
    /// Losses ℓ of the draw.
    pub losses: Vec<f32>,
    /// Scaled coefficients c of the draw.
    pub coefficients: Vec<f32>,
    /// The groups of the draw.
    pub groups: Groups,
}

/// The update of `model` on one draw under `objective`: one forward and one backward pass.
///
/// `losses` computes one loss per example, `[n]`; `labels` are the groups that somebody named, one
/// per example, for groupings that use them. Where the objective needs per-example gradients, the
/// model's layers must be tapped; otherwise any Burn model will do, and the step costs what an
/// ordinary step costs. Hand `update` to an optimizer.
///
/// # Errors
///
/// [`TrainError::NotFinite`] naming the first example whose loss or coefficient is NaN or
/// infinite, and whatever the trace, the grouping and the composition refuse.
pub fn step<M: Module>(
    model: &M,
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    losses: impl FnOnce(&M) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    let labelled = |draw| match labels {
        Some(labels) => Draw::with_labels(draw, labels),
        None => draw,
    };
    let (with_gradients, with_gram) = (objective.needs_gradients(), objective.needs_gram());
    let Objective {
        grouping,
        rule,
        scale,
    } = objective;
    if with_gradients {
        let traced = trace(model, losses)?;
        let values = finite("loss", &traced.losses)?;
        let groups = grouping.group(&labelled(Draw::from(&traced)))?;
        let gram = with_gram.then(|| traced.gradients.gram());
        let composed = rule.compose(&traced.losses, &groups, gram.as_ref())?;
        let coefficients = scale.apply_with_gram(composed.coefficients, gram.as_ref())?;
        Ok(Stepped {
            losses: values,
            coefficients: finite("coefficient", &coefficients)?,
            update: traced.gradients.combine(&coefficients)?,
            groups,
        })
    } else {
        let tracked = losses(model);
        let plain = tracked.clone().inner();
        let values = finite("loss", &plain)?;
        let groups = grouping.group(&labelled(Draw::new(&plain)))?;
        let composed = rule.compose(&plain, &groups, None)?;
        let coefficients = scale.apply_with_gram(composed.coefficients, None)?;
        let weights = finite("coefficient", &coefficients)?;
        let gradients = (tracked * coefficients).sum().backward();
        Ok(Stepped {
            losses: values,
            coefficients: weights,
            update: GradientsParams::from_grads(gradients, model),
            groups,
        })
    }
}

/// Shows the objective's grouping its standing examples under the current model, when it
/// [wants](Objective::wants) them: one forward and one backward pass over these.
///
/// `losses` computes one loss per standing example, `[n]`, the same examples in the same order every
/// time.
///
/// # Errors
///
/// [`TrainError::NotFinite`] naming the first example whose loss is NaN or infinite, and whatever
/// the trace and the grouping refuse.
pub fn stand<M: Module>(
    model: &M,
    objective: &mut Objective,
    losses: impl FnOnce(&M) -> Tensor<1>,
) -> Result<(), TrainError> {
    let traced = trace(model, losses)?;
    finite("loss", &traced.losses)?;
    objective.grouping.stand(&Draw::from(&traced))?;
    Ok(())
}

/// The values of a vector, all finite.
fn finite(what: &'static str, vector: &Tensor<1>) -> Result<Vec<f32>, TrainError> {
    let values = host(what, vector)?;
    match values.iter().position(|value| !value.is_finite()) {
        Some(example) => Err(TrainError::NotFinite {
            what,
            example,
            value: values[example],
        }),
        None => Ok(values),
    }
}

fn host(operation: &'static str, vector: &Tensor<1>) -> Result<Vec<f32>, TrainError> {
    let data = vector.clone().into_data().convert::<f32>();
    data.try_to_vec().map_err(|problem| TrainError::Read {
        operation,
        problem: format!("{problem:?}"),
    })
}
