//! Addition of two numbers, digit by digit: a task in which carries are skills that no character shows.
//!
//! The model reads `468+173=06` and tells the next digit. One digit of the sum is an example, with a loss of its own, as in
//! Kangaslahti et al. (2026, arXiv 2506.15872, section 4), who look for the skills *which digit* and *is a one carried
//! into it* in the losses of a transformer. How far the sum is written shows which digit is asked for. Whether a one is carried into it
//! no character shows: it is told by all digits after it.

pub(crate) mod config;
mod problem;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::decoder::Decoder;
use crate::likelihood;
use crate::setting::SettingError;
use config::AdditionConfig;
use problem::Problem;

/// What messages call an evaluation.
const OPERATION: &str = "addition: evaluation";
/// At most one pair of numbers in so many is held out for each capability. With six digits there are twelve capabilities.
const MOST_HELD_OUT: usize = 40;

/// Sums of two numbers of as many digits, each digit of the sum an example.
///
/// The numbers are uniform, and so is the place that is asked for. A capability is a place and whether a one is carried into it: of three
/// digits `units`, `tens`, `tens with carry`, `hundreds`, `hundreds with carry`, and `thousands`, which is the carry itself. Chance is
/// 1/10, and of the first digit of the sum the share of its more frequent value, a little more than half. The model sees the digits
/// before the one that is asked for, and none after it. A held-out pair of numbers is not trained on in any place.
#[derive(Debug, Clone)]
pub struct Addition {
    config: AdditionConfig,
    capabilities: Vec<Capability>,
    /// Capability by capability.
    held_out: Vec<Vec<Problem>>,
    /// The pairs of numbers in it.
    reserved: HashSet<(u32, u32)>,
}

impl Addition {
    /// The task of one seed, which decides what is held out.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a setting that makes no sense.
    pub fn new(config: &AdditionConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let digits = config.digits;
        let numbers = 10_usize.pow(digits as u32);
        let mut task = Self {
            config: config.clone(),
            capabilities: capabilities(digits),
            held_out: Vec::new(),
            reserved: HashSet::new(),
        };
        let held_out = config.held_out.min(numbers * numbers / MOST_HELD_OUT);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        for capability in 0..task.capabilities.len() {
            let problems = (0..held_out).map(|_| task.problem_of(capability, &mut random));
            let problems: Vec<Problem> = problems.collect();
            task.held_out.push(problems);
        }
        let all = task.held_out.iter().flatten();
        task.reserved = all.map(|problem| (problem.a, problem.b)).collect();
        Ok(task)
    }

    /// Both numbers and a place, uniform, but for what is held out.
    fn problem(&self, place: usize, random: &mut ChaCha8Rng) -> Problem {
        let numbers = 10_u32.pow(self.config.digits as u32);
        loop {
            let [a, b] = std::array::from_fn(|_| random.random_range(0..numbers));
            if !self.reserved.contains(&(a, b)) {
                return Problem { a, b, place };
            }
        }
    }

    /// A problem of one capability: about half of all pairs carry a one into a place, and half do not.
    fn problem_of(&self, capability: usize, random: &mut ChaCha8Rng) -> Problem {
        let place = capability.div_ceil(2);
        loop {
            let problem = self.problem(place, random);
            if problem.capability(self.config.digits) == capability {
                return problem;
            }
        }
    }

    fn batch(&self, problems: &[Problem], device: &Device) -> AdditionBatch {
        let digits = self.config.digits;
        let (n, t) = (problems.len(), problem::context(digits));
        let tokens = problems.iter().flat_map(|problem| problem.tokens(digits));
        let tokens: Vec<i32> = tokens.map(|token| token as i32).collect();
        let answers: Vec<i32> = problems.iter().map(|one| one.answer() as i32).collect();
        let scored: Vec<i32> = problems
            .iter()
            .map(|one| one.scored(digits) as i32)
            .collect();
        AdditionBatch {
            problems: problems.to_vec(),
            tokens: Tensor::from_data(TensorData::new(tokens, [n, t]), device),
            answers: Tensor::from_data(TensorData::new(answers, [n]), device),
            scored: Tensor::from_data(TensorData::new(scored, [n]), device),
        }
    }

