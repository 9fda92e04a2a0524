//! Known groups, partly wrong.

use burn::tensor::Device;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::GroupError;
use crate::grouping::draw::Draw;
use crate::grouping::groups::{Average, Groups};
use crate::grouping::state::State;
use crate::grouping::{Grouping, Needs};

const OPERATION: &str = "noisy labels";

/// Groups by known label, of which a share is replaced by uniformly random ones, anew for every
/// draw.
///
/// A control for how good groups have to be: a grouping that recovers capabilities imperfectly can
/// be compared with labels that are wrong as often. A replaced label is the true one again in one
/// case of `groups`. An example without a label keeps none. Costs what
/// [`Labels`](crate::Labels) cost.
#[derive(Debug, Clone)]
pub struct NoisyLabels {
    groups: usize,
    share: f64,
    random: ChaCha8Rng,
}

impl NoisyLabels {
    /// Labels `0..groups`, each replaced with probability `share`; the same seed replaces the same
    /// labels draw after draw.
    ///
    /// # Errors
    ///
    /// [`GroupError::Share`] unless `share` is from 0 to 1.
    pub fn new(groups: usize, share: f64, seed: u64) -> Result<Self, GroupError> {
        if !(0.0..=1.0).contains(&share) {
            return Err(GroupError::Share {
                operation: OPERATION,
                got: share,
            });
        }
        Ok(Self {
            groups,
            share,
            random: ChaCha8Rng::seed_from_u64(seed),
        })
    }
}

impl Grouping for NoisyLabels {
    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn check(&self, _: usize) -> Result<(), GroupError> {
        match self.groups {
            0 => Err(GroupError::NoGroups {
                operation: OPERATION,
            }),
            _ => Ok(()),
        }
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        let labels = draw.labels(OPERATION)?;
        self.check(draw.examples())?;
        let noisy = labels.iter().map(|label| {
            label.map(|label| {
                let replaced = self.random.random::<f64>() < self.share;
                let other = self.random.random_range(0..self.groups);
                // A label out of range stays, to be refused below.
                if replaced && label < self.groups {
                    other
                } else {
                    label
                }
            })
        });
        let noisy = noisy.collect();
        Groups::hard(noisy, self.groups, Average::Mean, draw.options())
    }

    /// The place in the random numbers.
    fn state(&self) -> Result<State, GroupError> {
        State::of(OPERATION, &self.random)
    }

    fn restore(&mut self, state: &State, _: &Device) -> Result<(), GroupError> {
        self.random = state.read(OPERATION)?;
        Ok(())
    }
}
