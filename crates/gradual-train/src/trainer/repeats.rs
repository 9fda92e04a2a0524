//! What a task gives has to come from the given random numbers alone.
//!
//! Arms of a seed are compared pair by pair, and a run goes on where it was stopped: both ask for the same weights and the same
//! examples again. So weights are drawn twice from the same numbers, and the first examples too, and have to come out the
//! same.

use std::hash::{DefaultHasher, Hash, Hasher};

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;
use gradual_grad::{draw_parameters, host};
use rand_chacha::ChaCha8Rng;

use super::begin::WEIGHTS;
use super::builder::Trainer;
use crate::error::TrainError;
use crate::generator;
use crate::samplers::sampler::Wanted;
use crate::step::decided::first_that_differs;
use crate::task::{Drawn, Task};

/// How often fresh weights are drawn before they are said not to come from the given random numbers: something else in the
/// process may just have drawn from the device.
const TRIES: usize = 4;

impl<T: Task> Trainer<'_, T> {
    /// A model with fresh weights, the same each time.
    ///
    /// The device's generator is seeded first, and no other run draws from it meanwhile, so those of Burn's own
    /// `init(device)` are the same, too.
    pub(super) fn fresh_model(&self) -> Result<T::Model, TrainError> {
        let fresh = || {
            generator::alone(|| {
                let on = self.device.clone().autodiff();
                self.device.seed(self.config.seed);
                let model = self.task.model(&mut self.stream(WEIGHTS), &on);
                // The first step says what is wrong with them, if anything is.
                let _ = draw_parameters(&model);
                model
            })
        };
        if !self.config.verify {
            return Ok(fresh());
        }
        let mut before = Digests::of(&fresh())?;
        let mut parameter = String::new();
        for _ in 1..TRIES {
            let model = fresh();
            let digests = Digests::of(&model)?;
            match before.difference(&digests) {
                None => return Ok(model),
                Some(path) => parameter = path.to_owned(),
            }
            before = digests;
        }
        Err(TrainError::Weights { parameter })
    }

    /// Refuses a task whose draws are others when they are drawn again from the same random numbers.
    pub(super) fn check_draw(
        &self,
        model: &T::Model,
        wanted: Wanted,
        mut random: ChaCha8Rng,
        drawn: &[Drawn<T::Batch>],
    ) -> Result<(), TrainError> {
        // As other runs leave it.
        self.device.seed(!self.config.seed);
        let first = wanted.split(self.config.parts).into_iter().next();
        let (Some(first), Some(wanted)) = (drawn.first(), first) else {
            return Ok(());
        };
        let again = self.draw(wanted, 1, &mut random)?;
        let Some(again) = again.first() else {
            return Ok(());
        };
        let refused = |problem: String| Err(TrainError::Draws { problem });
        let differs = |(a, b): (&Option<usize>, &Option<usize>)| a != b;
        let labels = || first.labels.iter().zip(&again.labels);
        if first.labels.len() != again.labels.len() {
            let (one, other) = (first.labels.len(), again.labels.len());
            return refused(format!("there are {one} of them, and then {other}"));
        }
        if let Some(example) = labels().position(differs) {
            return refused(format!("example {example} has another label"));
        }
        // Without what training adds: dropout, running statistics.
        let model = model.valid();
        let read = |part: &Drawn<T::Batch>| {
            let losses = self.task.losses(&model, &part.batch);
            host::read::<f32, 1>(losses).map_err(|problem| TrainError::Read {
                operation: "losses of the first draw",
                problem,
            })
        };
        let (losses, others) = (read(first)?, read(again)?);
        match first_that_differs(&losses, &others) {
            None => Ok(()),
            Some(example) => {
                let (one, other) = (losses[example], others[example]);
                refused(format!(
                    "the loss of example {example} is {one}, and then {other}"
                ))
            }
        }
    }
}

/// What the float parameters of a model hold, path by path.
struct Digests(Vec<(String, u64)>);

impl Digests {
    fn of<M: Module>(model: &M) -> Result<Self, TrainError> {
        let mut reader = Reader {
            path: Vec::new(),
            read: Ok(Vec::new()),
        };
        model.visit(&mut reader);
        reader.read.map(Self).map_err(|problem| TrainError::Read {
            operation: "fresh weights",
            problem,
        })
    }

    /// The first parameter that is not the same.
    fn difference<'a>(&'a self, other: &'a Self) -> Option<&'a str> {
        let longer = match self.0.len() < other.0.len() {
            true => other,
            false => self,
        };
        let pairs = self.0.iter().zip(&other.0);
        let differs = pairs.clone().position(|(one, other)| one != other);
        let at = differs.or_else(|| longer.0.get(pairs.len()).map(|_| pairs.len()));
        at.map(|at| longer.0[at].0.as_str())
    }
}

struct Reader {
    path: Vec<String>,
    read: Result<Vec<(String, u64)>, String>,
}

impl ModuleVisitor for Reader {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Ok(digests) = &mut self.read else {
            return;
        };
        match host::read::<f64, D>(param.val()) {
            Err(problem) => self.read = Err(problem),
            Ok(values) => {
                let mut hasher = DefaultHasher::new();
                values
                    .iter()
                    .for_each(|value| value.to_bits().hash(&mut hasher));
                digests.push((self.path.join("."), hasher.finish()));
            }
        }
    }

    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }
}
