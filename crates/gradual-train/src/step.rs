//! One step: losses to groups to coefficients to update.

mod chosen;
pub(crate) mod decided;
mod examples;
pub(crate) mod finish;
pub(crate) mod finite;
pub(crate) mod known;
pub(crate) mod over_ranks;
pub(crate) mod parts;
pub(crate) mod pass;
mod range;
pub(crate) mod standing;
pub(crate) mod stepped;
pub(crate) mod stepper;
pub(crate) mod trainable;
mod twice;
pub(crate) mod verified;

use burn::module::Module;
use burn::tensor::Tensor;

use crate::error::TrainError;
use crate::label_set::LabelSet;
use crate::objective::Objective;
use finish::finish;
use pass::Pass;
use stepped::Stepped;
use stepper::Stepper;
use trainable::trainable;

/// The update of `model` on one draw under `objective`: one forward and one backward pass.
///
/// `losses` computes one loss per example, `[n]`; `labels` are the known groups, one
/// per example, for groupings that use them. Where the objective needs per-example gradients, the
/// model's layers must be tapped; otherwise any Burn model will do, and the step costs what an
/// ordinary step costs. Hand `update` to an optimizer. Model and losses may be in any float precision.
///
/// # Errors
///
/// [`TrainError::NotFinite`] naming the first example whose loss or coefficient is NaN or
/// infinite, [`TrainError::Gradient`] naming a parameter whose gradient is,
/// [`TrainError::NothingTrained`] for a model without a parameter to train, and whatever the trace,
/// the grouping and the composition refuse.
pub fn step<M: Module>(
    model: &M,
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    losses: impl FnOnce(&M) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    trainable(model)?;
    let pass = Pass::of(model, objective, losses)?;
    finish(model, objective, LabelSet::from(labels).into(), vec![pass])
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
/// pass, without a graph, which must give the same losses. It leaves running statistics (of a batch
/// norm) as they were. The losses of the two passes may differ by 1e-3 of an example's loss or of the
/// mean, whichever is larger, as they do on devices that sum in another order each time; by 5e-2 where
/// losses or gradients are in half precision.
///
/// # Errors
///
/// Those of [`step()`]; [`GradError::EmptyDraw`](gradual_grad::GradError::EmptyDraw) without parts;
/// [`TrainError::EmptyPart`] naming a part without examples, where there are several;
/// [`TrainError::Changed`] when the second pass gives other losses than the first, as with dropout.
pub fn step_in_parts<M: Module, B>(
    model: &M,
    objective: &mut Objective,
    labels: Option<&[Option<usize>]>,
    parts: &[B],
    losses: impl Fn(&M, &B) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    Stepper::default().step_in_parts(model, objective, labels.into(), parts, losses)
}

/// Shows the objective's grouping its standing examples under the current model, when it
/// [wants](Objective::wants) them: one forward and one backward pass over these, which leaves running
/// statistics as they were.
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
    Stepper::default().stand(model, objective, losses)
}
