//! The step of a draw whose parts lie on several ranks.

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use gradual_grad::{ExampleGradients, GradError, RunningStatistics, Tracer};

use super::decided::{decide, first_that_differs};
use super::examples::Examples;
use super::finite::{Sums, host, is_half};
use super::parts::{empty, plain_parts, trace_parts};
use super::pass::{Pass, added_up, joined};
use super::range::{may_vanish, out_of_range};
use super::stepped::Stepped;
use super::stepper::Stepper;
use super::trainable::trainable;
use super::twice::repeated;
use crate::digests::Digests;
use crate::error::TrainError;
use crate::generator;
use crate::label_set::LabelSet;
use crate::objective::{Objective, Sight};
use crate::ranks::{OwnGradients, Point, Ranks, RanksError, sent_decision, taken_decision};

/// A rank's own parts of a draw.
pub(crate) struct OwnParts<'a, B> {
    pub(crate) parts: &'a [B],
    /// Of what all ranks know of the whole draw, which has to be the same.
    pub(crate) digest: u64,
}

/// The step of a draw whose parts lie on several ranks; `labels` are those of all examples, rank after rank.
///
/// Whatever fails on one rank alone is told with its next message, so that every rank comes to every message.
pub(crate) fn step_over<M: Module, B>(
    ranks: &Ranks,
    stepper: Stepper,
    model: &M,
    objective: &mut Objective,
    labels: LabelSet<'_>,
    own: OwnParts<'_, B>,
    losses: impl Fn(&M, &B) -> Tensor<1>,
) -> Result<Stepped, TrainError> {
    let again = |at: usize, model: &M| losses(model, &own.parts[at]);
    let mut sketches = Vec::new();
    let passes = own_passes(
        ranks,
        stepper,
        model,
        objective,
        own.parts,
        &losses,
        &mut sketches,
    );
    let (all, passes) = ranks.losses(own.digest, passes)?;
    let examples = Examples::of_losses(&all.single(), stepper.leaves_out())?;
    let known = examples.known(labels.into())?;
    let device = joined(&passes)?.device();
    let whole = all.tensor(examples.present(), &device);
    let gradients = match ranks.recomputes(objective)? {
        true => Ok(OwnGradients::Sketched(sketches)),
        false => {
            let own = own_gradients(objective, &passes);
            own.map(|own| OwnGradients::Kept(own.map(Box::new)))
        }
    };
    let (gradients, compared) = match objective.compares_gradients() {
        true => {
            let (gradients, all) = ranks.compared(gradients, &device)?;
            (Ok(gradients), Some(all))
        }
        false => (gradients, None),
    };
    let share = Share {
        model,
        tracer: objective.tracer().clone(),
        passes: &passes,
        from: examples.present().partition_point(|&at| at < all.before),
    };
    let stepped = objective.attempt(|objective| {
        let here = decide(objective, known.as_known(), whole, compared.as_ref());
        let here = here.and_then(|decision| {
            let bytes = sent_decision(decision.groups(), &decision.composed.coefficients)?;
            Ok((bytes, decision))
        });
        let sent = here.as_ref().map(|(bytes, _)| bytes.clone());
        let sent = match ranks.told_by_first(Point::Decision, sent) {
            Ok(sent) => sent,
            // What went wrong here says more.
            Err(error) => return Err(here.err().unwrap_or(error)),
        };
        let update = here.and_then(|(_, decision)| {
            let groups = decision.groups().clone();
            let (groups, coefficients) = taken_decision(&sent, groups, &device)?;
            let update = share.update(gradients?.kept(), &coefficients, again)?;
            Ok((update, decision.with(groups, coefficients)))
        });
        let (reduced, decision) = ranks.reduced(model, update)?;
        let checked = decision.checked(model, reduced.update, compared.as_ref(), None)?;
        match &compared {
            Some(compared) if may_vanish(&checked, reduced.size) => out_of_range(compared)?,
            _ => None,
        }
        .map_or_else(|| Ok(checked.observed(objective)), Err)
    });
    let stepped = stepped.or_else(|error| match &compared {
        Some(compared) if is_of_gradients(&error) => Err(out_of_range(compared)?.unwrap_or(error)),
        _ => Err(error),
    });
    examples.whole(stepped, passes.iter().any(Pass::is_mixed))
}

/// Whether gradients that are too large to be squared may have made a number that is not finite.
fn is_of_gradients(error: &TrainError) -> bool {
    let of_losses = matches!(error, TrainError::NotFinite { what: "loss", .. });
    error.is_not_finite() && !of_losses && !matches!(error, TrainError::Ranks(_))
}

