//! One step: losses to groups to coefficients to update.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual_grad::host::read_together;
use gradual_grad::{ExampleGradients, GradError, Traced, trace};
use gradual_group::{Draw, Groups};
use gradual_loss::Scale;

use crate::finite::{all_finite, finite, host, sums};
use crate::{Objective, TrainError};

const COEFFICIENT: &str = "coefficient";

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
/// infinite, [`TrainError::Gradient`] naming a parameter whose gradient is, and whatever the trace,
/// the grouping and the composition refuse.
pub fn step<M: Module>(
    model: &M,
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    losses: impl FnOnce(&M) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    if objective.needs_gradients() {
        return with_gradients(model, objective, labels, &trace(model, losses)?);
    }
    let tracked = tracked(losses(model))?;
    let decided = decide(objective, labels, &tracked.clone().inner())?;
    let gradients = (tracked * decided.coefficients.clone()).sum().backward();
    let update = GradientsParams::from_grads(gradients, model);
    decided.update(model, update, None)
}

/// [`step()`] on a draw in several parts, each a forward and a backward pass of its own, so that only
/// one part's activations are held at a time: gradient accumulation.
///
/// The update is that of the draw as a whole, to rounding: groups are found and composed over all
/// parts, from the Gram matrix across them where one is needed. Labels are those of all examples, part
/// after part.
///
/// Where the objective needs per-example gradients, each part is traced once and its factors are kept.
/// Where it does not, the coefficients have to be known before any backward pass: one more forward
/// pass, without a graph, which must give the same losses (a model with dropout does not).
///
/// # Errors
///
/// Those of [`step()`]; [`GradError::EmptyDraw`] without parts.
pub fn step_in_parts<M: Module, B>(
    model: &M,
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    parts: &[B],
    losses: impl Fn(&M, &B) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    if let [part] = parts {
        return step(model, objective, labels, |m| losses(m, part));
    }
    if objective.needs_gradients() {
        let traced = trace_parts(model, parts, losses)?;
        return with_gradients(model, objective, labels, &traced);
    }
    let untracked = model.clone().no_grad();
    let plain: Vec<_> = parts
        .iter()
        .map(|part| losses(&untracked, part).inner())
        .collect();
    if plain.is_empty() {
        return Err(GradError::EmptyDraw.into());
    }
    let sizes: Vec<usize> = plain.iter().map(|losses| losses.dims()[0]).collect();
    let decided = decide(objective, labels, &Tensor::cat(plain, 0))?;
    let mut accumulator = burn::optim::GradientsAccumulator::new();
    let mut from = 0;
    for (part, size) in parts.iter().zip(sizes) {
        let coefficients = decided.coefficients.clone().narrow(0, from, size);
        let gradients = (tracked(losses(model, part))? * coefficients)
            .sum()
            .backward();
        accumulator.accumulate(model, GradientsParams::from_grads(gradients, model));
        from += size;
    }
    decided.update(model, accumulator.grads(), None)
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
    shown(objective, &trace(model, losses)?)
}

/// Shows standing examples whose gradients were taken already.
pub(crate) fn shown(objective: &mut Objective, traced: &Traced) -> Result<(), TrainError> {
    finite("loss", &traced.losses)?;
    objective.grouping.stand(&Draw::from(traced))?;
    Ok(())
}

/// The losses and gradients of a draw in several parts, one after another.
pub(crate) fn trace_parts<M: Module, B>(
    model: &M,
    parts: &[B],
    losses: impl Fn(&M, &B) -> Tensor<1>,
) -> Result<Traced, TrainError> {
    let traced = parts
        .iter()
        .map(|part| trace(model, |m| losses(m, part)))
        .collect::<Result<Vec<Traced>, _>>()?;
    let (losses, gradients): (Vec<_>, Vec<_>) = traced
        .into_iter()
        .map(|traced| (traced.losses, traced.gradients))
        .unzip();
    // Refuses an empty list, which could not be put together below.
    let gradients = ExampleGradients::concat(&gradients)?;
    Ok(Traced {
        losses: Tensor::cat(losses, 0),
        gradients,
    })
}

