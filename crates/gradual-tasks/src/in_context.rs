//! In-context against in-weights learning, on classes of Gaussian items: what is known for the effect of data on both.
//!
//! A sequence is pairs of an item and its label, and a query, whose label is to be told. Where the query's class is in the
//! context, its label can be read there; where a class always has the same label, it can be learned into the weights. Chan et al.
//! (2022, arXiv 2205.05055) found that Zipf frequencies of classes and bursty contexts bring about the former. Reddy (2023, arXiv
//! 2312.03002) has the small form of it, which this is.
//!
//! Of bursty sequences the classes are drawn by the Zipf law, too: the query's first, then the others of the context, none twice
//! and none with a label that is there already. (Code that is about draws the classes of bursty contexts uniformly, so that
//! the exponent does nothing where all sequences are bursty.)

pub(crate) mod config;
pub(crate) mod model;
mod sequences;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::likelihood;
use crate::setting::SettingError;
use config::{GroupedBy, InContextConfig};
use model::InContextNet;
use sequences::{Answer, Sequences, World};

/// What messages call an evaluation.
const OPERATION: &str = "in-context learning: evaluation";

/// Sequences of classes, of which some groups are trained on, and three measures that never are.
///
/// | capability | query | right is | chance |
/// |---|---|---|---|
/// | a group of classes, or bursty, or not | as in training | the label of its class | B/N, or f without a bursty context |
/// | `in context` | of a new class, which is in the context | the label there | B/N |
/// | `swapped` | of a known class, with another label in the context | the label there | B/N |
/// | `in weights` | of a known class, which is not in the context | its own label | f |
///
/// N pairs, of which B are of one class in a bursty context, and f the frequency of the most frequent label: 1/L of L labels where
/// classes are of one frequency. The loss is the cross-entropy of the query's label.
#[derive(Debug, Clone)]
pub struct InContext {
    config: InContextConfig,
    world: Arc<World>,
    /// Held-out sequences of each capability.
    held_out: Arc<Vec<Sequences>>,
    capabilities: Vec<Capability>,
}

impl InContext {
    /// The classes of one seed, which also decides what is held out.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a setting that makes no sense.
    pub fn new(config: &InContextConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let world = World::new(config, &mut random);
        let among = config.burstiness as f64 / config.pairs as f64;
        // Who always says the most frequent label.
        let blind = |classes| world.most_frequent_label(classes, config.labels);
        let all = 0..config.classes;
        let mut capabilities = match config.grouped_by {
            GroupedBy::Frequency => {
                let least = if config.bursty > 0.0 { among } else { 0.0 };
                let group = |at: usize| {
                    let classes = ranks(config, at);
                    let chance = blind(classes.clone()).max(least);
                    let name = format!("classes {} to {}", classes.start + 1, classes.end);
                    Capability::new(name, chance, world.frequency(classes))
                };
                (0..config.groups).map(group).collect::<Vec<_>>()
            }
            GroupedBy::Burstiness => vec![
                Capability::new("bursty", blind(all.clone()).max(among), config.bursty),
                Capability::new("not bursty", blind(all.clone()), 1.0 - config.bursty),
            ],
        };
        capabilities.extend([
            Capability::new("in context", among, 0.0),
            Capability::new("swapped", among, 0.0),
            Capability::new("in weights", blind(all), 0.0),
        ]);
        let mut task = Self {
            config: config.clone(),
            world: Arc::new(world),
            held_out: Arc::default(),
            capabilities,
        };
        let held_out = (0..task.capabilities.len()).map(|at| task.tested(at, &mut random));
        task.held_out = Arc::new(held_out.collect());
        Ok(task)
    }

    /// How many of the capabilities are trained.
    fn trained(&self) -> usize {
        self.capabilities.len() - 3
    }

    /// The classes whose queries belong to a capability.
    fn classes(&self, capability: usize) -> Range<usize> {
        match self.config.grouped_by {
            GroupedBy::Frequency if capability < self.config.groups => {
                ranks(&self.config, capability)
            }
            _ => 0..self.config.classes,
        }
    }

