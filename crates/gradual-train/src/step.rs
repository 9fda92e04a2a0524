//! One step: losses to groups to coefficients to update.

use burn::module::Module;
use burn::optim::{GradientsAccumulator, GradientsParams};
use burn::tensor::{Int, Tensor, TensorData};
use gradual_grad::host::read_together;
use gradual_grad::{ExampleGradients, GradError, Traced, Tracer};
use gradual_group::{Draw, Groups};
use gradual_loss::Composed;

use crate::examples::Examples;
use crate::finite::{Sums, all_finite, finite, host, not_finite};
use crate::parameters::trainable;
use crate::pass::{Pass, joined, without_a_loss};
use crate::range::{may_vanish, out_of_range};
use crate::statistics::{Statistics, unmoved};
use crate::{LabelSet, Objective, TrainError};

const COEFFICIENT: &str = "coefficient";

/// What one step yields.
#[derive(Debug)]
pub struct Stepped {
    /// The update Gᵀc, for an optimizer's `step`.
    pub update: GradientsParams,
    /// Losses ℓ of the draw. Those of examples that were [left out](Self::left_out) are NaN or infinite.
    pub losses: Vec<f32>,
    /// Scaled coefficients c of the draw, zero for examples that were left out.
    pub coefficients: Vec<f32>,
    /// The groups of the draw. Examples that were left out are in none.
    pub groups: Groups,
    /// The examples that were left out because they have no loss, in order: see
    /// [`Stepper::leaving_out`].
    pub left_out: Vec<usize>,
}

/// The update of `model` on one draw under `objective`: one forward and one backward pass.
///
/// `losses` computes one loss per example, `[n]`; `labels` are the groups that somebody named, one
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
    finish(model, objective, labels.into(), vec![pass])
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
        mut losses: impl FnMut(&M) -> Tensor<1>,
    ) -> Result<Stepped, TrainError> {
        trainable(model)?;
        let pass = Pass::of(model, objective, &mut losses)?;
        let pass = self.leave_out(model, objective, vec![pass], |_, model| losses(model))?;
        finish(model, objective, labels, pass)
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
        if let [part] = parts {
            return self.step(model, objective, labels, |m| losses(m, part));
        }
        trainable(model)?;
        let again = |at: usize, model: &M| losses(model, &parts[at]);
        if objective.needs_gradients() {
            let passes = trace_parts(model, objective.tracer(), parts, &losses)?;
            let passes = self.leave_out(model, objective, passes, again)?;
            return finish(model, objective, labels, passes);
        }
        let first = unmoved(model, || plain_parts(model, parts, &losses))?;
        let first = self.leave_out(model, objective, first, again)?;
        twice(model, objective, labels, &first, again)
    }

    /// [`stand()`](crate::stand()) with these options. The number of standing examples must stay, so one without a
    /// loss is stood for by the nearest before it that has one, or by the first.
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
        trainable(model)?;
        let traced = unmoved(model, || objective.tracer().trace(model, losses))?;
        self.shown(objective, traced).map(drop)
    }

    /// Shows standing examples whose gradients were taken already. Gives the number of those that others stand for.
    pub(crate) fn shown(
        self,
        objective: &mut Objective,
        traced: Traced,
    ) -> Result<usize, TrainError> {
        let losses = host("loss", &traced.losses)?;
        let first = losses.iter().position(|loss| loss.is_finite());
        let (true, Some(mut last)) = (self.leaves_out, first) else {
            all_finite("loss", losses)?;
            stood(objective, &Draw::from(&traced), &traced.gradients)?;
            return Ok(0);
        };
        let absent = losses.iter().filter(|loss| !loss.is_finite()).count();
        let stands = losses.iter().enumerate().map(|(at, loss)| {
            if loss.is_finite() {
                last = at;
            }
            last
        });
        let stands: Vec<usize> = stands.collect();
        let at: Vec<i64> = stands.iter().map(|&at| at as i64).collect();
        let at = TensorData::new(at, [stands.len()]);
        let at = Tensor::<1, Int>::from_data(at, &traced.losses.device());
        let gradients = traced.gradients.choose(&stands)?;
        let losses = traced.losses.select(0, at);
        let draw = Draw::new(&losses).with_gradients(&gradients);
        stood(objective, &draw, &gradients)?;
        Ok(absent)
    }

    /// The passes without the examples that have no loss, if these are to be left out. `again` computes the losses of a
    /// pass once more.
    pub(crate) fn leave_out<M: Module>(
        self,
        model: &M,
        objective: &Objective,
        passes: Vec<Pass>,
        mut again: impl FnMut(usize, &M) -> Tensor<1>,
    ) -> Result<Vec<Pass>, TrainError> {
        if !self.leaves_out || passes.is_empty() {
            return Ok(passes);
        }
        let absent = without_a_loss(&passes)?;
        let pairs = passes.into_iter().zip(absent).enumerate();
        let without = pairs.map(|(at, (pass, absent))| {
            let trace = || objective.tracer().trace(model, |m| again(at, m));
            pass.without(absent, || unmoved(model, trace).ok())
        });
        without.collect()
    }
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

