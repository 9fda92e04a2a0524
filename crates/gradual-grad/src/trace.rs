//! One forward and one backward pass that keep every example's gradient, in factors.

use burn::module::Module;
use burn::tensor::Tensor;

use crate::GradError;
use crate::factor::Factor;
use crate::gradients::{ExampleGradients, ParameterGradients};
use crate::parameters::{Parameter, parameters};
use crate::tape::{Tape, with_tape};

/// What a trace yields: the losses of a draw, and their gradients.
#[derive(Debug, Clone)]
pub struct Traced {
    /// Losses ℓ, `[n]`, without autodiff.
    pub losses: Tensor<1>,
    /// Gradients ∇ℓ_j of all trainable parameters, in factored form.
    pub gradients: ExampleGradients,
}

/// Runs `losses` on `model` once, forward and backward, and keeps every example's gradient.
///
/// `losses` is given a copy of the model whose parameters are untracked, so the backward pass
/// computes output-gradients only. It must return one loss per example, `[n]`, and must not let
/// one example's loss depend on another example's input.
///
/// # Errors
///
/// [`GradError`] when a trainable parameter was not seen by a tap, when a tapped input does not
/// have one row per loss, when the draw is empty or when traces are nested.
pub fn trace<M, F>(model: &M, losses: F) -> Result<Traced, GradError>
where
    M: Module,
    F: FnOnce(&M) -> Tensor<1>,
{
    let known = parameters(model);
    let untracked = model.clone().no_grad();
    let (losses, tape) = with_tape(|| losses(&untracked))?;
    check(&known, &tape, &losses)?;

    let mut backward = losses.clone().sum().backward();
    let mut gradients: Vec<ParameterGradients> = known
        .iter()
        .filter(|parameter| parameter.trainable)
        .map(|parameter| ParameterGradients::new(parameter.clone()))
        .collect();
    let position = |id| {
        let mut trainable = known.iter().filter(|parameter| parameter.trainable);
        trainable.position(|parameter| parameter.id == id)
    };
    for seen in tape.uses {
        let [n, t, _] = seen.inputs.dims();
        let [_, e] = seen.leaf.dims();
        // No gradient arrives at a layer whose output is not used: it contributes nothing.
        let Some(deltas) = seen.leaf.grad_remove(&mut backward) else {
            continue;
        };
        let deltas = deltas.reshape([n, t, e]);
        let weight = position(seen.weight);
        if let Some(bias) = seen.bias.and_then(position) {
            gradients[bias].add(Factor::sum(deltas.clone()));
            gradients[bias].beside(weight);
        }
        if let Some(weight) = weight {
            gradients[weight].add(Factor::outer(seen.inputs, deltas));
        }
    }

    let losses = losses.inner();
    Ok(Traced {
        gradients: ExampleGradients::new(&losses, gradients),
        losses,
    })
}

/// Finds what would make the backward pass panic, or its result wrong.
fn check(known: &[Parameter], tape: &Tape, losses: &Tensor<1>) -> Result<(), GradError> {
    let path = |id| {
        let parameter = known.iter().find(|parameter| parameter.id == id);
        parameter.map(|parameter| parameter.path.clone())
    };
    let [n] = losses.dims();
    if n == 0 {
        return Err(GradError::EmptyDraw);
    }
    if let Some(refusal) = tape.refusals.first() {
        return Err(GradError::Input {
            path: path(refusal.parameter).ok_or(GradError::Foreign)?,
            problem: refusal.problem.clone(),
        });
    }
    for seen in &tape.uses {
        let path = path(seen.weight).ok_or(GradError::Foreign)?;
        let examples = seen.inputs.dims()[0];
        if examples != n {
            return Err(GradError::Examples {
                path,
                examples,
                losses: n,
            });
        }
    }
    let covered = |parameter: &Parameter| {
        let id = parameter.id;
        tape.uses
            .iter()
            .any(|seen| seen.weight == id || seen.bias == Some(id))
    };
    let paths: Vec<String> = known
        .iter()
        .filter(|parameter| parameter.trainable && !covered(parameter))
        .map(|parameter| parameter.path.clone())
        .collect();
    if !paths.is_empty() {
        return Err(GradError::Uncovered { paths });
    }
    if !losses.is_tracked() {
        return Err(GradError::Untracked);
    }
    Ok(())
}