    /// Where the label of a trained sequence of this capability comes from.
    fn answer(&self, capability: usize, random: &mut ChaCha8Rng) -> Answer {
        let bursty = match self.config.grouped_by {
            GroupedBy::Frequency => random.random_bool(self.config.bursty),
            GroupedBy::Burstiness => capability == 0,
        };
        if bursty {
            Answer::Both
        } else {
            Answer::Weights
        }
    }

    /// The held-out sequences of a capability.
    fn tested(&self, capability: usize, random: &mut ChaCha8Rng) -> Sequences {
        let mut sequences = Sequences::default();
        for _ in 0..self.config.held_out {
            let answer = match capability.checked_sub(self.trained()) {
                None => self.answer(capability, random),
                Some(0) => Answer::Context,
                Some(1) => Answer::Swapped,
                Some(_) => Answer::Weights,
            };
            self.add(capability, answer, random, &mut sequences);
        }
        sequences
    }

    fn add(&self, capability: usize, answer: Answer, random: &mut ChaCha8Rng, to: &mut Sequences) {
        let class = self.world.class(self.classes(capability), random);
        self.world.add(&self.config, class, answer, random, to);
    }

    fn batch(&self, sequences: &Sequences, device: &Device) -> InContextBatch {
        let n = sequences.answers.len();
        let shape = [n, self.config.tokens(), self.config.width()];
        let numbers = TensorData::new(sequences.numbers.clone(), shape);
        let answers = TensorData::new(sequences.answers.clone(), [n]);
        InContextBatch {
            sequences: Tensor::from_data(numbers, device),
            answers: Tensor::from_data(answers, device),
            classes: sequences.classes.clone(),
        }
    }
}

/// The ranks of the classes of a group, from 0 on.
fn ranks(config: &InContextConfig, group: usize) -> Range<usize> {
    let each = config.classes / config.groups;
    group * each..(group + 1) * each
}

/// One draw: sequences `[n, t, d]`, and the right labels `[n]`.
#[derive(Debug, Clone)]
pub struct InContextBatch {
    sequences: Tensor<3>,
    answers: Tensor<1, Int>,
    classes: Vec<Option<usize>>,
}

impl Task for InContext {
    type Model = InContextNet;
    type Batch = InContextBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> InContextNet {
        InContextNet::new(&self.config, random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<InContextBatch>, TrainError> {
        let mut sequences = Sequences::default();
        let mut labels = Vec::with_capacity(n);
        for _ in 0..n {
            let class = self.world.class(0..self.config.classes, random);
            let bursty = random.random_bool(self.config.bursty);
            let answer = if bursty {
                Answer::Both
            } else {
                Answer::Weights
            };
            labels.push(Some(match self.config.grouped_by {
                GroupedBy::Frequency => class * self.config.groups / self.config.classes,
                GroupedBy::Burstiness => usize::from(!bursty),
            }));
            let world = &self.world;
            world.add(&self.config, class, answer, random, &mut sequences);
        }
        Ok(Drawn::new(self.batch(&sequences, device), labels))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<InContextBatch>, TrainError> {
        let mut sequences = Sequences::default();
        for &capability in capabilities {
            let answer = self.answer(capability, random);
            self.add(capability, answer, random, &mut sequences);
        }
        let labels = capabilities.iter().copied().map(Some).collect();
        Ok(Drawn::new(self.batch(&sequences, device), labels))
    }

    /// The class of the query, by rank, and the label that is right.
    fn describe(&self, batch: &InContextBatch, example: usize) -> Option<String> {
        let class = (*batch.classes.get(example)?)?;
        let label = self.world.label_of[class];
        Some(format!(
            "a query of class {}, whose label is {label}",
            class + 1
        ))
    }

    fn losses(&self, model: &InContextNet, batch: &InContextBatch) -> Tensor<1> {
        let logits = model.forward(batch.sequences.clone());
        likelihood::of_classes(logits, batch.answers.clone()).neg()
    }

    fn evaluate(&self, model: &InContextNet, device: &Device) -> Result<Vec<Score>, TrainError> {
        let score = |sequences: &Sequences| {
            let batch = self.batch(sequences, device);
            likelihood::score(model.forward(batch.sequences), batch.answers, OPERATION)
        };
        self.held_out.iter().map(score).collect()
    }
}
