//! Whether the per-example gradients of a model are correct.
//!
//! # The idea
//!
//! A trace is right if every use of every parameter goes through a tap, if a tap does what `forward` does, and if no
//! example's loss depends on another example. A [trace](crate::trace()) sees for itself where a parameter was used
//! outside of any tap. The rest is found by comparison, on the draw and the losses of a training step.
//!
//! # The steps
//!
//! 1. Burn's own forward and backward pass of Σ_j w_j ℓ_j, no tap seen; w are ¼, ½, 1 and 2 in random order, so that
//!    gradients do not cancel, and as powers of two are taken out again without rounding.
//! 2. A trace, whose update is to be that of step 1, parameter by parameter.
//! 3. A trace of Σ_j v_j ℓ_j, where v is 0 for an eighth of the examples. What arrives at one of these came through a
//!    coupling: batch statistics, negatives out of the draw, a first axis that does not count examples. For the others v
//!    is ¼, ½, 1 or 2, so that v_j / w_j is one of seven numbers. What arrives at example j is to be v_j / w_j times what
//!    arrived in step 2: two examples that depend on each other are told apart if their numbers are different.
//!
//! All three passes are to give the same losses. Where they do not, because the closure is random, steps 2 and 3 can't
//! be compared with others. Half of the losses are left out in step 3 then, and what remains of the check is that
//! nothing arrives at their examples.
//!
//! # The cost
//!
//! Three passes, once: less than four ordinary steps. A coupling of a whole draw can't go unnoticed. One of a single
//! pair does when both are left out or have one number, once in eight draws; under a random closure, once in two.
//!
//! Where the model trains with random numbers of the device (dropout), the device's generator is seeded with a number
//! that was drawn from it, so that all passes draw the same.

mod coupling;
pub(crate) mod found;
mod read;
mod rounding;
mod seed;
mod update;

use std::collections::HashMap;

use burn::module::{Module, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};

use crate::error::GradError;
use crate::faults::BurnFault;
use crate::statistics::RunningStatistics;
use crate::trace::pass::{Chosen, ForwardPass, Subject, Wanted};
use crate::trace::strategy;
use crate::trace::tracer::Tracer;
use coupling::{Parts, batch_norm, separate};
use found::{Verified, Warning};
use read::host;
use rounding::Rounding;
use seed::Seed;
use update::{Update, compared, flattened, layers_of};

/// Checks the per-example gradients of `model` on one draw: whether they add up to those of Burn's own backward pass,
/// parameter by parameter, and whether every example's gradient is its own.
///
/// Three passes, about as much as four ordinary steps: Burn's own forward and backward pass of a weighted sum of the
/// losses, a trace of the same, whose update must be Burn's, and a trace from most of the losses, of which nothing
/// may arrive at the other examples. `docs/verify.md` has every error with its causes and cures.
///
/// `losses` is the closure of [`trace`](crate::trace()); it is called three times. Running statistics (of a batch norm)
/// are afterwards what they were.
///
/// ```
/// use burn::nn::LinearConfig;
/// use burn::tensor::{Device, Tensor};
/// use gradual_grad::{GradError, Tap, verify};
///
/// let device = Device::flex().autodiff();
/// let layer = LinearConfig::new(2, 1).init(&device);
/// let x = Tensor::<2>::from_floats([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]], &device);
///
/// let verified = verify(&layer, |layer| layer.tap(x.clone()).powi_scalar(2).reshape([3]))?;
/// assert!(verified.warnings.is_empty());
///
/// // Losses that are centred over the draw: each depends on all examples.
/// let centred = verify(&layer, |layer| {
///     let y = layer.tap(x.clone()).powi_scalar(2).reshape([3]);
///     y.clone() - y.mean()
/// });
/// assert!(matches!(centred, Err(GradError::Coupled { .. })));
/// # Ok::<(), GradError>(())
/// ```
///
/// # Errors
///
/// Those of [`trace`](crate::trace()); [`GradError::Coupled`] when examples depend on each other;
/// [`GradError::Disagrees`] when the traced update is not that of Burn's own backward pass; [`GradError::Untrained`]
/// when all gradients are zero; [`GradError::Read`] when numbers can't be read.
pub fn verify<M, F>(model: &M, losses: F) -> Result<Verified, GradError>
where
    M: Module,
    F: Fn(&M) -> Tensor<1>,
{
    Tracer::default().verify(model, losses)
}

impl Tracer {
    /// [`verify`](crate::verify()) with these options.
    ///
    /// # Errors
    ///
    /// Those of [`verify`](crate::verify()).
    pub fn verify<M, F>(&self, model: &M, losses: F) -> Result<Verified, GradError>
    where
        M: Module,
        F: Fn(&M) -> Tensor<1>,
    {
        let Subject {
            model: copy,
            wanted,
        } = self.subject(model)?;
        let seed = Seed::of(&copy, wanted.copied.context.as_ref())?;
        let check = Check {
            wanted: &wanted,
            seed: &seed,
            losses: &|| losses(&copy),
            rounding: &|dtype| Rounding::of(&copy, dtype),
            flattened: &|update| flattened(model, update),
            batch_norm: batch_norm(&copy),
            seen: Vec::new(),
        };
        let found = RunningStatistics::kept(model, || check.run());
        seed.go_on();
        found
    }
}

