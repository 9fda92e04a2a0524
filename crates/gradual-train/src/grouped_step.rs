//! The grouped step inside somebody else's loop.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::Module;
use burn::tensor::Tensor;

use crate::{Objective, Stepped, TrainError, stand, step};

/// A grouped step for loops that hand out the model by reference, such as Burn's `Learner`.
///
/// Put one into the model (`#[module(skip)]`) and call [`step`](Self::step) in its `TrainStep`; the
/// update goes into the `grads` of the `TrainOutput`. Everything else of the `Learner` stays: dashboard,
/// metrics, checkpoints, early stopping. Clones share the objective and what it has learned, so that the
/// copies of the model that a `Learner` makes go on with it. A `Learner` does not keep that state in its
/// checkpoints; [`with_objective`](Self::with_objective) gives access for loops that do.
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

struct Shared<B> {
    objective: Objective,
    standing: Option<B>,
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
            shared: Arc::new(Mutex::new(Shared {
                objective,
                standing: None,
            })),
        }
    }

    /// The standing examples, for groupings that want some (landmarks). They are shown to it under the
    /// current model whenever it wants them.
    #[must_use]
    pub fn with_standing(self, examples: B) -> Self {
        self.with(|shared| shared.standing = Some(examples));
        self
    }

    /// One step of `model` on `batch`: see [`step()`](crate::step()).
    ///
    /// # Errors
    ///
    /// Those of [`step()`](crate::step()) and [`stand()`](crate::stand()).
    pub fn step<M: Module>(
        &self,
        model: &M,
        labels: Option<&[Option<usize>]>,
        batch: &B,
        mut losses: impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        self.with(
            |Shared {
                 objective,
                 standing,
             }| {
                if let (Some(_), Some(examples)) = (objective.wants(), standing) {
                    stand(model, objective, |m| losses(m, examples))?;
                }
                step(model, objective, labels, |m| losses(m, batch))
            },
        )
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
