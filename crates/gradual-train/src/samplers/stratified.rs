use std::collections::HashSet;

use gradual_registry::{Entry, Parameter, Value};
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::context::SamplerContext;
use super::sampler::{Sampler, TaskSize, Wanted};
use crate::error::TrainError;

pub(crate) static ENTRY: Entry<SamplerContext, Box<dyn Sampler>> = Entry {
    name: "stratified",
    about: "as many examples of each of several capabilities, drawn anew for every step",
    facts: &[],
    parameters: &[
        Parameter::count("capabilities", "capabilities in each draw", 1)
            .at_least(1.0)
            .at_most(1e6)
            .or_words(&["all"])
            .word_by_default("all"),
    ],
    build: |arguments, context| {
        let trained = context.trained();
        let capabilities = match arguments.value("capabilities")? {
            Value::Word(_) => trained.len(),
            _ => arguments.count("capabilities")?,
        };
        Ok(Box::new(Stratified::new(trained, capabilities)?))
    },
};

/// Random examples of each of several capabilities: "using random examples drawn from g" (A. Jermyn,
/// 2022), the post's estimate of the loss of a group.
///
/// Each draw takes `groups` different ones of the given capabilities at random, and as many examples of
/// each; what does not divide evenly goes to the first. A group's loss is then a mean of as many examples for a rare
/// capability as for a frequent one, so that its square is not biased upwards for the rare ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stratified {
    among: Vec<usize>,
    groups: usize,
}

impl Stratified {
    /// `groups` of the capabilities `among` in each draw.
    ///
    /// # Errors
    ///
    /// [`TrainError::Sampler`] for no group, for more groups than capabilities, and for a capability
    /// that is there twice.
    pub fn new(among: impl IntoIterator<Item = usize>, groups: usize) -> Result<Self, TrainError> {
        let among: Vec<usize> = among.into_iter().collect();
        let mut seen = HashSet::new();
        let twice = among.iter().find(|&&each| !seen.insert(each));
        let problem = if groups == 0 {
            String::from("at least one capability is needed in each draw, got 0")
        } else if groups > among.len() {
            format!(
                "{groups} different capabilities were asked for in each draw, of {}",
                among.len()
            )
        } else if let Some(capability) = twice {
            format!("capability {capability} is there twice")
        } else {
            return Ok(Self { among, groups });
        };
        Err(TrainError::Sampler {
            sampler: "stratified",
            problem,
        })
    }
}

impl Sampler for Stratified {
    fn check(&self, size: TaskSize) -> Result<(), TrainError> {
        match self
            .among
            .iter()
            .find(|&&each| each >= size.num_capabilities)
        {
            None => Ok(()),
            Some(unknown) => Err(TrainError::Sampler {
                sampler: "stratified",
                problem: format!(
                    "draws capability {unknown}, but the task has {}",
                    size.num_capabilities
                ),
            }),
        }
    }

    fn next(
        &mut self,
        _step: u64,
        n: usize,
        size: TaskSize,
        random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        self.check(size)?;
        let chosen = sample(random, self.among.len(), self.groups).into_vec();
        let each = chosen.iter().enumerate().flat_map(|(place, &at)| {
            let more = usize::from(place < n % self.groups);
            std::iter::repeat_n(self.among[at], n / self.groups + more)
        });
        Ok(Wanted::Of(each.collect()))
    }

    fn frequencies(&self, _step: u64, size: TaskSize) -> Option<Vec<f64>> {
        let mut frequencies = vec![0.0; size.num_capabilities];
        for &capability in &self.among {
            *frequencies.get_mut(capability)? = 1.0 / self.among.len() as f64;
        }
        Some(frequencies)
    }
}
