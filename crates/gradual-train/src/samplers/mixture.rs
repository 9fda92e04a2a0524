use gradual_registry::{Entry, Parameter, Value};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::context::SamplerContext;
use super::sampler::{Sampler, TaskSize, Wanted};
use crate::error::TrainError;

pub(crate) static BALANCED: Entry<SamplerContext, Box<dyn Sampler>> = Entry {
    name: "balanced",
    about: "every capability that is trained equally often",
    facts: &[],
    parameters: &[],
    build: |_, context| Ok(Box::new(Mixture::balanced_over(&context)?)),
};

pub(crate) static REWEIGHTED: Entry<SamplerContext, Box<dyn Sampler>> = Entry {
    name: "reweighted",
    about: "the task's own frequencies, that of one capability multiplied by a factor",
    facts: &[],
    parameters: &[
        Parameter::count(
            "capability",
            "the capability, counted from 0 in the order of the task",
            0,
        )
        .at_most(1e6),
        Parameter::number(
            "factor",
            "what its frequency is multiplied by; with 0 it is never drawn, with `alone` nothing else is",
            0.1,
        )
        .at_least(0.0)
        .at_most(1e6)
        .or_words(&["alone"]),
    ],
    build: |arguments, context| {
        let (at, mut weights) = (arguments.count("capability")?, context.frequencies);
        let all = weights.len();
        let refused = |problem: String| TrainError::Sampler {
            sampler: "reweighted",
            problem: format!("capability = {at}, but {problem}"),
        };
        let unknown = || refused(format!("the task has {all} capabilities, counted from 0"));
        let weight = weights.get_mut(at).ok_or_else(unknown)?;
        if *weight == 0.0 {
            return Err(refused("that one is never trained".to_owned()).into());
        }
        match arguments.value("factor")? {
            Value::Word(_) => {
                weights.fill(0.0);
                weights[at] = 1.0;
            }
            _ => *weight *= arguments.number("factor")?,
        }
        Ok(Box::new(Mixture::new(&weights)?))
    },
};

/// Capabilities drawn independently, each with a probability in proportion to its weight.
///
/// With equal weights ([`balanced`](Self::balanced)) this is the cheap competitor of every grouped
/// loss: it needs the labels, and it changes which examples are seen instead of their weights.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    /// Sums of the weights up to and including each capability, as shares of the whole.
    cumulative: Vec<f64>,
    weights: Vec<f64>,
}

impl Mixture {
    /// One weight for each capability, `[k]`, on any scale.
    ///
    /// # Errors
    ///
    /// [`TrainError::Sampler`] unless all are finite, none is negative and one is above zero.
    pub fn new(weights: &[f64]) -> Result<Self, TrainError> {
        let wrong = weights.iter().position(|w| !(w.is_finite() && *w >= 0.0));
        if let Some(at) = wrong {
            return Err(TrainError::Sampler {
                sampler: "mixture",
                problem: format!(
                    "the weight of capability {at} must be finite and at least 0, got {}",
                    weights[at]
                ),
            });
        }
        let total: f64 = weights.iter().sum();
        if !(total.is_finite() && total > 0.0) {
            return Err(TrainError::Sampler {
                sampler: "mixture",
                problem: format!("the weights must have a sum above 0, got {total}"),
            });
        }
        let mut sum = 0.0;
        let share = |&weight: &f64| {
            sum += weight / total;
            sum
        };
        Ok(Self {
            cumulative: weights.iter().map(share).collect(),
            weights: weights.iter().map(|weight| weight / total).collect(),
        })
    }

    /// Each of `capabilities` capabilities equally often.
    ///
    /// # Errors
    ///
    /// [`TrainError::Sampler`] for none.
    pub fn balanced(capabilities: usize) -> Result<Self, TrainError> {
        Self::new(&vec![1.0; capabilities])
    }

    /// Each capability that is trained equally often.
    pub(super) fn balanced_over(context: &SamplerContext) -> Result<Self, TrainError> {
        let trained = context.frequencies.iter();
        let weights: Vec<f64> = trained.map(|&f| f64::from(u8::from(f > 0.0))).collect();
        Self::new(&weights)
    }

    /// Probabilities, `[k]`.
    pub fn probabilities(&self) -> &[f64] {
        &self.weights
    }

    /// One capability.
    pub(super) fn draw(&self, random: &mut ChaCha8Rng) -> usize {
        let at = random.random::<f64>();
        // Rounding may leave the last sum a little below 1: the last that has any weight takes it.
        let last = self.weights.iter().rposition(|&weight| weight > 0.0);
        let found = self.cumulative.partition_point(|&sum| sum <= at);
        found.min(last.unwrap_or_default())
    }

    pub(super) fn fits(&self, sampler: &'static str, size: TaskSize) -> Result<(), TrainError> {
        match self.weights.len() == size.num_capabilities {
            true => Ok(()),
            false => Err(TrainError::Sampler {
                sampler,
                problem: format!(
                    "has weights for {} capabilities, but the task has {}",
                    self.weights.len(),
                    size.num_capabilities
                ),
            }),
        }
    }
}

impl Sampler for Mixture {
    fn check(&self, size: TaskSize) -> Result<(), TrainError> {
        self.fits("mixture", size)
    }

    fn next(
        &mut self,
        _step: u64,
        n: usize,
        _size: TaskSize,
        random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        Ok(Wanted::Of((0..n).map(|_| self.draw(random)).collect()))
    }

    fn frequencies(&self, _step: u64, _size: TaskSize) -> Option<Vec<f64>> {
        Some(self.weights.clone())
    }
}
