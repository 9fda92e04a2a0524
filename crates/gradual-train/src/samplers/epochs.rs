use gradual_group::State;
use gradual_registry::{Entry, Parameter};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::context::SamplerContext;
use super::sampler::{Sampler, TaskSize, Wanted};
use crate::error::TrainError;

pub(crate) static ENTRY: Entry<SamplerContext, Box<dyn Sampler>> = Entry {
    name: "epochs",
    about: "every item of finite training data once in each epoch",
    facts: &[],
    parameters: &[Parameter::count(
        "seed",
        "seed of the orders, which all runs share",
        0,
    )],
    build: |arguments, _| Ok(Box::new(Epochs::new(arguments.count("seed")? as u64))),
};

/// Every item of finite training data once in each epoch, in an order of its own.
///
/// A draw that the rest of an epoch does not fill continues with the next epoch, so that all draws have the same
/// size. The order of an epoch comes from the seed and its number alone.
#[derive(Debug, Clone)]
pub struct Epochs {
    seed: u64,
    place: Place,
    /// Items in the order of the present epoch; empty before the first draw.
    order: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    epoch: u64,
    /// Items of the epoch that were drawn.
    drawn: usize,
    /// Items in all, so that a state goes with its data only.
    items: usize,
}

impl Epochs {
    /// Orders that `seed` gives.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            place: Place {
                epoch: 0,
                drawn: 0,
                items: 0,
            },
            order: Vec::new(),
        }
    }

    /// Epochs that were drawn to the end.
    pub fn epoch(&self) -> u64 {
        self.place.epoch
    }

    fn shuffled(&self) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(self.place.epoch);
        let mut order: Vec<usize> = (0..self.place.items).collect();
        order.shuffle(&mut random);
        order
    }

    fn items(size: TaskSize) -> Result<usize, TrainError> {
        let problem = match size.num_items {
            Some(0) => "the task has no training items",
            None => "the task has no finite training data; it makes its examples anew",
            Some(items) => return Ok(items),
        };
        Err(TrainError::Sampler {
            sampler: "epochs",
            problem: problem.to_owned(),
        })
    }
}

impl Sampler for Epochs {
    fn check(&self, size: TaskSize) -> Result<(), TrainError> {
        let items = Self::items(size)?;
        match self.place.items {
            0 => Ok(()),
            known if known == items => Ok(()),
            known => Err(TrainError::Sampler {
                sampler: "epochs",
                problem: format!("was drawing from {known} items, but the task has {items}"),
            }),
        }
    }

    fn next(
        &mut self,
        _step: u64,
        n: usize,
        size: TaskSize,
        _random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        self.check(size)?;
        self.place.items = Self::items(size)?;
        let mut wanted = Vec::with_capacity(n);
        while wanted.len() < n {
            if self.place.drawn == self.place.items {
                self.place.epoch += 1;
                self.place.drawn = 0;
                self.order.clear();
            }
            if self.order.is_empty() {
                self.order = self.shuffled();
            }
            let rest = &self.order[self.place.drawn..];
            let taken = rest.len().min(n - wanted.len());
            wanted.extend_from_slice(&rest[..taken]);
            self.place.drawn += taken;
        }
        Ok(Wanted::Items(wanted))
    }

    fn state(&self) -> Result<State, TrainError> {
        Ok(State::new("epochs", &self.place)?)
    }

    fn restore(&mut self, state: &State) -> Result<(), TrainError> {
        let place: Place = state.read("epochs")?;
        if place.drawn > place.items {
            return Err(TrainError::Sampler {
                sampler: "epochs",
                problem: format!("{} of {} items can't be drawn", place.drawn, place.items),
            });
        }
        self.place = place;
        self.order.clear();
        Ok(())
    }
}