/// Everything of a step but its update, still on the device.
struct Decided {
    losses: Tensor<1>,
    groups: Groups,
    coefficients: Tensor<1>,
}

impl Decided {
    /// The step with its update, all of whose numbers are finite: they are read together, the one time that a step
    /// waits for the device of its own accord.
    fn update<M: Module>(
        self,
        model: &M,
        update: GradientsParams,
        traced: Option<&Traced>,
    ) -> Result<Stepped, TrainError> {
        let (sums, paths) = sums(&update, model, &self.losses.device());
        let unread = self.groups.unread();
        let unread = unread.unwrap_or_else(|| Tensor::zeros([0], &self.losses.device()));
        let all = [self.losses, unread, self.coefficients, sums];
        let [losses, unread, coefficients, sums] =
            read_together(all).map_err(|problem| TrainError::Read {
                operation: "step",
                problem,
            })?;
        // In the order in which one comes of the other: whatever is no number makes all that follow none.
        let losses = all_finite("loss", losses)?;
        let groups = self.groups.settled(&unread)?;
        let norms = || traced.map(|traced| host("gradient", &traced.gradients.norms()));
        let coefficients = match all_finite(COEFFICIENT, coefficients) {
            Ok(coefficients) => coefficients,
            Err(error) => {
                if let Some(norms) = norms().transpose()? {
                    all_finite("gradient", norms)?;
                }
                return Err(error);
            }
        };
        if let Some(at) = sums.iter().position(|sum: &f32| !sum.is_finite()) {
            let norms = norms().transpose()?.unwrap_or_default();
            return Err(TrainError::Gradient {
                parameter: paths.into_iter().nth(at).unwrap_or_default(),
                example: norms.iter().position(|norm| !norm.is_finite()),
            });
        }
        Ok(Stepped {
            update,
            losses,
            coefficients,
            groups,
        })
    }
}

/// A step that has gradients.
fn with_gradients<M: Module>(
    model: &M,
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    traced: &Traced,
) -> Result<Stepped, TrainError> {
    let gram = objective.needs_gram().then(|| traced.gradients.gram());
    let decided = decide_on(objective, labels, Draw::from(traced), gram.as_ref())?;
    let update = traced.gradients.combine(&decided.coefficients)?;
    decided.update(model, update, Some(traced))
}

/// Groups and coefficients of a draw without gradients.
fn decide(
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    losses: &Tensor<1>,
) -> Result<Decided, TrainError> {
    decide_on(objective, labels, Draw::new(losses), None)
}

fn decide_on(
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    draw: Draw<'_>,
    gram: Option<&Tensor<2>>,
) -> Result<Decided, TrainError> {
    let losses = draw.losses();
    let draw = match labels {
        Some(labels) => draw.with_labels(labels),
        None => draw,
    };
    let mut compose = || -> Result<Decided, TrainError> {
        let groups = objective.grouping.group_ahead(&draw)?;
        let scale = objective.scale.unwrap_or_else(|| Scale::usual(&groups));
        scale.check(&groups)?;
        let composed = objective.rule.compose(losses, &groups, gram)?;
        let coefficients = scale.apply_with_gram(composed.coefficients, gram)?;
        Ok(Decided {
            losses: losses.clone().inner(),
            groups,
            coefficients,
        })
    };
    compose().or_else(|error| {
        // Losses that are no numbers make groups that are none; say what came first.
        finite("loss", losses)?;
        Err(error)
    })
}

/// Losses that a backward pass can start from.
fn tracked(losses: Tensor<1>) -> Result<Tensor<1>, TrainError> {
    match losses.is_tracked() {
        true => Ok(losses),
        false => Err(TrainError::Untracked),
    }
}
