//! The grouped step inside another training loop.

mod moved;
mod shared;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::Module;
use burn::tensor::Tensor;

use crate::error::TrainError;
use crate::label_set::LabelSet;
use crate::objective::Objective;
use crate::step::stepped::Stepped;
use shared::{Shared, Source};

/// A grouped step for loops that hand out the model by reference, such as Burn's `Learner`.
///
/// Put one into the model (`#[module(skip)]`) and call [`step`](Self::step) in its `TrainStep`; the
/// update goes into the `grads` of the `TrainOutput`. Everything else of the `Learner` stays: dashboard,
/// metrics, checkpoints, early stopping. Clones share the objective and what it has learned, so that the
/// copies of the model that a `Learner` makes go on with it. A `Learner` does not keep that state in its
/// checkpoints; [`with_objective`](Self::with_objective) gives access for loops that do.
///
/// # Gradient accumulation
///
/// A `Learner` with `grads_accumulation(k)` adds up the gradients of k batches, and coefficients of each
/// batch by itself would not be those of the k together. So tell the grouped step of it:
/// [`with_accumulation(k)`](Self::with_accumulation). It then holds what k batches need, answers the
/// first k − 1 calls with an empty update and the k-th with that of all of them as one draw; and
/// [`with_epoch`](Self::with_epoch) where k does not divide an epoch. A loop whose steps do not go with the
/// calls (an accumulation that the grouped step was not told of, several devices) is an error: the
/// model that a draw begins with must be another one than that of the draw before, and all calls of a draw
/// must see the same.
///
/// ```
/// # use burn::module::Module;
/// # use burn::nn::{Linear, LinearConfig};
/// # use burn::tensor::{Device, Tensor};
/// use gradual_grad::Tap;
/// use gradual_group::SingularVectors;
/// use gradual_loss::SumOfSquares;
/// use gradual_train::{GroupedStep, Objective};
///
/// #[derive(Module, Debug)]
/// struct Model {
///     layer: Linear,
///     #[module(skip)]
///     grouped: GroupedStep<Tensor<2>>,
/// }
///
/// # let device = Device::flex().autodiff();
/// let objective = Objective::new(SingularVectors::squared(), SumOfSquares);
/// let model = Model {
///     layer: LinearConfig::new(2, 1).init(&device),
///     grouped: GroupedStep::new(objective),
/// };
/// // In `TrainStep::step(&self, batch)`:
/// let batch = Tensor::from_floats([[1.0, 0.0], [0.0, 1.0]], &device);
/// let stepped = model.grouped.step(&model, None, &batch, |m, batch| {
///     m.layer.tap(batch.clone()).powi_scalar(2).reshape([2])
/// })?;
/// assert_eq!(stepped.losses.len(), 2);
/// # Ok::<(), gradual_train::TrainError>(())
/// ```
pub struct GroupedStep<B> {
    shared: Arc<Mutex<Shared<B>>>,
}

impl<B> Clone for GroupedStep<B> {
    fn clone(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
        }
    }
}

impl<B> fmt::Debug for GroupedStep<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupedStep").finish_non_exhaustive()
    }
}