/// A rank's own passes over its parts, once it is known that they can be made over several ranks; where gradients are made
/// again for the update, without them, and with the sketch of each part that has a loss.
fn own_passes<M: Module, B>(
    ranks: &Ranks,
    stepper: Stepper,
    model: &M,
    objective: &Objective,
    parts: &[B],
    losses: &impl Fn(&M, &B) -> Tensor<1>,
    sketches: &mut Vec<Tensor<2>>,
) -> Result<Vec<Pass>, TrainError> {
    ranks.check(objective)?;
    if objective.sight != Sight::Model {
        return Err(
            RanksError::refused("a lens can't be looked through over several ranks yet").into(),
        );
    }
    trainable(model)?;
    if let (true, Some(part)) = (ranks.take_unchecked(), parts.first()) {
        needs_no_others(model, |model| losses(model, part))?;
    }
    if ranks.recomputes(objective)? {
        let each = parts.iter().enumerate().map(|(at, part)| {
            let mut again = |_: usize, model: &M| losses(model, part);
            let traced = objective.tracer().trace(model, |model| losses(model, part));
            let traced = traced.map_err(|error| match error {
                GradError::EmptyDraw => empty(at, parts),
                error => error.into(),
            });
            let pass = vec![Pass::traced(traced?)];
            let passes = stepper.leave_out(model, objective, pass, &mut again)?;
            let some = passes.iter().filter(|pass| pass.losses().dims()[0] > 0);
            let gradients = some.filter_map(Pass::gradients);
            sketches.extend(gradients.filter_map(|own| ranks.gathering().sketch(own)));
            // At once: what is left to be done later keeps the gradients of all parts.
            let losses = passes.into_iter().map(Pass::into_losses);
            Ok(losses.collect::<Vec<_>>())
        });
        let each = each.collect::<Result<Vec<_>, TrainError>>()?;
        return Ok(each.into_iter().flatten().collect());
    }
    let passes = match parts {
        _ if objective.needs_gradients() => trace_parts(model, objective.tracer(), parts, losses)?,
        [part] => vec![Pass::tracked(losses(model, part))?],
        _ => plain_parts(model, parts, losses)?,
    };
    let mut again = |at: usize, model: &M| losses(model, &parts[at]);
    stepper.leave_out(model, objective, passes, &mut again)
}

/// Refuses a model whose passes over some examples are not those that a pass over all would be: one that draws random
/// numbers, of which every rank would draw the same, and one with running statistics, which would not be the same.
pub(crate) fn needs_no_others<M: Module>(
    model: &M,
    losses: impl Fn(&M) -> Tensor<1>,
) -> Result<(), TrainError> {
    let statistics = RunningStatistics::of(model);
    let before = Digests::of(model)?;
    let device = losses(model).device().inner();
    // A copy takes up what a pass left pending.
    drop(model.valid());
    let after = Digests::of(model)?;
    statistics.put_back(model);
    if let Some(path) = before.difference(&after) {
        return Err(RanksError::refused(format!(
            "the model keeps running statistics ({path}), as a batch norm does, and each rank would see its own examples \
             alone; take a norm of single examples, or freeze the statistics"
        ))
        .into());
    }
    let untracked = model.clone().no_grad();
    let [one, other] = generator::alone(|| {
        [1, 2].map(|seed| {
            device.seed(seed);
            let losses = losses(&untracked);
            let half = is_half(losses.dtype());
            host("loss", &losses).map(|losses| (losses, half))
        })
    });
    let ((one, half), (other, _)) = (one?, other?);
    match first_that_differs(&one, &other, half) {
        None => Ok(()),
        Some(_) => Err(RanksError::refused(
            "the losses draw random numbers from the device, as dropout does, and they would be others on other numbers of \
             ranks; set dropout to 0, or train on one rank",
        )
        .into()),
    }
}

/// The gradients of a rank's own examples, where the objective takes them one by one and they have a loss.
fn own_gradients(
    objective: &Objective,
    passes: &[Pass],
) -> Result<Option<ExampleGradients>, TrainError> {
    if !objective.needs_gradients() {
        return Ok(None);
    }
    let some = passes.iter().filter(|pass| pass.losses().dims()[0] > 0);
    let each: Option<Vec<_>> = some.map(|pass| pass.gradients().cloned()).collect();
    match each.unwrap_or_default() {
        each if each.len() > 1 => Ok(Some(ExampleGradients::concat(&each)?)),
        mut each => Ok(each.pop()),
    }
}

/// A rank's own passes, and where their examples stand among those of the draw that have a loss.
struct Share<'a, M> {
    model: &'a M,
    tracer: Tracer,
    passes: &'a [Pass],
    from: usize,
}

impl<M: Module> Share<'_, M> {
    /// The update of a rank's own examples, from the coefficients of all. Passes that were made for their losses alone
    /// are made `again`.
    fn update(
        &self,
        gradients: Option<ExampleGradients>,
        coefficients: &Tensor<1>,
        again: impl Fn(usize, &M) -> Tensor<1>,
    ) -> Result<GradientsParams, TrainError> {
        let present = self.passes.iter().map(|pass| pass.losses().dims()[0]);
        let present = present.sum();
        if present == 0 {
            return Ok(GradientsParams::new());
        }
        let own = coefficients.clone().narrow(0, self.from, present);
        if let Some(gradients) = gradients {
            return Ok(gradients.combine(&own)?);
        }
        let (mut second, mut half) = (Vec::new(), false);
        let update = added_up(self.model, self.passes, &own, |at, pass, own| {
            if !pass.is_plain() {
                return pass.update(self.model, own);
            }
            let pass = repeated(self.model, &self.tracer, pass, &|model| again(at, model))?;
            let update = pass.update(self.model, own)?;
            half |= pass.is_half();
            second.push(pass.into_losses());
            Ok(update)
        })?;
        let update = self.tracer.restrict(self.model, update)?;
        if !second.is_empty() {
            let device = coefficients.device();
            let half = half || Sums::of(&update, self.model, &device).half;
            self.same(&host("loss", &joined(&second)?)?, half)?;
        }
        Ok(update)
    }

    /// Whether the losses of a second pass are those of the first.
    fn same(&self, second: &[f32], half: bool) -> Result<(), TrainError> {
        let first = host("loss", &joined(self.passes)?)?;
        match first_that_differs(&first, second, half) {
            None => Ok(()),
            Some(example) => Err(TrainError::Changed {
                example: self.from + example,
                first: first[example],
                second: second[example],
            }),
        }
    }
}
