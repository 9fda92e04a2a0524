use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use crate::TrainError;
use crate::sampler::{Sampler, Stock, Wanted};

/// Random examples of each of several capabilities: "using random examples drawn from g" (A. Jermyn,
/// 2022), the post's estimate of the loss of a group.
///
/// Each draw takes `groups` different capabilities at random, and as many examples of each; what does
/// not divide evenly goes to the first. A group's loss is then a mean of as many examples for a rare
/// capability as for a frequent one, so that its square is not biased upwards for the rare ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stratified {
    groups: usize,
}

impl Stratified {
    /// Of `groups` capabilities in each draw.
    ///
    /// # Errors
    ///
    /// [`TrainError::Sampler`] for none.
    pub fn new(groups: usize) -> Result<Self, TrainError> {
        match groups {
            0 => Err(TrainError::Sampler {
                sampler: "stratified",
                problem: String::from("at least one capability is needed in each draw, got 0"),
            }),
            _ => Ok(Self { groups }),
        }
    }
}

impl Sampler for Stratified {
    fn check(&self, stock: Stock) -> Result<(), TrainError> {
        match self.groups <= stock.capabilities {
            true => Ok(()),
            false => Err(TrainError::Sampler {
                sampler: "stratified",
                problem: format!(
                    "{} different capabilities were asked for in each draw, but the task has {}",
                    self.groups, stock.capabilities
                ),
            }),
        }
    }

    fn next(
        &mut self,
        _step: u64,
        n: usize,
        stock: Stock,
        random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        self.check(stock)?;
        let chosen = sample(random, stock.capabilities, self.groups).into_vec();
        let each = chosen.iter().enumerate().flat_map(|(place, &capability)| {
            let more = usize::from(place < n % self.groups);
            std::iter::repeat_n(capability, n / self.groups + more)
        });
        Ok(Wanted::Of(each.collect()))
    }
}
