//! A step with options.

use burn::module::Module;
use burn::tensor::Tensor;
use gradual_grad::{RunningStatistics, Traced};

use super::finish::finish;
use super::known::Known;
use super::parts::{plain_parts, trace_parts};
use super::pass::{Pass, without_a_loss};
use super::standing::shown;
use super::stepped::Stepped;
use super::trainable::trainable;
use super::twice::twice;
use crate::error::TrainError;
use crate::label_set::LabelSet;
use crate::objective::Objective;

/// A step with options.
///
/// ```
/// # use burn::nn::LinearConfig;
/// # use burn::tensor::{Device, Tensor};
/// # use gradual_group::OneGroup;
/// # use gradual_loss::Mean;
/// # use gradual_train::{Objective, Stepper};
/// let device = Device::flex().autodiff();
/// let model = LinearConfig::new(2, 1).init(&device);
/// // The second example has no target.
/// let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 4.0]], &device);
/// let y = Tensor::<2>::from_floats([[0.0], [f32::NAN]], &device);
/// let mut objective = Objective::new(OneGroup, Mean);
/// let stepped = Stepper::default().leaving_out().step(&model, &mut objective, None.into(), |model| {
///     use gradual_grad::Tap;
///     (model.tap(x.clone()) - y.clone()).powi_scalar(2).squeeze_dim(1)
/// })?;
/// assert_eq!(stepped.coefficients, [1.0, 0.0]);
/// assert_eq!(stepped.left_out, [1]);
/// # Ok::<(), gradual_train::TrainError>(())
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct Stepper {
    leaves_out: bool,
}

impl Stepper {
    /// Leaves out examples whose loss is NaN or infinite, such as a sequence all of whose targets are
    /// ignored, instead of refusing the draw. They belong to no group, their coefficient is exactly zero,
    /// and their gradients are taken out before anything is summed, as zero times NaN is NaN. At the cost of
    /// one more wait for the device in each step.
    ///
    /// Under an objective that needs no per-example gradients, a draw with such examples is traced once more to
    /// keep their gradients apart, so the layers should be tapped. Where they are not, the closure must give such
    /// a loss no gradient that is NaN, by setting it with `mask_fill` after everything else.
    #[must_use]
    pub fn leaving_out(self) -> Self {
        Self { leaves_out: true }
    }

    pub(crate) fn leaves_out(self) -> bool {
        self.leaves_out
    }

    /// [`step()`](crate::step()) with these options.
    ///
    /// # Errors
    ///
    /// Those of [`step()`](crate::step()); [`TrainError::LeftOut`] when examples were to be left out whose gradients
    /// can't be taken apart. A draw in which no example has a loss is [`TrainError::NotFinite`].
    pub fn step<M: Module>(
        self,
        model: &M,
        objective: &mut Objective,
        labels: LabelSet<'_>,
        losses: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        self.step_known(model, objective, labels.into(), losses)
    }

    fn step_known<M: Module>(
        self,
        model: &M,
        objective: &mut Objective,
        known: Known<'_>,
        mut losses: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        trainable(model)?;
        let pass = Pass::of(model, objective, &mut losses)?;
        let pass = self.leave_out(model, objective, vec![pass], &mut |_, model| losses(model))?;
        finish(model, objective, known, pass)
    }

    /// [`step_in_parts()`](crate::step_in_parts()) with these options.
    ///
    /// # Errors
    ///
    /// Those of [`step_in_parts()`](crate::step_in_parts()) and [`step`](Self::step).
    pub fn step_in_parts<M: Module, B>(
        self,
        model: &M,
        objective: &mut Objective,
        labels: LabelSet<'_>,
        parts: &[B],
        losses: impl Fn(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        self.step_in_parts_known(model, objective, labels.into(), parts, losses)
    }

    /// [`step_in_parts`](Self::step_in_parts) with all that is known of the examples.
    pub(crate) fn step_in_parts_known<M: Module, B>(
        self,
        model: &M,
        objective: &mut Objective,
        known: Known<'_>,
        parts: &[B],
        losses: impl Fn(&M, &B) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        if let [part] = parts {
            return self.step_known(model, objective, known, |m| losses(m, part));
        }
        trainable(model)?;
        let mut again = |at: usize, model: &M| losses(model, &parts[at]);
        if objective.needs_gradients() {
            let passes = trace_parts(model, objective.tracer(), parts, &losses)?;
            let passes = self.leave_out(model, objective, passes, &mut again)?;
            return finish(model, objective, known, passes);
        }
        let first = RunningStatistics::kept(model, || plain_parts(model, parts, &losses))?;
        let first = self.leave_out(model, objective, first, &mut again)?;
        twice(model, objective, known, &first, &again)
    }

    /// [`stand()`](crate::stand()) with these options. The number of standing examples must stay, so one without a
    /// loss is replaced by the nearest before it that has one, or by the first.
    ///
    /// # Errors
    ///
    /// Those of [`stand()`](crate::stand()).
    pub fn stand<M: Module>(
        self,
        model: &M,
        objective: &mut Objective,
        losses: impl FnOnce(&M) -> Tensor<1>,
    ) -> Result<(), TrainError> {
        self.stand_viewed(model, objective, losses, |traced| traced)
    }

    /// [`stand`](Self::stand) of examples that the grouping sees in some way.
    pub(crate) fn stand_viewed<M: Module>(
        self,
        model: &M,
        objective: &mut Objective,
        losses: impl FnOnce(&M) -> Tensor<1>,
        view: impl FnOnce(Traced) -> Traced,
    ) -> Result<(), TrainError> {
        trainable(model)?;
        let traced = RunningStatistics::kept(model, || objective.tracer().trace(model, losses))?;
        shown(self.leaves_out, objective, view(traced)).map(drop)
    }

    /// The passes without the examples that have no loss, if these are to be left out. `again` computes the losses of a
    /// pass once more.
    pub(crate) fn leave_out<M: Module>(
        self,
        model: &M,
        objective: &Objective,
        passes: Vec<Pass>,
        again: &mut dyn FnMut(usize, &M) -> Tensor<1>,
    ) -> Result<Vec<Pass>, TrainError> {
        if !self.leaves_out || passes.is_empty() {
            return Ok(passes);
        }
        let absent = without_a_loss(&passes)?;
        let pairs = passes.into_iter().zip(absent).enumerate();
        let without = pairs.map(|(at, (pass, absent))| {
            pass.without(absent, &mut || {
                let trace = || objective.tracer().trace(model, |m| again(at, m));
                RunningStatistics::kept(model, trace).ok()
            })
        });
        without.collect()
    }
}
