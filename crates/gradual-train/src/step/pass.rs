//! Forward passes of a draw: its losses, and what their gradients come from.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::Tensor;
use gradual_grad::{ExampleGradients, GradError, Traced};

use super::chosen::chosen;
use super::finite::{host, is_half, wide};
use crate::error::TrainError;
use crate::objective::Objective;

/// A forward pass over a part of a draw.
pub(crate) struct Pass {
    /// Losses of the examples that have one, `[present]`, without a graph and in single precision at least.
    losses: Tensor<1>,
    source: Source,
    /// Number of examples, those without a loss included.
    examples: usize,
    /// Those without a loss, with what is in its place.
    absent: Vec<(usize, f32)>,
    /// Whether the losses came in half precision.
    half: bool,
}

/// What the gradients of the losses come from.
enum Source {
    /// The gradient of every example.
    Factors(ExampleGradients),
    /// The losses with their graph, `[present]`.
    Graph(Tensor<1>),
    /// Another pass.
    Later,
}

impl Pass {
    fn new(losses: Tensor<1>, source: Source) -> Self {
        let [examples] = losses.dims();
        Self {
            half: is_half(losses.dtype()),
            losses: wide(losses.inner()),
            source,
            examples,
            absent: Vec::new(),
        }
    }

    /// A pass as `objective` needs it: traced, or with Burn's own graph.
    pub(crate) fn of<M: Module>(
        model: &M,
        objective: &Objective,
        losses: impl FnOnce(&M) -> Tensor<1>,
    ) -> Result<Self, TrainError> {
        match objective.needs_gradients() {
            true => Ok(Self::traced(objective.tracer().trace(model, losses)?)),
            false => Self::tracked(losses(model)),
        }
    }

    pub(crate) fn traced(traced: Traced) -> Self {
        Self::new(traced.losses, Source::Factors(traced.gradients))
    }

    /// Losses that a backward pass can start from.
    pub(crate) fn tracked(losses: Tensor<1>) -> Result<Self, TrainError> {
        match (losses.dims(), losses.is_tracked()) {
            ([0], _) => Err(GradError::EmptyDraw.into()),
            (_, true) => Ok(Self::new(losses.clone(), Source::Graph(losses))),
            (_, false) => Err(TrainError::Untracked),
        }
    }

    /// Losses alone; the gradients will come from a pass of their own.
    pub(crate) fn plain(losses: Tensor<1>) -> Self {
        Self::new(losses, Source::Later)
    }

    /// Losses of the examples that have one, `[present]`.
    pub(crate) fn losses(&self) -> &Tensor<1> {
        &self.losses
    }

    /// Number of examples, those without a loss included.
    pub(crate) fn num_examples(&self) -> usize {
        self.examples
    }

    pub(crate) fn absent(&self) -> &[(usize, f32)] {
        &self.absent
    }

    /// The examples that have a loss.
    pub(crate) fn present(&self) -> Vec<usize> {
        let is_absent = |at: &usize| self.absent.iter().any(|(absent, _)| absent == at);
        (0..self.examples).filter(|at| !is_absent(at)).collect()
    }

    /// The gradients of the examples that have a loss, where they were taken one by one.
    pub(crate) fn gradients(&self) -> Option<&ExampleGradients> {
        match &self.source {
            Source::Factors(gradients) => Some(gradients),
            _ => None,
        }
    }

