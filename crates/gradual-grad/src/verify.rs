//! Whether the per-example gradients of a model are what they are taken for.
//!
//! # The idea
//!
//! A trace is right if every use of every parameter goes through a tap, if a tap does what `forward` does, and if no
//! example's loss depends on another example. A [trace](crate::trace()) sees for itself where a parameter was used
//! outside of any tap. The rest is found by comparison, on the draw and the losses of a training step.
//!
//! # The steps
//!
//! 1. Burn's own forward and backward pass of Σ_j w_j ℓ_j, no tap seen; w are random weights, so that nothing cancels.
//! 2. A trace, whose update is to be that of step 1, parameter by parameter.
//! 3. A trace whose backward pass starts from the losses of one half of the draw. What arrives at an example of the
//!    *other* half came through a coupling: batch statistics, negatives out of the draw, a first axis that does not
//!    count examples. What arrives at an example of this half is to be what arrived in step 2, over its weight.
//!
//! All three passes are to give the same losses. Where they do not, because the closure is random, steps 2 and 3 can't
//! be compared with others, and what is left of the check is that nothing arrives at the other half.
//!
//! # The cost
//!
//! Three passes, once: less than four ordinary steps. What couples nothing but examples of the other half with each
//! other is not seen; which half that is, is random, so this takes a coupling of very few examples.
//!
//! Where the model trains with random numbers of the device (dropout), the device's generator is seeded, from a number
//! that it is asked for, so that all passes draw the same.

use std::collections::HashMap;
use std::fmt;

use burn::module::{Flag, Module, ModuleVisitor, Param, ParamId};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Distribution, Tensor, TensorData};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::host::read;
use crate::trace::{Passed, Subject};
use crate::{GradError, Traced, Tracer};

const OPERATION: &str = "verify";

/// Share of the largest entry that may arrive at an example of the other half, for rounding of fused kernels.
const COUPLED: f64 = 1e-5;

/// What [`verify`] found besides errors.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// Path of each parameter, and how far the traced update is from Burn's own: the largest difference, as a share of
    /// the largest entry. Empty where they could not be compared.
    pub differences: Vec<(String, f64)>,
    /// What a training run should know of.
    pub warnings: Vec<Warning>,
}

/// What is no error and yet worth a look.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The gradient of these parameters is zero for every example of the draw.
    Zero {
        /// Their paths.
        paths: Vec<String>,
    },
    /// Clones of a layer share one parameter.
    Shared {
        /// The path that an optimizer moves.
        path: String,
        /// The others.
        others: Vec<String>,
    },
    /// The closure gives other losses each time, so Burn's own gradients can't be compared with.
    Random,
    /// A loss is NaN or infinite, so nothing could be compared.
    NotFinite {
        /// The first such example.
        example: usize,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero { paths } => write!(
                f,
                "no example of the draw has a gradient for {}: not trained now (a dead unit, a branch that was not \
                 taken, the A of a LoRA adapter whose B is still zero)",
                paths.join(", ")
            ),
            Self::Shared { path, others } => write!(
                f,
                "{path} and {} are one parameter (clones of a layer): an optimizer moves {path} alone; initialise \
                 each layer by itself",
                others.join(", ")
            ),
            Self::Random => write!(
                f,
                "the closure gives other losses each time it is called (random numbers that no seed of the device \
                 governs), so the gradients could not be compared with Burn's own"
            ),
            Self::NotFinite { example } => write!(
                f,
                "the loss of example {example} is NaN or infinite, so the gradients could not be checked"
            ),
        }
    }
}