    fn drawn(&self, problems: &[Problem], device: &Device) -> Drawn<AdditionBatch> {
        let digits = self.config.digits;
        let labels = problems.iter().map(|one| Some(one.capability(digits)));
        Drawn::new(self.batch(problems, device), labels.collect())
    }
}

/// The capabilities of numbers of so many digits, with how often they are asked for and their chance.
fn capabilities(digits: usize) -> Vec<Capability> {
    let place = 1.0 / (digits + 1) as f64;
    // Of all pairs of numbers below m as many have a sum of at least m as there are pairs of different ones, by halves.
    let carried = |places: usize| {
        let m = 10_f64.powi(places as i32);
        (m - 1.0) / (2.0 * m)
    };
    let names = problem::names(digits);
    let last = names.len() - 1;
    let all = names.into_iter().enumerate().map(|(at, name)| {
        let share = match at {
            0 => 1.0,
            _ if at == last => 1.0,
            _ if at.is_multiple_of(2) => carried(at / 2),
            _ => 1.0 - carried(at.div_ceil(2)),
        };
        let chance = if at == last {
            1.0 - carried(digits)
        } else {
            0.1
        };
        Capability::new(name, chance, share * place)
    });
    all.collect()
}

/// One draw: tokens `[n, t]`, the digits that are asked for `[n]`, and where they are told `[n]`.
#[derive(Debug, Clone)]
pub struct AdditionBatch {
    problems: Vec<Problem>,
    tokens: Tensor<2, Int>,
    answers: Tensor<1, Int>,
    scored: Tensor<1, Int>,
}

impl AdditionBatch {
    /// Number of different tokens.
    pub const TOKENS: usize = problem::TOKENS;

    /// What a model reads, `[n, t]`: what comes after the digits that are given is padding.
    pub fn tokens(&self) -> &Tensor<2, Int> {
        &self.tokens
    }

    /// The place of each example's digit, counted from the units.
    pub fn places(&self) -> impl ExactSizeIterator<Item = usize> {
        self.problems.iter().map(|one| one.place)
    }

    /// Logits of all tokens where the digit is told, `[n, v]`.
    fn logits(&self, model: &Decoder) -> Tensor<2> {
        let logits = model.forward(self.tokens.clone());
        let [n, _, v] = logits.dims();
        let at = self.scored.clone().reshape([n, 1, 1]).expand([n, 1, v]);
        logits.gather(1, at).reshape([n, v])
    }
}

impl Task for Addition {
    type Model = Decoder;
    type Batch = AdditionBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Decoder {
        Decoder::new(&self.config.decoder(), random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<AdditionBatch>, TrainError> {
        let problem = |_| {
            let place = random.random_range(0..=self.config.digits);
            self.problem(place, random)
        };
        let problems: Vec<Problem> = (0..n).map(problem).collect();
        Ok(self.drawn(&problems, device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<AdditionBatch>, TrainError> {
        let problem = |&capability: &usize| self.problem_of(capability, random);
        let problems: Vec<Problem> = capabilities.iter().map(problem).collect();
        Ok(self.drawn(&problems, device))
    }

    fn describe(&self, batch: &AdditionBatch, example: usize) -> Option<String> {
        let problem = batch.problems.get(example)?;
        Some(problem.text(self.config.digits))
    }

    fn losses(&self, model: &Decoder, batch: &AdditionBatch) -> Tensor<1> {
        likelihood::of_classes(batch.logits(model), batch.answers.clone()).neg()
    }

    fn evaluate(&self, model: &Decoder, device: &Device) -> Result<Vec<Score>, TrainError> {
        let score = |problems: &Vec<Problem>| {
            let batch = self.batch(problems, device);
            likelihood::score(batch.logits(model), batch.answers, OPERATION)
        };
        self.held_out.iter().map(score).collect()
    }
}
