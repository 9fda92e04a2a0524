//! The grouped step inside somebody else's loop.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual_group::{Average, Groups, Standing};

use crate::finite::finite;
use crate::label_set::Labelled;
use crate::moved::{Change, Seen};
use crate::parameters::trainable;
use crate::pass::Pass;
use crate::standing::{Kept, show};
use crate::step::finish;
use crate::verified::verified;
use crate::{LabelSet, Objective, Stepped, Stepper, TrainError};

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

struct Shared<B> {
    objective: Objective,
    stepper: Stepper,
    source: Source<B>,
    /// Standing examples that were drawn.
    kept: Kept<Arc<B>>,
    /// Calls that make a draw, and those of an epoch.
    calls: usize,
    epoch: Option<usize>,
    /// Calls since the epoch began.
    called: usize,
    held: Vec<Pass>,
    labels: Labelled,
    /// Whether the model has to move between two draws.
    checks: bool,
    seen: Option<Seen>,
    /// Whether the gradients are to be checked, and still have to be.
    verifies: bool,
    unverified: bool,
}

/// Where standing examples come from.
enum Source<B> {
    None,
    Fixed(B),
    Drawn(Box<dyn FnMut(usize) -> B + Send>),
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
                stepper: Stepper::default(),
                source: Source::None,
                kept: Kept::default(),
                calls: 1,
                epoch: None,
                called: 0,
                held: Vec::new(),
                labels: Labelled::default(),
                checks: true,
                seen: None,
                verifies: true,
                unverified: true,
            })),
        }
    }

    /// The standing examples, for groupings that want some (landmarks), once and for all. They are shown
    /// to it under the current model whenever it wants them. A grouping that wants some of them
    /// [replaced](Standing::Replace) by fresh ones needs
    /// [`with_standing_from`](Self::with_standing_from).
    #[must_use]
    pub fn with_standing(self, examples: B) -> Self {
        self.with(|shared| shared.source = Source::Fixed(examples));
        self
    }

    /// Draws standing examples for groupings that want some: so many of the training distribution, each time that
    /// fresh ones are wanted. They are kept as long as they stand.
    #[must_use]
    pub fn with_standing_from(self, draw: impl FnMut(usize) -> B + Send + 'static) -> Self {
        self.with(|shared| shared.source = Source::Drawn(Box::new(draw)));
        self
    }

    /// Makes one draw of `calls` batches, as a `Learner` with `grads_accumulation(calls)` does (0 counts as 1).
    ///
    /// Of a held batch its graph is kept, or its factored gradients where the objective needs these: the
    /// coefficients are known with the last batch only, so the activations of the whole draw are in memory, as they
    /// are without accumulation. A batch that is held costs a wait for the device, for its losses.
    #[must_use]
    pub fn with_accumulation(self, calls: usize) -> Self {
        self.with(|shared| shared.calls = calls.max(1));
        self
    }

    /// The number of batches of an epoch. Where [`with_accumulation`](Self::with_accumulation) does not divide it, the
    /// last draw of an epoch has fewer batches: a `Learner` steps at the end of an epoch with what it has.
    #[must_use]
    pub fn with_epoch(self, batches: usize) -> Self {
        self.with(|shared| shared.epoch = Some(batches.max(1)));
        self
    }

    /// Leaves out examples without a loss: see [`Stepper::leaving_out`].
    #[must_use]
    pub fn leaving_out(self) -> Self {
        self.with(|shared| shared.stepper = shared.stepper.leaving_out());
        self
    }

    /// For a loop that does not apply every update, or steps several copies of a model: the model need not have moved
    /// since the last draw. What a loop does with its gradients is then its own affair.
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
                shared.held.clear();
                shared.labels = Labelled::default();
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

impl<B> Shared<B> {
    fn step<M: Module>(
        &mut self,
        model: &M,
        labels: LabelSet<'_>,
        batch: &B,
        mut losses: impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        trainable(model)?;
        self.check(model)?;
        if self.unverified {
            let losses = RefCell::new(&mut losses);
            let losses = |m: &M| losses.borrow_mut()(m, batch);
            let left_out = self.stepper.leaves_out();
            let verified = verified(model, &self.objective, left_out, losses)?;
            self.unverified = verified.is_none();
        }
        self.called += 1;
        let ends = self.epoch.is_some_and(|batches| self.called >= batches);
        if ends {
            self.called = 0;
        }
        let whole = ends || self.held.len() + 1 >= self.calls;
        if whole {
            self.show_standing(model, &mut losses)?;
        }
        let pass = Pass::of(model, &self.objective, |m| losses(m, batch))?;
        let again = |_: usize, m: &M| losses(m, batch);
        let pass = self
            .stepper
            .leave_out(model, &self.objective, vec![pass], again)?;
        let first = self.held.is_empty();
        self.hold(pass, labels);
        if !whole {
            if first {
                self.seen = Seen::of(model, None);
            }
            return self.waiting();
        }
        let passes = std::mem::take(&mut self.held);
        let labels = std::mem::take(&mut self.labels);
        let stepped = finish(model, &mut self.objective, labels.as_set(), passes)?;
        self.seen = Seen::of(model, Some(&stepped.update));
        Ok(stepped)
    }

