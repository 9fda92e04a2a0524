use gradual_registry::{Entry, Parameter};
use rand_chacha::ChaCha8Rng;

use super::context::SamplerContext;
use super::mixture::Mixture;
use super::sampler::{Sampler, TaskSize, Wanted};
use crate::error::TrainError;

pub(crate) static ENTRY: Entry<SamplerContext, Box<dyn Sampler>> = Entry {
    name: "curriculum",
    about: "every capability that is trained equally often at first, as the task has them later",
    facts: &[],
    parameters: &[
        Parameter::number(
            "until",
            "share of the steps after which frequencies are the task's",
            0.5,
        )
        .above(0.0)
        .below(1.0),
        Parameter::flag(
            "linear",
            "whether frequencies go over linearly, instead of at once",
            true,
        ),
    ],
    build: |arguments, context| {
        let share = arguments.number("until")?;
        let until = (context.steps as f64 * share) as u64;
        if until == 0 {
            let problem = format!(
                "until = {share} of {} steps is less than one step; give a larger share",
                context.steps
            );
            return Err(problem.into());
        }
        let curriculum = Curriculum::new(vec![
            (1, Mixture::balanced_over(&context)?),
            (until + 1, Mixture::new(&context.frequencies)?),
        ])?;
        Ok(Box::new(match arguments.flag("linear")? {
            true => curriculum.linear(),
            false => curriculum,
        }))
    },
};

/// Mixtures that change with the step: rebalanced first, then as frequencies are, for instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Curriculum {
    /// First step of each phase, rising, and its mixture.
    phases: Vec<(u64, Mixture)>,
    linear: bool,
}

impl Curriculum {
    /// Phases by the first step, counted from 1, at which each mixture holds; the first starts with
    /// the run.
    ///
    /// # Errors
    ///
    /// [`TrainError::Sampler`] without phases, and unless their first steps rise and their mixtures
    /// are of equally many capabilities.
    pub fn new(phases: Vec<(u64, Mixture)>) -> Result<Self, TrainError> {
        let refused = |problem: String| TrainError::Sampler {
            sampler: "curriculum",
            problem,
        };
        if phases.is_empty() {
            return Err(refused(String::from("at least one phase is needed")));
        }
        for pair in phases.windows(2) {
            let ((before, one), (after, other)) = (&pair[0], &pair[1]);
            if after <= before {
                return Err(refused(format!(
                    "a phase must start after the one before it, got step {after} after step {before}"
                )));
            }
            let [one, other] = [one, other].map(|mixture| mixture.probabilities().len());
            if one != other {
                return Err(refused(format!(
                    "all phases must have weights for as many capabilities, got {one} and {other}"
                )));
            }
        }
        Ok(Self {
            phases,
            linear: false,
        })
    }

    /// Changes from one mixture to the next linearly, between their first steps, instead of at once.
    #[must_use]
    pub fn linear(self) -> Self {
        Self {
            linear: true,
            ..self
        }
    }

    /// The mixture of a step.
    ///
    /// # Errors
    ///
    /// None for phases that [`new`](Self::new) took.
    pub fn at(&self, step: u64) -> Result<Mixture, TrainError> {
        let next = self.phases.partition_point(|(first, _)| *first <= step);
        let now = next.saturating_sub(1);
        let (first, mixture) = &self.phases[now];
        let Some((then, other)) = self.phases.get(next).filter(|_| self.linear && next > now)
        else {
            return Ok(mixture.clone());
        };
        let way = step.saturating_sub(*first) as f64 / (then - first) as f64;
        let between = mixture.probabilities().iter().zip(other.probabilities());
        let weights: Vec<f64> = between.map(|(a, b)| a + way * (b - a)).collect();
        Mixture::new(&weights)
    }
}

impl Sampler for Curriculum {
    fn check(&self, size: TaskSize) -> Result<(), TrainError> {
        self.phases
            .iter()
            .try_for_each(|(_, mixture)| mixture.fits("curriculum", size))
    }

    fn next(
        &mut self,
        step: u64,
        n: usize,
        size: TaskSize,
        random: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        self.at(step)?.next(step, n, size, random)
    }

    fn frequencies(&self, step: u64, _size: TaskSize) -> Option<Vec<f64>> {
        let mixture = self.at(step).ok()?;
        Some(mixture.probabilities().to_vec())
    }
}