/// Parameters whose gradient Burn's own backward pass gets wrong on this draw, with what is wrong: one forward pass.
/// Found where the layer is tapped. For steps that take their gradients from Burn's own backward pass; those that trace
/// are right, and [`verify`] warns.
///
/// # Errors
///
/// [`GradError::Nested`] inside a trace, and those of a model whose parameters can't be [told
/// apart](GradError::Identity).
pub fn burn_faults<M: Module>(
    model: &M,
    losses: impl FnOnce(&M) -> Tensor<1>,
) -> Result<Vec<(String, BurnFault)>, GradError> {
    let subject = Tracer::default().subject(model)?;
    let passed = RunningStatistics::kept(model, || subject.look(losses))?;
    Ok(passed.faults())
}

/// A check in progress. It knows no type of model, so that it is compiled once.
struct Check<'a> {
    wanted: &'a Wanted,
    seed: &'a Seed,
    /// The losses of the copy.
    losses: &'a dyn Fn() -> Tensor<1>,
    /// What rounding explains in it, for losses of a type.
    rounding: &'a dyn Fn(DType) -> Rounding,
    /// An update of the model, flattened.
    flattened: &'a dyn Fn(&GradientsParams) -> HashMap<ParamId, Tensor<1>>,
    /// A batch norm of the copy that takes its training form.
    batch_norm: Option<String>,
    /// The losses of every pass so far.
    seen: Vec<Vec<f64>>,
}

impl<'a> Check<'a> {
    fn run(mut self) -> Result<Verified, GradError> {
        self.seed.start();
        let own = strategy::run(self.losses)?;
        self.seen.push(host(own.clone())?);
        let rounding = (self.rounding)(own.dtype());
        let parts = Parts::of(&own);
        let weighted = |losses: &Tensor<1>| {
            (losses.clone() * parts.weights.clone().cast(losses.dtype())).sum()
        };

        let whole = self.pass()?;
        if let Some(warning) = self.not_finite() {
            return Ok(Verified::unchecked(warning));
        }
        let faults = whole.faults();
        let mut arrived = Vec::new();
        let total = weighted(&whole.losses);
        let traced = whole.backward(&total, &mut |_, deltas| arrived.push(deltas.clone()))?;
        // The rows are weighted already.
        let update = traced.gradients.combine(&traced.losses.ones_like())?;
        let update = (self.flattened)(&update);

        if let Some(part) = &parts.part {
            let passed = self.pass()?;
            if let Some(warning) = self.not_finite() {
                return Ok(Verified::unchecked(warning));
            }
            let repeats = rounding.repeats(&self.seen);
            let before = repeats.then_some((&parts.weights, arrived.as_slice()));
            let batch_norm = self.batch_norm.as_deref();
            separate(passed, part.of(repeats), before, &rounding, batch_norm)?;
        }

        let repeats = rounding.repeats(&self.seen);
        let reached = match repeats {
            true => self.wanted.copied.reached(&weighted(&own).backward()),
            false => HashMap::new(),
        };
        let mut found = Update::all(self.wanted, &reached, &update, &layers_of(&traced))?;
        let mut warnings = shared(&self.wanted.chosen);
        warnings.extend(zero(&found)?);
        found.retain(|each| !faults.iter().any(|(path, _)| *path == each.path));
        let faulty = |(path, fault)| Warning::BurnFault { path, fault };
        warnings.extend(faults.into_iter().map(faulty));
        let differences = match repeats {
            true => compared(&found, &rounding)?,
            false => {
                warnings.push(Warning::Random);
                Vec::new()
            }
        };
        Ok(Verified {
            differences,
            warnings,
        })
    }

    /// A traced forward pass.
    fn pass(&mut self) -> Result<ForwardPass<'a>, GradError> {
        self.seed.start();
        let passed = self.wanted.forward(Box::new(self.losses))?;
        self.seen.push(host(passed.losses.clone())?);
        Ok(passed)
    }

    fn not_finite(&self) -> Option<Warning> {
        let first = |losses: &Vec<f64>| losses.iter().position(|loss| !loss.is_finite());
        let example = self.seen.iter().find_map(first)?;
        Some(Warning::NotFinite { example })
    }
}

/// A warning that names the parameters whose gradient is zero for every example; an error if all are.
fn zero(found: &[Update]) -> Result<Option<Warning>, GradError> {
    let zero = found.iter().filter(|each| each.traced == 0.0);
    let paths: Vec<String> = zero.map(|each| each.path.clone()).collect();
    if paths.len() == found.len() {
        let problem = "the gradients of all parameters are zero for every example of the draw";
        return Err(GradError::Untrained { problem });
    }
    Ok((!paths.is_empty()).then_some(Warning::Zero { paths }))
}

/// The parameters that stand in several places.
fn shared(chosen: &Chosen) -> Vec<Warning> {
    let several = chosen
        .parameters
        .iter()
        .filter(|each| !each.shared.is_empty());
    several
        .map(|each| Warning::Shared {
            path: each.path.clone(),
            others: each.shared.clone(),
        })
        .collect()
}
