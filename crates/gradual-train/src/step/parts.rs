//! Draws in several parts.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{ExampleGradients, GradError, RunningStatistics, Traced, Tracer};

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

/// Several parts, traced one after another and put together; running statistics stay as they were.
pub(crate) fn trace_together<'p, M: Module, B: 'p>(
    model: &M,
    tracer: &Tracer,
    parts: impl IntoIterator<Item = &'p B>,
    mut losses: impl FnMut(&M, &B) -> Tensor<1>,
) -> Result<Traced, TrainError> {
    let traced = RunningStatistics::kept(model, || {
        let each = parts.into_iter();
        let each = each.map(|part| tracer.trace(model, |m| losses(m, part)));
        each.collect::<Result<Vec<Traced>, _>>()
    })?;
    let traced = traced.into_iter();
    let (losses, gradients): (Vec<_>, Vec<_>) =
        traced.map(|one| (one.losses, one.gradients)).unzip();
    // Refuses an empty list, whose losses could not be put together.
    let gradients = ExampleGradients::concat(&gradients)?;
    Ok(Traced {
        losses: Tensor::cat(losses, 0),
        gradients,
    })
}

/// The losses of several parts together, without a graph; running statistics stay as they were.
pub(crate) fn losses_together<M: Module, B>(
    model: &M,
    parts: &[B],
    losses: impl Fn(&M, &B) -> Tensor<1>,
) -> Result<Tensor<1>, TrainError> {
    let passes = RunningStatistics::kept(model, || plain_parts(model, parts, losses))?;
    match passes.as_slice() {
        [] => Err(GradError::EmptyDraw.into()),
        passes => {
            let each = passes.iter().map(|pass| pass.losses().clone());
            Ok(Tensor::cat(each.collect(), 0))
        }
    }
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

pub(super) fn empty<B>(part: usize, parts: &[B]) -> TrainError {
    TrainError::EmptyPart {
        part,
        parts: parts.len(),
    }
}