/// Shows a grouping its standing examples, or says that their gradients are too large to be compared.
fn stood(
    objective: &mut Objective,
    draw: &Draw<'_>,
    gradients: &ExampleGradients,
) -> Result<(), TrainError> {
    objective.grouping.stand(draw).or_else(|error| {
        let error = TrainError::from(error);
        match error.is_not_finite() {
            true => Err(out_of_range(gradients)?.unwrap_or(error)),
            false => Err(error),
        }
    })
}

/// A draw in several parts, traced one after another.
fn trace_parts<M: Module, B>(
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
fn plain_parts<M: Module, B>(
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

/// The step of a draw whose passes have been made.
pub(crate) fn finish<M: Module>(
    model: &M,
    objective: &mut Objective,
    labels: LabelSet<'_>,
    passes: Vec<Pass>,
) -> Result<Stepped, TrainError> {
    let examples = Examples::of(&passes)?;
    let labels = examples.labels(labels)?;
    let losses = joined(&passes)?;
    let counted = passes.iter().filter(|pass| pass.losses().dims()[0] > 0);
    let traced: Option<Vec<ExampleGradients>> =
        counted.map(|pass| pass.gradients().cloned()).collect();
    let gradients = match traced.filter(|_| objective.needs_gradients()) {
        Some(mut each) if each.len() == 1 => each.pop(),
        Some(each) => Some(ExampleGradients::concat(&each)?),
        None => None,
    };
    let tracer = objective.tracer().clone();
    let update = |coefficients: &Tensor<1>| -> Result<GradientsParams, TrainError> {
        match &gradients {
            Some(gradients) => Ok(gradients.combine(coefficients)?),
            None => {
                let update = added_up(model, &passes, coefficients, |_, pass, coefficients| {
                    pass.update(model, coefficients)
                })?;
                Ok(tracer.restrict(model, update)?)
            }
        }
    };
    let mixed = passes.iter().any(Pass::is_mixed);
    // Tries the step, with similarities of the gradients `compared`. Whether it may be tried again comes with it.
    let mut attempt = |compared: Option<&ExampleGradients>, checks: bool| {
        let mut decides = true;
        let stepped = objective.attempt(|objective| {
            let decided = decide(objective, labels.as_set(), losses.clone(), compared)?;
            decides = false;
            let update = update(&decided.composed.coefficients)?;
            let checked = decided.checked(model, update, gradients.as_ref(), None)?;
            if let Some(gradients) = compared.filter(|_| checks && objective.compares_gradients())
                && may_vanish(&checked, gradients)
                && let Some(error) = out_of_range(gradients)?
            {
                return Err(error);
            }
            Ok(checked.observed(objective))
        });
        // A grouping that refuses a draw has learned nothing of it.
        let repeats = objective.is_scale_free() && (decides || objective.is_stateless());
        (stepped, repeats)
    };
    let stepped = match (attempt(gradients.as_ref(), true), &gradients) {
        ((Err(error), repeats), Some(gradients)) => {
            retried(error, gradients, repeats, |in_range| {
                attempt(Some(in_range), false).0
            })
        }
        ((stepped, _), _) => stepped,
    };
    examples.whole(stepped, mixed)
}

/// Tries a step that was refused once more on gradients [in range](ExampleGradients::in_range), where their squares are
/// out of it; where it may not be tried again, says that this is why.
fn retried(
    error: TrainError,
    gradients: &ExampleGradients,
    repeats: bool,
    again: impl FnOnce(&ExampleGradients) -> Result<Stepped, TrainError>,
) -> Result<Stepped, TrainError> {
    if matches!(error, TrainError::NotFinite { what: "loss", .. }) {
        return Err(error);
    }
    match (out_of_range(gradients)?, repeats) {
        (None, _) => Err(error),
        (Some(_), true) => again(&gradients.in_range().0),
        (Some(range), false) if error.is_not_finite() => Err(range),
        (Some(_), false) => Err(error),
    }
}

/// The step of a draw whose gradients come from a second forward pass, `again`, over every part.
fn twice<M: Module>(
    model: &M,
    objective: &mut Objective,
    labels: LabelSet<'_>,
    first: &[Pass],
    again: impl Fn(usize, &M) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    let examples = Examples::of(first)?;
    let labels = examples.labels(labels)?;
    let (mut mixed, mut half) = (false, false);
    let mut second = Vec::new();
    let losses = joined(first)?;
    let tracer = objective.tracer().clone();
    let stepped = objective.attempt(|objective| {
        let decided = decide(objective, labels.as_set(), losses, None)?;
        let update = added_up(
            model,
            first,
            &decided.composed.coefficients,
            |at, pass, coefficients| {
                let pass = repeated(model, &tracer, pass, |m| again(at, m))?;
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
fn repeated<M: Module>(
    model: &M,
    tracer: &Tracer,
    first: &Pass,
    losses: impl Fn(&M) -> Tensor<1>,
) -> Result<Pass, TrainError> {
    let absent = first.absent().to_vec();
    let pass = match absent.is_empty() {
        true => Pass::tracked(losses(model))?,
        false => {
            let before = Statistics::of(model);
            match tracer.trace(model, &losses) {
                Ok(traced) => Pass::traced(traced),
                Err(_) => {
                    before.put_back(model);
                    Pass::tracked(losses(model))?
                }
            }
        }
    };
    match pass.examples() == first.examples() {
        true => pass.without(absent, || None),
        false => Err(TrainError::Task {
            what: "losses in the second pass over a part",
            expected: first.examples(),
            got: pass.examples(),
        }),
    }
}

/// The sum of the updates of several passes, each with its own of the `coefficients` `[n]`.
fn added_up<M: Module>(
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

/// Everything of a step but its update, still on the device.
struct Decided {
    losses: Tensor<1>,
    groups: Groups,
    composed: Composed,
}

impl Decided {
    /// The step with its update, all of whose numbers are finite: they are read together, the one time that a step
    /// waits for the device of its own accord. The losses of a `second` pass, which may be in half precision, must be
    /// those of the first.
    fn checked<M: Module>(
        self,
        model: &M,
        update: GradientsParams,
        gradients: Option<&ExampleGradients>,
        second: Option<(Tensor<1>, bool)>,
    ) -> Result<Checked, TrainError> {
        let device = self.losses.device();
        if update.is_empty() {
            return Err(TrainError::Untracked);
        }
        let Sums { sums, paths, half } = Sums::of(&update, model, &device);
        if paths.is_empty() {
            return Err(TrainError::Untracked);
        }
        let none = || Tensor::zeros([0], &device);
        let unread = self.groups.unread().unwrap_or_else(none);
        let (second, half_losses) = second.unwrap_or_else(|| (none(), false));
        let tolerance = match half || half_losses {
            true => HALF,
            false => SINGLE,
        };
        let composed = self.composed.unread().unwrap_or_else(none);
        let coefficients = self.composed.coefficients.clone();
        let all = [self.losses, unread, composed, coefficients, sums, second];
        let [losses, unread, composed, coefficients, sums, second] =
            read_together(all).map_err(|problem| TrainError::Read {
                operation: "step",
                problem,
            })?;
        // In the order in which one comes of the other: whatever is no number makes all that follow none.
        let losses = all_finite("loss", losses)?;
        same(&losses, &second, tolerance)?;
        let groups = self.groups.settled(&unread)?;
        let composed = self.composed.settled(&composed)?;
        let norms = || gradients.map(|gradients| host("gradient", &gradients.norms()));
        let coefficients = match all_finite(COEFFICIENT, coefficients) {
            Ok(coefficients) => coefficients,
            Err(error) => {
                if let Some(norms) = norms().transpose()? {
                    all_finite("gradient", norms)?;
                }
                return Err(error);
            }
        };
        if sums.iter().any(|sum: &f32| !sum.is_finite())
            && let Some(parameter) = not_finite(&update, model, &device)?
        {
            let norms = norms().transpose()?.unwrap_or_default();
            return Err(TrainError::Gradient {
                parameter,
                example: norms.iter().position(|norm| !norm.is_finite()),
            });
        }
        let largest = sums
            .iter()
            .fold(0.0, |largest: f32, sum| largest.max(sum.abs()));
        Ok(Checked {
            stepped: Stepped {
                update,
                losses,
                coefficients,
                groups,
                left_out: Vec::new(),
            },
            composed,
            largest_sum: largest,
        })
    }
}

/// A step all of whose numbers are finite.
pub(crate) struct Checked {
    pub(crate) stepped: Stepped,
    composed: Composed,
    /// The largest absolute sum of the entries of a parameter's update.
    pub(crate) largest_sum: f32,
}

impl Checked {
    /// The step, which the objective remembers.
    fn observed(self, objective: &mut Objective) -> Stepped {
        objective.observe(&self.composed);
        self.stepped
    }
}

/// Share of a loss, or of the mean loss, by which two passes over the same examples may differ.
const SINGLE: f32 = 1e-3;
const HALF: f32 = 5e-2;

/// Whether the losses of a second pass are those of the first.
fn same(first: &[f32], second: &[f32], tolerance: f32) -> Result<(), TrainError> {
    let mean = first.iter().map(|loss| loss.abs()).sum::<f32>() / first.len().max(1) as f32;
    // A second loss that is NaN is not near.
    let near = |(a, b): (&f32, &f32)| (a - b).abs() <= tolerance * a.abs().max(mean);
    match first.iter().zip(second).position(|pair| !near(pair)) {
        Some(example) => Err(TrainError::Changed {
            example,
            first: first[example],
            second: second[example],
        }),
        None => Ok(()),
    }
}

/// Groups and coefficients of a draw, with its gradients where it has some.
fn decide(
    objective: &mut Objective,
    labels: LabelSet<'_>,
    losses: Tensor<1>,
    gradients: Option<&ExampleGradients>,
) -> Result<Decided, TrainError> {
    let mut draw = Draw::new(&losses);
    if let Some(gradients) = gradients {
        draw = draw.with_gradients(gradients);
    }
    let draw = labels.of(draw);
    let mut compose = || -> Result<(Groups, Composed), TrainError> {
        let groups = objective.grouping.group_ahead(&draw)?;
        let composed = objective.compose(&losses, &groups, gradients)?;
        Ok((groups, composed))
    };
    let composed = compose().or_else(|error| {
        // Losses that are no numbers make groups that are none; say what came first.
        finite("loss", &losses)?;
        Err(error)
    });
    composed.map(|(groups, composed)| Decided {
        losses: losses.clone(),
        groups,
        composed,
    })
}