/// Checks the per-example gradients of `model` on one draw: whether they add up to those of Burn's own backward pass,
/// parameter by parameter, and whether every example's gradient is its own. See the [module](self) for how.
///
/// `losses` is the closure of [`trace`](crate::trace()); it is called three times.
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
        let subject = self.subject(model)?;
        let seed = Seed::of(&subject)?;
        seed.start();
        let own = losses(&subject.copied.model);
        let parts = Parts::of(&own);

        let mut seen = vec![host(own.clone())?];
        let mut passed = |seed: &Seed| -> Result<_, GradError> {
            seed.start();
            let passed = subject.forward(&losses)?;
            seen.push(host(passed.losses.clone())?);
            Ok((passed, not_finite(&seen), repeatable(&seen, own.dtype())))
        };
        let unchecked = |warning| {
            seed.go_on();
            Ok(Verified {
                differences: Vec::new(),
                warnings: vec![warning],
            })
        };

        let (whole, broken, _) = passed(&seed)?;
        if let Some(warning) = broken {
            return unchecked(warning);
        }
        let mut arrived = Vec::new();
        let weights = parts.weights.clone().cast(whole.losses.dtype());
        let total = (whole.losses.clone() * weights).sum();
        let traced = whole.backward(&total, |_, deltas| arrived.push(deltas.clone()))?;
        // The rows are weighted already.
        let update = traced.gradients.combine(&traced.losses.ones_like())?;
        let update = flattened(model, &update);

        let mut same = repeatable(
            &[host(own.clone())?, host(traced.losses.clone())?],
            own.dtype(),
        );
        if let Some(half) = &parts.half {
            let (passed, broken, repeats) = passed(&seed)?;
            if let Some(warning) = broken {
                return unchecked(warning);
            }
            same = repeats;
            let before = repeats.then_some((&parts.weights, arrived.as_slice()));
            separate(passed, half, before)?;
        }
        seed.go_on();

        let reached = match same {
            true => {
                let total = (own.clone() * parts.weights.clone().cast(own.dtype())).sum();
                subject.copied.reached(&total.backward())
            }
            false => HashMap::new(),
        };
        let found = Update::all(&subject, &reached, &update, &layers_of(&traced))?;
        let zero: Vec<String> = found
            .iter()
            .filter(|each| each.traced == 0.0)
            .map(|each| each.path.clone())
            .collect();
        if zero.len() == found.len() {
            let problem = "the gradients of all parameters are zero for every example of the draw";
            return Err(GradError::Untrained { problem });
        }
        let mut warnings = shared(&subject);
        if !zero.is_empty() {
            warnings.push(Warning::Zero { paths: zero });
        }
        if reached.is_empty() {
            warnings.push(Warning::Random);
            return Ok(Verified {
                differences: Vec::new(),
                warnings,
            });
        }
        Ok(Verified {
            differences: compared(&found, epsilon(own.dtype()))?,
            warnings,
        })
    }
}

/// One half of a draw, as `[n]` of ones and zeros, and a weight for every example.
struct Parts {
    /// None for a draw of one example.
    half: Option<Tensor<1>>,
    weights: Tensor<1>,
}

impl Parts {
    fn of(losses: &Tensor<1>) -> Self {
        let [n] = losses.dims();
        let device = losses.device().inner();
        let on = |values: Vec<f32>| Tensor::from_data(TensorData::new(values, [n]), &device);
        // The same each time, so that a run that goes on checks what it checked before.
        let mut random = ChaCha8Rng::seed_from_u64(n as u64);
        let weights = (0..n).map(|_| random.random_range(0.5..1.5)).collect();
        let mut order: Vec<usize> = (0..n).collect();
        order.shuffle(&mut random);
        let mut half = vec![0.0; n];
        for &j in &order[n / 2..] {
            half[j] = 1.0;
        }
        Self {
            half: (n > 1).then(|| on(half)),
            weights: on(weights),
        }
    }
}

/// What arrived at the output of one use of a layer.
struct Arrived {
    path: String,
    layer: &'static str,
    /// Largest entry at an example outside of the half, largest difference from before at one inside, and largest entry
    /// at all: `[3]`.
    largest: Tensor<1>,
}

/// Checks that nothing arrives at the examples outside of `half`, and at those inside what arrived `before`, when their
/// losses were weighted.
fn separate<M: Module>(
    passed: Passed<'_, M>,
    half: &Tensor<1>,
    before: Option<(&Tensor<1>, &[Tensor<2>])>,
) -> Result<(), GradError> {
    let [n] = passed.losses.dims();
    let subject = passed.subject;
    let paths: HashMap<ParamId, String> = passed.paths();
    let total = (passed.losses.clone() * half.clone().cast(passed.losses.dtype())).sum();
    let rounding = 4.0 * epsilon(passed.losses.dtype()).sqrt();
    let outside = half.clone().neg().add_scalar(1.0);
    let mut all: Vec<Arrived> = Vec::new();
    passed.backward(&total, |seen, deltas| {
        let rows = seen.examples;
        let by_example = |deltas: Tensor<2>| {
            let size = deltas.shape().num_elements() / rows;
            let largest = deltas.abs().reshape([rows, size]).max_dim(1);
            let largest = largest.cast(DType::F32).reshape([rows]);
            match subject.views {
                Some(views) if rows != n => views.largest(largest),
                _ => largest,
            }
        };
        let own = by_example(deltas.clone());
        let elsewhere = (own.clone() * outside.clone()).max();
        let otherwise = before.and_then(|(weights, arrived)| {
            let earlier = arrived.get(all.len())?;
            let [size, columns] = deltas.dims();
            let weights = match subject.views {
                Some(views) if rows != n => views.spread(weights.clone()),
                _ => weights.clone(),
            };
            let weights = weights.reshape([rows, 1]).expand([rows, size / rows]);
            let weights = weights.reshape([size, 1]).cast(deltas.dtype());
            (earlier.dims() == [size, columns]).then(|| {
                let difference = deltas.clone() - earlier.clone() / weights;
                (by_example(difference) * half.clone()).max()
            })
        });
        let otherwise = otherwise.unwrap_or_else(|| elsewhere.clone().zeros_like());
        let path = seen.parameters.first().and_then(|id| paths.get(id));
        all.push(Arrived {
            path: path.cloned().unwrap_or_default(),
            layer: seen.layer,
            largest: Tensor::cat(vec![elsewhere, otherwise, own.max()], 0),
        });
    })?;
    if all.is_empty() {
        return Ok(());
    }
    let largest = Tensor::cat(all.iter().map(|each| each.largest.clone()).collect(), 0);
    let largest: Vec<f64> = host(largest)?;
    // The last use that is coupled names the place: what mixes the examples comes after it.
    for (at, numbers) in largest.chunks(3).enumerate().rev() {
        let (elsewhere, otherwise, anywhere) = (numbers[0], numbers[1], numbers[2]);
        if elsewhere > COUPLED * anywhere || otherwise > rounding * anywhere {
            return Err(GradError::Coupled {
                path: all[at].path.clone(),
                layer: all[at].layer,
                share: elsewhere.max(otherwise) / anywhere,
                before: all.get(at + 1).map(|next| next.path.clone()),
                batch_norm: batch_norm(&subject.copied.model),
            });
        }
    }
    Ok(())
}

