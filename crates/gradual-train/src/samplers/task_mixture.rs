use rand_chacha::ChaCha8Rng;

use crate::TrainError;
use crate::sampler::{Sampler, Stock, Wanted};

/// The task's own distribution, as it comes. The default.
#[derive(Debug, Clone, Copy, Default)]
pub struct TaskMixture;

impl Sampler for TaskMixture {
    fn check(&self, _stock: Stock) -> Result<(), TrainError> {
        Ok(())
    }

    fn next(
        &mut self,
        _step: u64,
        n: usize,
        _stock: Stock,
        _random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        Ok(Wanted::Any(n))
    }
}