    /// Whether these are losses alone, whose gradients come from another pass.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(self.source, Source::Later)
    }

    /// Whether the losses came in half precision.
    pub(crate) fn is_half(&self) -> bool {
        self.half
    }

    /// The same without its gradients and graph.
    pub(crate) fn into_losses(self) -> Self {
        Self {
            source: Source::Later,
            ..self
        }
    }

    /// Whether gradients of examples without a loss may be mixed into those of the others.
    pub(crate) fn is_mixed(&self) -> bool {
        matches!(self.source, Source::Graph(_)) && !self.absent.is_empty()
    }

    /// The same without the examples `absent`, whose gradients must not even be multiplied by zero: NaN stays NaN.
    /// Where the gradients are in one graph, they come from a trace if there is one, `apart`.
    pub(crate) fn without(
        self,
        absent: Vec<(usize, f32)>,
        apart: &mut dyn FnMut() -> Option<Traced>,
    ) -> Result<Self, TrainError> {
        if absent.is_empty() {
            return Ok(self);
        }
        let all = Self { absent, ..self };
        let kept = all.present();
        if kept.is_empty() {
            return Ok(Self {
                losses: Tensor::zeros([0], (&all.losses.device(), all.losses.dtype())),
                source: Source::Later,
                ..all
            });
        }
        let (losses, source) = match all.source {
            Source::Factors(gradients) => (all.losses, Source::Factors(gradients.choose(&kept)?)),
            Source::Later => (all.losses, Source::Later),
            Source::Graph(graph) => match apart() {
                Some(traced) if traced.gradients.num_examples() == all.examples => {
                    let chosen = traced.gradients.choose(&kept)?;
                    (wide(traced.losses), Source::Factors(chosen))
                }
                _ => (all.losses, Source::Graph(chosen(graph, &kept))),
            },
        };
        Ok(Self {
            losses: chosen(losses, &kept),
            source,
            ..all
        })
    }

    /// Σ_j c_j ∇ℓ_j, from the coefficients `[present]`.
    pub(crate) fn update<M: Module>(
        &self,
        model: &M,
        coefficients: Tensor<1>,
    ) -> Result<GradientsParams, TrainError> {
        match &self.source {
            Source::Factors(gradients) => Ok(gradients.combine(&coefficients)?),
            Source::Graph(losses) => {
                // In the precision of the coefficients, whose sum half precision might not hold.
                let losses = losses.clone().cast(coefficients.dtype());
                let gradients = (losses * coefficients).sum().backward();
                Ok(GradientsParams::from_grads(gradients, model))
            }
            Source::Later => Ok(GradientsParams::new()),
        }
    }
}

/// The examples of each pass whose loss is NaN or infinite. Waits for the device.
pub(crate) fn without_a_loss(passes: &[Pass]) -> Result<Vec<Vec<(usize, f32)>>, TrainError> {
    let losses = host("loss", &joined(passes)?)?;
    let mut rest = losses.as_slice();
    let absent = passes.iter().map(|pass| {
        let (own, others) = rest.split_at(pass.examples);
        rest = others;
        let broken = own.iter().enumerate().filter(|(_, loss)| !loss.is_finite());
        broken.map(|(at, &loss)| (at, loss)).collect()
    });
    Ok(absent.collect())
}

/// The losses of all passes, one after another.
///
/// # Errors
///
/// [`GradError::EmptyDraw`](gradual_grad::GradError::EmptyDraw) without a pass.
pub(crate) fn joined(passes: &[Pass]) -> Result<Tensor<1>, TrainError> {
    let losses = passes.iter().map(|pass| pass.losses.clone());
    let mut filled: Vec<_> = losses.filter(|losses| losses.dims()[0] > 0).collect();
    match (filled.len(), passes.first()) {
        (_, None) => Err(GradError::EmptyDraw.into()),
        (0, Some(pass)) => Ok(pass.losses.clone()),
        (1, _) => Ok(filled.remove(0)),
        _ => Ok(Tensor::cat(filled, 0)),
    }
}

/// The sum of the updates of several passes, each with its own of the `coefficients` `[n]`.
pub(crate) fn added_up<M: Module>(
    model: &M,
    passes: &[Pass],
    coefficients: &Tensor<1>,
    mut update: impl FnMut(usize, &Pass, Tensor<1>) -> Result<GradientsParams, TrainError>,
) -> Result<GradientsParams, TrainError> {
    if let [pass] = passes {
        return update(0, pass, coefficients.clone());
    }
    let mut sum = GradientsAccumulator::new();
    let mut from = 0;
    for (at, pass) in passes.iter().enumerate() {
        let [present] = pass.losses().dims();
        if present > 0 {
            let own = coefficients.clone().narrow(0, from, present);
            sum.accumulate(model, update(at, pass, own)?);
        }
        from += present;
    }
    Ok(sum.grads())
}