/// A batch norm of the model that takes its training form.
fn batch_norm<M: Module>(model: &M) -> Option<String> {
    struct Find {
        path: Vec<(String, bool)>,
        found: Option<String>,
    }
    impl ModuleVisitor for Find {
        fn visit_flag(&mut self, flag: &Param<Flag>) {
            let inside = self.path.len().checked_sub(2).map(|at| &self.path[at]);
            if flag.is_enabled() && inside.is_some_and(|(_, batch_norm)| *batch_norm) {
                let names: Vec<&str> = self.path.iter().map(|(name, _)| name.as_str()).collect();
                self.found.get_or_insert(names[..names.len() - 1].join("."));
            }
        }

        fn enter_module(&mut self, name: &str, container: &str) {
            // The type is that of the container of `name`.
            if let Some(last) = self.path.last_mut() {
                last.1 = container == "Struct:BatchNorm";
            }
            self.path.push((name.to_owned(), false));
        }

        fn exit_module(&mut self, _name: &str, _container: &str) {
            self.path.pop();
        }
    }
    let mut find = Find {
        path: Vec::new(),
        found: None,
    };
    model.visit(&mut find);
    find.found
}

/// What makes passes draw the same random numbers on the device, where a model trains with some.
struct Seed(Option<(Device, u64)>);

impl Seed {
    fn of<M: Module>(subject: &Subject<M>) -> Result<Self, GradError> {
        struct Enabled(bool);
        impl ModuleVisitor for Enabled {
            fn visit_flag(&mut self, flag: &Param<Flag>) {
                self.0 = self.0 || flag.is_enabled();
            }
        }
        let mut enabled = Enabled(false);
        subject.copied.model.visit(&mut enabled);
        let device = subject.copied.context.clone().filter(|_| enabled.0);
        let Some(device) = device.map(Device::inner) else {
            return Ok(Self(None));
        };
        // Out of the device's own numbers, so that runs that were seeded apart stay apart.
        let drawn = Tensor::<1>::random([2], Distribution::Uniform(0.0, 1.0), &device);
        let drawn = host(drawn)?;
        let seed = drawn.iter().fold(1, |seed: u64, number| {
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.to_bits()
        });
        Ok(Self(Some((device, seed))))
    }

    fn start(&self) {
        if let Some((device, seed)) = &self.0 {
            device.seed(*seed);
        }
    }

    /// Other numbers from here on.
    fn go_on(&self) {
        if let Some((device, seed)) = &self.0 {
            device.seed(seed.wrapping_add(1));
        }
    }
}

/// The updates of one parameter from a trace and from Burn's own backward pass.
struct Update {
    path: String,
    /// Largest entry of the traced update.
    traced: f64,
    /// Largest entry of Burn's own, and of the difference.
    own: f64,
    difference: f64,
    layers: String,
}