impl<B> GroupedStep<B> {
    /// Steps under `objective`.
    pub fn new(objective: Objective) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared::new(objective))),
        }
    }

    /// The standing examples, for groupings that want some (landmarks), once and for all. They are shown
    /// to it under the current model whenever it wants them. A grouping that wants some of them
    /// [replaced](gradual_group::Standing::Replace) by fresh ones needs
    /// [`with_standing_from`](Self::with_standing_from).
    #[must_use]
    pub fn with_standing(self, examples: B) -> Self {
        self.with(|shared| shared.source = Source::Fixed(examples));
        self
    }

    /// Draws standing examples for groupings that want some: a given number from the training distribution, each time
    /// that fresh ones are wanted. They are kept as long as they stand.
    #[must_use]
    pub fn with_standing_from(self, draw: impl FnMut(usize) -> B + Send + 'static) -> Self {
        self.with(|shared| shared.source = Source::Drawn(Box::new(draw)));
        self
    }

    /// Makes one draw of `calls` batches, as a `Learner` with `grads_accumulation(calls)` does. Of 0 the first step is
    /// an error.
    ///
    /// Of a held batch its graph is kept, or its factored gradients where the objective needs these: the
    /// coefficients are known with the last batch only, so the activations of the whole draw are in memory, as they
    /// are without accumulation. A batch that is held costs a wait for the device, for its losses.
    #[must_use]
    pub fn with_accumulation(self, calls: usize) -> Self {
        self.with(|shared| shared.calls = calls);
        self
    }

    /// The number of batches of an epoch. Where [`with_accumulation`](Self::with_accumulation) does not divide it, the
    /// last draw of an epoch has fewer batches: a `Learner` steps at the end of an epoch with what it has. Of 0 the
    /// first step is an error.
    #[must_use]
    pub fn with_epoch(self, batches: usize) -> Self {
        self.with(|shared| shared.epoch = Some(batches));
        self
    }

    /// Leaves out examples without a loss: see [`Stepper::leaving_out`](crate::Stepper::leaving_out).
    #[must_use]
    pub fn leaving_out(self) -> Self {
        self.with(|shared| shared.stepper = shared.stepper.leaving_out());
        self
    }

    /// For a loop that does not apply every update, or steps several copies of a model: the model need not have moved
    /// since the last draw. What the loop does with its gradients is then not checked.
    #[must_use]
    pub fn with_still_model(self) -> Self {
        self.with(|shared| shared.checks = false);
        self
    }

    /// Without the [check](gradual_grad::verify()) of the gradients that precedes the first step, where the objective
    /// takes per-example gradients. What it finds besides errors is not told; call [`verify`](gradual_grad::verify())
    /// to see it. Without it, examples that are coupled (batch norm, in-batch losses) go unnoticed.
    #[must_use]
    pub fn unverified(self) -> Self {
        self.with(|shared| (shared.verifies, shared.unverified) = (false, false));
        self
    }

    /// Forgets the batches that are held and the model that was seen last, as at the start of another training.
    pub fn restart(&self) {
        self.with(Shared::restart);
    }

    /// One step of `model` on `batch`: see [`step()`](crate::step()).
    ///
    /// With [accumulation](Self::with_accumulation), a step of a whole draw comes with its last batch: its losses,
    /// coefficients and groups are those of all batches. Before that, the update is empty, coefficients are zero and
    /// no example is in a group.
    ///
    /// # Errors
    ///
    /// Those of [`step()`](crate::step()) and [`stand()`](crate::stand()); [`TrainError::Accumulation`] when
    /// the model has not moved since the last draw, or has moved within one;
    /// [`TrainError::Standing`] when the grouping wants standing examples that it can't be given. Batches that were
    /// held are let go.
    pub fn step<M: Module>(
        &self,
        model: &M,
        labels: Option<&[Option<usize>]>,
        batch: &B,
        losses: impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        self.step_labelled(model, labels.into(), batch, losses)
    }

    /// The same on examples that are named in several ways at once.
    ///
    /// # Errors
    ///
    /// Those of [`step`](Self::step).
    pub fn step_labelled<M: Module>(
        &self,
        model: &M,
        labels: LabelSet<'_>,
        batch: &B,
        losses: impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        self.with(|shared| {
            let stepped = shared.step(model, labels, batch, losses);
            if stepped.is_err() {
                shared.let_go();
            }
            stepped
        })
    }

    /// Looks at the objective, or changes it: its state can be written down and restored.
    pub fn with_objective<O>(&self, look: impl FnOnce(&mut Objective) -> O) -> O {
        self.with(|shared| look(&mut shared.objective))
    }

    fn with<O>(&self, act: impl FnOnce(&mut Shared<B>) -> O) -> O {
        // A step that panicked may have left the objective between two draws, which it survives.
        act(&mut self.shared.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
