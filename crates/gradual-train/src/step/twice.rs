//! The step of a draw whose gradients come from a second forward pass over every part.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{RunningStatistics, Tracer};

use super::decided::decide;
use super::examples::Examples;
use super::known::Known;
use super::pass::{Pass, added_up, joined};
use super::stepped::Stepped;
use crate::error::TrainError;
use crate::objective::Objective;

/// The step of a draw whose gradients come from a second forward pass, `again`, over every part.
pub(super) fn twice<M: Module>(
    model: &M,
    objective: &mut Objective,
    known: Known<'_>,
    first: &[Pass],
    again: &dyn Fn(usize, &M) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    let examples = Examples::of(first)?;
    let known = examples.known(known)?;
    let (mut mixed, mut half) = (false, false);
    let mut second = Vec::new();
    let losses = joined(first)?;
    let tracer = objective.tracer().clone();
    let stepped = objective.attempt(|objective| {
        let decided = decide(objective, known.as_known(), losses, None)?;
        let update = added_up(
            model,
            first,
            &decided.composed.coefficients,
            |at, pass, coefficients| {
                let pass = repeated(model, &tracer, pass, &|m| again(at, m))?;
                let update = tracer.restrict(model, pass.update(model, coefficients)?)?;
                mixed |= pass.is_mixed();
                half |= pass.is_half();
                second.push(pass.into_losses());
                Ok(update)
            },
        )?;
        let second = Some((joined(&second)?, half));
        let checked = decided.checked(model, update, None, second)?;
        Ok(checked.observed(objective))
    });
    examples.whole(stepped, mixed)
}

/// The pass once more, with what its gradients come from.
pub(super) fn repeated<M: Module>(
    model: &M,
    tracer: &Tracer,
    first: &Pass,
    losses: &dyn Fn(&M) -> Tensor<1>,
) -> Result<Pass, TrainError> {
    let absent = first.absent().to_vec();
    let pass = match absent.is_empty() {
        true => Pass::tracked(losses(model))?,
        false => {
            let before = RunningStatistics::of(model);
            match tracer.trace(model, losses) {
                Ok(traced) => Pass::traced(traced),
                Err(_) => {
                    before.put_back(model);
                    Pass::tracked(losses(model))?
                }
            }
        }
    };
    match pass.num_examples() == first.num_examples() {
        true => pass.without(absent, &mut || None),
        false => Err(TrainError::Task {
            what: "losses in the second pass over a part",
            expected: first.num_examples(),
            got: pass.num_examples(),
        }),
    }
}
