//! Arithmetic modulo a prime, of which a part of the table is trained on: what is known for grokking.
//!
//! Power et al. (2022, arXiv 2201.02177) found that small models first learn by heart what they are trained on, and get the
//! rest of the table right long after, all at once. Every operation is a capability here, tested on the pairs that are held
//! out. The skill on the pairs that are trained on stands in the records as hidden progress, so that the
//! [hidden lead](gradual::measure::Metric::HiddenLead) is the delay of generalisation: how many times later the held-out pairs
//! were half right than the trained ones.

pub(crate) mod config;
pub(crate) mod model;
#[cfg(test)]
mod tests;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::likelihood;
use crate::setting::SettingError;
use config::{ModularConfig, Operation};
use model::ModularNet;

/// What messages call an evaluation.
const OPERATION: &str = "modular arithmetic: evaluation";

/// A line of the table: `a ∘ b = answer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fact {
    /// Place of the operation among those of the task.
    operation: usize,
    a: usize,
    b: usize,
    answer: usize,
}

/// Operations modulo a prime p; each is a capability.
///
/// An example is a pair (a, b) and an operation, and what is to be told is `a ∘ b mod p`, by the cross-entropy of p classes. Each
/// operation has embeddings of the numbers of its own, and the layers after them are shared: a model with one embedding and a
/// token for the operation took more than 14 000 steps for two operations, each of which it learns alone in 5 000. A share of each operation's table is trained on, drawn with replacement; the rest is held out, and up to
/// [`evaluated`](ModularConfig::evaluated) of its pairs are evaluated. Chance is the share of the most frequent answer of
/// the operation: 1/p for addition, about 2/p for multiplication, whose table has more zeros.
#[derive(Debug, Clone)]
pub struct Modular {
    config: ModularConfig,
    /// Trained facts, operation by operation.
    training: Vec<Fact>,
    /// Where those of each operation are in `training`.
    members: Vec<std::ops::Range<usize>>,
    /// What is evaluated of each operation: held-out facts, and trained ones.
    tested: Vec<[Vec<Fact>; 2]>,
    capabilities: Vec<Capability>,
}

impl Modular {
    /// The tables of one seed, which decides what is trained on.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a setting that makes no sense.
    pub fn new(config: &ModularConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let mut task = Self {
            config: config.clone(),
            training: Vec::new(),
            members: Vec::new(),
            tested: Vec::new(),
            capabilities: Vec::new(),
        };
        let mut chances = Vec::new();
        for (at, operation) in config.operations.iter().enumerate() {
            let mut facts = table(*operation, at, config.modulus);
            chances.push(most_frequent(&facts, config.modulus));
            facts.shuffle(&mut random);
            let trained = (config.share * facts.len() as f64).round() as usize;
            let held_out = facts.split_off(trained.clamp(1, facts.len() - 1));
            let some = |all: &[Fact]| all[..all.len().min(config.evaluated)].to_vec();
            task.tested.push([some(&held_out), some(&facts)]);
            let first = task.training.len();
            task.training.extend(facts);
            task.members.push(first..task.training.len());
        }
        let all = task.training.len() as f64;
        let capabilities = config.operations.iter().zip(&task.members).zip(chances);
        task.capabilities = capabilities
            .map(|((operation, members), chance)| {
                Capability::new(operation.name(), chance, members.len() as f64 / all)
            })
            .collect();
        Ok(task)
    }

    fn batch(&self, facts: impl ExactSizeIterator<Item = Fact>, device: &Device) -> ModularBatch {
        let (n, p) = (facts.len(), self.config.modulus);
        let (mut tokens, mut answers) = (Vec::with_capacity(2 * n), Vec::with_capacity(n));
        for fact in facts {
            tokens.extend([fact.a, fact.b].map(|number| (p * fact.operation + number) as i32));
            answers.push(fact.answer as i32);
        }
        ModularBatch {
            tokens: Tensor::from_data(TensorData::new(tokens, [n, 2]), device),
            answers: Tensor::from_data(TensorData::new(answers, [n]), device),
        }
    }

    fn drawn(&self, places: Vec<usize>, device: &Device) -> Drawn<ModularBatch> {
        let facts = places.iter().map(|&at| self.training[at]);
        let labels = facts.clone().map(|fact| Some(fact.operation)).collect();
        Drawn::new(self.batch(facts, device), labels).with_items(places)
    }

    fn score(
        &self,
        model: &ModularNet,
        facts: &[Fact],
        device: &Device,
    ) -> Result<Score, TrainError> {
        let batch = self.batch(facts.iter().copied(), device);
        likelihood::score(model.forward(batch.tokens), batch.answers, OPERATION)
    }
}

/// All facts of an operation.
fn table(operation: Operation, at: usize, p: usize) -> Vec<Fact> {
    let pairs = (0..p).flat_map(|a| (0..p).map(move |b| (a, b)));
    pairs
        .filter_map(|(a, b)| {
            let answer = operation.of(a, b, p)?;
            Some(Fact {
                operation: at,
                a,
                b,
                answer,
            })
        })
        .collect()
}

/// Share of the most frequent answer.
fn most_frequent(facts: &[Fact], p: usize) -> f64 {
    let mut counts = vec![0_usize; p];
    for fact in facts {
        counts[fact.answer] += 1;
    }
    let most = counts.into_iter().max().unwrap_or_default();
    most as f64 / facts.len() as f64
}

/// One draw: tokens `[n, 2]` of a and b, which say the operation as well, and answers `[n]`.
#[derive(Debug, Clone)]
pub struct ModularBatch {
    tokens: Tensor<2, Int>,
    answers: Tensor<1, Int>,
}

impl Task for Modular {
    type Model = ModularNet;
    type Batch = ModularBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> ModularNet {
        ModularNet::new(&self.config, random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<ModularBatch>, TrainError> {
        let all = self.training.len();
        let places = (0..n).map(|_| random.random_range(0..all)).collect();
        Ok(self.drawn(places, device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<ModularBatch>, TrainError> {
        let place = |&at: &usize| random.random_range(self.members[at].clone());
        Ok(self.drawn(capabilities.iter().map(place).collect(), device))
    }

    fn items(&self) -> Option<usize> {
        Some(self.training.len())
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<ModularBatch>, TrainError> {
        Ok(self.drawn(items.to_vec(), device))
    }

    fn losses(&self, model: &ModularNet, batch: &ModularBatch) -> Tensor<1> {
        let logits = model.forward(batch.tokens.clone());
        likelihood::of_classes(logits, batch.answers.clone()).neg()
    }

    fn evaluate(&self, model: &ModularNet, device: &Device) -> Result<Vec<Score>, TrainError> {
        let tested = self.tested.iter().zip(&self.capabilities);
        tested
            .map(|([held_out, trained], capability)| {
                let seen = self.score(model, trained, device)?.accuracy;
                let skill = (seen - capability.chance) / (1.0 - capability.chance);
                Ok(Score {
                    progress: Some(skill.clamp(0.0, 1.0)),
                    ..self.score(model, held_out, device)?
                })
            })
            .collect()
    }
}
