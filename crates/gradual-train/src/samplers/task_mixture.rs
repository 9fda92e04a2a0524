use gradual_registry::Entry;
use rand_chacha::ChaCha8Rng;

use super::context::SamplerContext;
use super::sampler::{Sampler, TaskSize, Wanted};
use crate::error::TrainError;

pub(crate) static ENTRY: Entry<SamplerContext, Box<dyn Sampler>> = Entry {
    name: "task",
    about: "the task's own distribution, as it comes",
    facts: &[],
    parameters: &[],
    build: |_, _| Ok(Box::new(TaskMixture)),
};

/// The task's own distribution, as it comes. The default.
#[derive(Debug, Clone, Copy, Default)]
pub struct TaskMixture;

impl Sampler for TaskMixture {
    fn check(&self, _size: TaskSize) -> Result<(), TrainError> {
        Ok(())
    }

    fn next(
        &mut self,
        _step: u64,
        n: usize,
        _size: TaskSize,
        _random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        Ok(Wanted::Any(n))
    }
}
