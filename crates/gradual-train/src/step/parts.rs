//! Draws in several parts.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{GradError, Tracer};

use super::pass::Pass;
use crate::error::TrainError;

/// A draw in several parts, traced one after another.
pub(super) fn trace_parts<M: Module, B>(
    model: &M,
    tracer: &Tracer,
    parts: &[B],
    losses: impl Fn(&M, &B) -> Tensor<1>,
) -> Result<Vec<Pass>, TrainError> {
    let traced =
        parts.iter().enumerate().map(
            |(at, part)| match tracer.trace(model, |m| losses(m, part)) {
                Ok(traced) => Ok(Pass::traced(traced)),
                Err(GradError::EmptyDraw) => Err(empty(at, parts)),
                Err(error) => Err(error.into()),
            },
        );
    traced.collect()
}

/// The losses of a draw in several parts, without a graph.
pub(super) fn plain_parts<M: Module, B>(
    model: &M,
    parts: &[B],
    losses: impl Fn(&M, &B) -> Tensor<1>,
) -> Result<Vec<Pass>, TrainError> {
    let untracked = model.clone().no_grad();
    let passes = parts.iter().enumerate().map(|(at, part)| {
        let losses = losses(&untracked, part);
        match losses.dims() {
            [0] => Err(empty(at, parts)),
            _ => Ok(Pass::plain(losses)),
        }
    });
    passes.collect()
}

fn empty<B>(part: usize, parts: &[B]) -> TrainError {
    TrainError::EmptyPart {
        part,
        parts: parts.len(),
    }
}