    fn restart(&mut self) {
        self.held.clear();
        self.labels = Labelled::default();
        self.seen = None;
        self.called = 0;
        self.unverified = self.verifies;
    }

    /// Whether the model is the one that this call should see.
    fn check<M: Module>(&mut self, model: &M) -> Result<(), TrainError> {
        let Some(seen) = self.seen.as_ref().filter(|_| self.checks) else {
            return Ok(());
        };
        let held = self.held.len();
        let (calls, next) = (self.calls, held + 1);
        let problem = match (seen.since(model)?, held) {
            (Change::Moved, 0) | (Change::Unmoved, 1..) => return Ok(()),
            (Change::Unmoved, 0) => format!(
                "the model is the same as in the last draw, so somebody adds up gradients of several draws, and their \
                 groups would be weighed one by one. A Learner with `grads_accumulation(k)` needs a GroupedStep \
                 `with_accumulation(k)` of the same k, which is {calls} here, and `with_epoch` where k does not divide \
                 the batches of an epoch; a loop that does not apply every update needs one `with_still_model`"
            ),
            (Change::Moved, _) => format!(
                "the model has moved before batch {next} of the {calls} that make a draw; between these no optimizer may \
                 step, so `with_accumulation` of GroupedStep must be `grads_accumulation` of the Learner"
            ),
            (Change::Copied, _) => "the model is a copy of the one in the last call, on another device or thread, so \
                 somebody adds up gradients of several devices, whose groups would be weighed one by one. Use a \
                 Learner on one device; for another training with the same GroupedStep call `restart`"
                .to_owned(),
        };
        Err(TrainError::Accumulation { problem })
    }

    /// Holds the pass of one batch, with the labels of all its examples.
    fn hold(&mut self, passes: Vec<Pass>, labels: LabelSet<'_>) {
        let before: usize = self.held.iter().map(Pass::examples).sum();
        let examples = passes.iter().map(Pass::examples).sum();
        self.labels.extend(before, labels, examples);
        self.held.extend(passes);
    }

    /// What there is of a step before its last batch.
    fn waiting(&self) -> Result<Stepped, TrainError> {
        let pass = self.held.last().ok_or(gradual_grad::GradError::EmptyDraw)?;
        let present = finite("loss", pass.losses())?;
        let n = pass.examples();
        let mut losses = vec![0.0; n];
        for (at, loss) in pass.present().into_iter().zip(present) {
            losses[at] = loss;
        }
        for &(at, loss) in pass.absent() {
            losses[at] = loss;
        }
        Ok(Stepped {
            update: GradientsParams::new(),
            losses,
            coefficients: vec![0.0; n],
            groups: Groups::hard(vec![None; n], 1, Average::Mean, &pass.losses().device())?,
            left_out: pass.absent().iter().map(|(at, _)| *at).collect(),
        })
    }

    /// Shows the grouping its standing examples, if it wants them.
    fn show_standing<M: Module>(
        &mut self,
        model: &M,
        losses: &mut impl FnMut(&M, &B) -> Tensor<1>,
    ) -> Result<(), TrainError> {
        let Some(wish) = self.objective.wants() else {
            return Ok(());
        };
        let (objective, stepper) = (&mut self.objective, self.stepper);
        match (&mut self.source, wish) {
            // The grouping itself says what it lacks.
            (Source::None, _) => Ok(()),
            (Source::Fixed(_), Standing::Replace(examples)) => Err(TrainError::Standing {
                problem: format!(
                    "the grouping wants {examples} of them replaced by fresh ones, and `with_standing` gave fixed ones; \
                     give a way to draw them with `with_standing_from`"
                ),
            }),
            (Source::Fixed(examples), _) => {
                stepper.stand(model, objective, |m| losses(m, examples))
            }
            (Source::Drawn(draw), wish) => {
                // A grouping that refuses them wants the same again, of the same examples.
                let mut kept = self.kept.clone();
                if let Some(examples) = kept.make_room(wish) {
                    kept.add(examples, Arc::new(draw(examples)));
                }
                if kept.examples() == 0 {
                    return Err(TrainError::Standing {
                        problem: "the grouping wants those of before again, and this GroupedStep has drawn none; a \
                                  grouping that was restored needs the GroupedStep that drew them, or fixed ones"
                            .to_owned(),
                    });
                }
                let parts: Vec<&B> = kept.draws().iter().map(|(_, drawn)| &**drawn).collect();
                let sizes = (kept.dropped(), kept.examples());
                show(model, (objective, stepper), &parts, sizes, losses)?;
                self.kept = kept;
                Ok(())
            }
        }
    }
}
