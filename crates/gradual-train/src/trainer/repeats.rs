//! What a task gives has to come from the given random numbers alone.
//!
//! Arms of a seed are compared pair by pair, and a run goes on where it was stopped: both ask for the same weights and the same
//! examples again. So weights are drawn twice from the same numbers, and the first examples too, and have to come out the
//! same.

use burn::module::Module;
use gradual_grad::{RunningStatistics, draw_parameters, host};
use rand_chacha::ChaCha8Rng;

use super::begin::WEIGHTS;
use super::builder::Trainer;
use crate::digests::Digests;
use crate::error::TrainError;
use crate::generator;
use crate::samplers::sampler::Wanted;
use crate::step::decided::first_that_differs;
use crate::step::finite::is_half;
use crate::task::{Drawn, Task};

/// How often fresh weights are drawn before they are said not to come from the given random numbers: something else in the
/// process may just have drawn from the device.
const TRIES: usize = 4;

impl<T: Task> Trainer<'_, T> {
    /// A model with fresh weights, the same each time.
    ///
    /// The device's generator is seeded first, and no other run draws from it meanwhile, so those of Burn's own
    /// `init(device)` are the same, too.
    pub(super) fn fresh_model(&self) -> T::Model {
        generator::alone(|| {
            let model = self.drawn_model();
            // What a backend has only queued is not drawn yet. A device that fails says so in the first step.
            let _ = self.device.sync();
            model
        })
    }

    fn drawn_model(&self) -> T::Model {
        let on = self.device.clone().autodiff();
        self.device.seed(self.config.seed);
        let model = self.task.model(&mut self.stream(WEIGHTS), &on);
        // The first step says what is wrong with them, if anything is.
        let _ = draw_parameters(&model);
        model
    }

    /// The same model. If the run is verified, a task that gives other weights the second time is refused.
    pub(super) fn checked_model(&self) -> Result<T::Model, TrainError> {
        if !self.config.verify {
            return Ok(self.fresh_model());
        }
        let drawn = || {
            generator::alone(|| {
                let model = self.drawn_model();
                Digests::of(&model).map(|digests| (model, digests))
            })
        };
        let (_, mut before) = drawn()?;
        let mut parameter = String::new();
        for _ in 1..TRIES {
            let (model, digests) = drawn()?;
            match before.difference(&digests) {
                None => return Ok(model),
                Some(path) => parameter = path.to_owned(),
            }
            before = digests;
        }
        Err(TrainError::Weights { parameter })
    }

    /// Refuses a task whose draws are others when they are drawn again from the same random numbers. Compares numbers of
    /// examples, labels, items, and losses under the fresh model, as far as these see the inputs. Says whether the losses draw from
    /// the device: whether they are others under other random numbers of it.
    pub(super) fn check_draw(
        &self,
        model: &T::Model,
        wanted: Wanted,
        mut random: ChaCha8Rng,
        drawn: &[Drawn<T::Batch>],
    ) -> Result<bool, TrainError> {
        // As other runs leave it.
        self.device.seed(!self.config.seed);
        let first = wanted.split(self.config.parts).into_iter().next();
        let (Some(first), Some(wanted)) = (drawn.first(), first) else {
            return Ok(false);
        };
        let again = self.draw(wanted, 1, &mut random)?;
        let Some(again) = again.first() else {
            return Ok(false);
        };
        let refused = |problem: String| Err(TrainError::Draws { problem });
        let (one, other) = (first.labels.len(), again.labels.len());
        if one != other {
            return refused(format!("there are {one} of them, and then {other}"));
        }
        let mut labels = first.labels.iter().zip(&again.labels);
        if let Some(example) = labels.position(|(a, b)| a != b) {
            return refused(format!("example {example} has another label"));
        }
        if first.more_labels != again.more_labels {
            return refused("their further labels differ".to_owned());
        }
        if first.items != again.items {
            return refused("they are other items".to_owned());
        }
        // Of the same examples twice: where these differ, it is the loss that is random, of which the gradients' check tells.
        let seed = self.config.seed;
        // A graph that no backward pass goes through stays in memory until the next one does. Dropout goes on without it.
        let untracked = model.clone().no_grad();
        let [losses, same, others, random] =
            [(first, seed), (first, seed), (again, seed), (first, !seed)]
                .map(|(part, seed)| self.read_losses(&untracked, part, seed));
        let ((losses, half), (same, _), (others, _), (random, _)) =
            (losses?, same?, others?, random?);
        if first_that_differs(&losses, &same, half).is_some() {
            return Ok(true);
        }
        match first_that_differs(&losses, &others, half) {
            None => Ok(first_that_differs(&losses, &random, half).is_some()),
            Some(example) => {
                let (one, other) = (losses[example], others[example]);
                refused(format!(
                    "the loss of example {example} is {one}, and then {other}"
                ))
            }
        }
    }

    /// The losses of some examples, under the random numbers of the device that `seed` gives, and whether they are of half
    /// precision.
    pub(super) fn read_losses(
        &self,
        model: &T::Model,
        part: &Drawn<T::Batch>,
        seed: u64,
    ) -> Result<(Vec<f32>, bool), TrainError> {
        self.device.seed(seed);
        let before = RunningStatistics::of(model);
        let losses = self.task.losses(model, &part.batch);
        before.put_back(model);
        let half = is_half(losses.dtype());
        let read = host::read::<f32, 1>(losses).map_err(|problem| TrainError::Read {
            operation: "losses of the first draw",
            problem,
        });
        Ok((read?, half))
    }
}