impl Update {
    /// Of all parameters; all numbers are read together.
    fn all<M: Module>(
        subject: &Subject<M>,
        reached: &HashMap<ParamId, Tensor<1>>,
        update: &HashMap<ParamId, Tensor<1>>,
        layers: &HashMap<String, String>,
    ) -> Result<Vec<Self>, GradError> {
        let largest = |values: Tensor<1>| values.abs().max().cast(DType::F32);
        let (mut numbers, mut known) = (Vec::new(), Vec::new());
        for parameter in &subject.parameters {
            let traced = update.get(&parameter.id).cloned();
            let own = reached.get(&subject.copied.renamed[&parameter.id]);
            let own = own.map(|own| own.clone().inner());
            let like = traced.clone().or_else(|| own.clone());
            known.push(like.is_some());
            let Some(like) = like else { continue };
            let wide = match like.dtype() {
                DType::F16 | DType::BF16 => DType::F32,
                dtype => dtype,
            };
            let [traced, own] = [traced, own].map(|each| {
                let each = each.unwrap_or_else(|| like.clone().zeros_like());
                each.cast(wide)
            });
            let difference = own.clone() - traced.clone();
            numbers.push(Tensor::cat(
                vec![largest(traced), largest(own), largest(difference)],
                0,
            ));
        }
        let numbers = match numbers.is_empty() {
            true => Vec::new(),
            false => host(Tensor::cat(numbers, 0))?,
        };
        let mut numbers = numbers.chunks(3);
        let each = subject.parameters.iter().zip(known);
        Ok(each
            .map(|(parameter, known)| {
                // What no gradient has reached is zero.
                let numbers = known.then(|| numbers.next()).flatten().unwrap_or(&[0.0; 3]);
                Self {
                    path: parameter.path.clone(),
                    traced: numbers[0],
                    own: numbers[1],
                    difference: numbers[2],
                    layers: layers.get(&parameter.path).cloned().unwrap_or_default(),
                }
            })
            .collect())
    }
}

/// Differences as shares of the largest entries, none larger than rounding explains.
fn compared(found: &[Update], epsilon: f64) -> Result<Vec<(String, f64)>, GradError> {
    let overall = found.iter().map(|each| each.own.max(each.traced));
    let overall = overall.fold(0.0, f64::max);
    let allowed = 4.0 * epsilon.sqrt();
    let ratio = |each: &Update| {
        // Gradients that are nothing but rounding (of an attention's key bias) are as large as the others' rounding.
        let size = each.own.max(each.traced).max(allowed * overall);
        if size > 0.0 {
            each.difference / size
        } else {
            0.0
        }
    };
    let worst = found.iter().max_by(|a, b| ratio(a).total_cmp(&ratio(b)));
    match worst {
        Some(each) if ratio(each) > allowed => Err(GradError::Disagrees {
            path: each.path.clone(),
            ratio: ratio(each),
            allowed,
            layers: each.layers.clone(),
        }),
        _ => {
            let each = found.iter().map(|each| (each.path.clone(), ratio(each)));
            Ok(each.collect())
        }
    }
}

/// The gradients of a model's parameters, flattened.
fn flattened<M: Module>(model: &M, gradients: &GradientsParams) -> HashMap<ParamId, Tensor<1>> {
    struct Collect<'a>(&'a GradientsParams, HashMap<ParamId, Tensor<1>>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.0.get::<D>(param.id) {
                let size = gradient.shape().num_elements();
                self.1.insert(param.id, gradient.reshape([size]));
            }
        }
    }
    let mut collect = Collect(gradients, HashMap::new());
    model.visit(&mut collect);
    collect.1
}

/// The layers that use each parameter.
fn layers_of(traced: &Traced) -> HashMap<String, String> {
    let coverage = traced.gradients.coverage();
    let covered = coverage.covered().iter();
    covered
        .map(|each| (each.path.clone(), each.uses.join(", ")))
        .collect()
}

/// The parameters that stand in several places.
fn shared<M: Module>(subject: &Subject<M>) -> Vec<Warning> {
    let several = subject
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

/// Whether all passes gave the same losses, but for what a device may round otherwise each time.
fn repeatable(seen: &[Vec<f64>], dtype: DType) -> bool {
    let near =
        |a: f64, b: f64| (a - b).abs() <= 64.0 * epsilon(dtype) * a.abs().max(b.abs()).max(1e-30);
    seen.windows(2).all(|pair| {
        pair[0].len() == pair[1].len() && pair[0].iter().zip(&pair[1]).all(|(&a, &b)| near(a, b))
    })
}

fn not_finite(seen: &[Vec<f64>]) -> Option<Warning> {
    let first = |losses: &Vec<f64>| losses.iter().position(|loss| !loss.is_finite());
    let example = seen.iter().find_map(first)?;
    Some(Warning::NotFinite { example })
}

/// The distance from 1 to the next number.
fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F16 => 9.77e-4,
        DType::BF16 => 7.81e-3,
        _ => f64::from(f32::EPSILON),
    }
}

fn host(tensor: Tensor<1>) -> Result<Vec<f64>, GradError> {
    let operation = OPERATION;
    read(tensor).map_err(|problem| GradError::Read { operation, problem })
}
