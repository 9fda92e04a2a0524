//! Biographies among text: facts that are told rarely, in a stream of something that is never learned to the end.
//!
//! After Gu et al. (2025, arXiv 2505.18091), who mix biographies of made-up people with text from the web: a model memorises most of them
//! or next to none, depending on their share of the data. What stands in for the web here is text in which two words stand for the
//! next one. Words have Zipf frequencies, so that some pairs are everywhere and most are rare, and a small decoder always has more of it to learn.

pub(crate) mod config;
#[cfg(test)]
mod tests;
mod world;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::decoder::Decoder;
use crate::host::floats;
use crate::likelihood;
use crate::setting::SettingError;
use config::BiographiesConfig;
use world::{BIOGRAPHIES, Example, TEXT, World};

/// What messages call an evaluation.
const OPERATION: &str = "biographies: evaluation";

/// Biographies of made-up people, mixed with text.
///
/// There are two capabilities. `text` is the next word, for held-out text; its chance is the frequency of the most frequent word by the Zipf law, from which the
/// text of one seed differs by some hundredths.
/// `biographies` is the value of an attribute after the person's name and other attributes in any order; chance is one value of all. What is
/// asked about is what was trained on: facts can only be memorised. The loss of an example is the mean over what is learned in it, and its
/// accuracy the share that is right.
#[derive(Debug, Clone)]
pub struct Biographies {
    config: BiographiesConfig,
    capabilities: Vec<Capability>,
    world: World,
    /// Capability by capability.
    evaluated: [Vec<Example>; 2],
}

impl Biographies {
    /// The task of one seed, which decides what is true and what is evaluated.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a setting that makes no sense.
    pub fn new(config: &BiographiesConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let world = World::new(config, &mut random);
        let text: Vec<Example> = (0..config.held_out)
            .map(|_| world.text(&mut random))
            .collect();
        let asked = 0..config.held_out.min(config.people);
        let people = asked.map(|person| world.biography(person, &mut random));
        let people = people.collect();
        let capabilities = vec![
            Capability::new("text", world.most_frequent(), 1.0 - config.share),
            Capability::new("biographies", 1.0 / config.values as f64, config.share),
        ];
        Ok(Self {
            config: config.clone(),
            capabilities,
            world,
            evaluated: [text, people],
        })
    }

    fn example(&self, capability: usize, random: &mut ChaCha8Rng) -> Example {
        match capability {
            BIOGRAPHIES => self.world.anybody(random),
            _ => self.world.text(random),
        }
    }

    fn drawn(&self, examples: Vec<Example>, device: &Device) -> Drawn<BiographiesBatch> {
        let labels = examples.iter().map(|one| Some(one.capability())).collect();
        Drawn::new(BiographiesBatch::new(examples, device), labels)
    }
}

/// One draw of n examples of t + 1 tokens each.
#[derive(Debug, Clone)]
pub struct BiographiesBatch {
    examples: Vec<Example>,
    /// What a model reads, `[n, t]`.
    tokens: Tensor<2, Int>,
    /// The token after each, `[n, t]`.
    next: Tensor<2, Int>,
    /// The part that each has in its example's loss, `[n, t]`; they sum to 1 over an example.
    parts: Tensor<2>,
}

impl BiographiesBatch {
    fn new(examples: Vec<Example>, device: &Device) -> Self {
        let n = examples.len();
        let t = examples.first().map_or(1, |one| one.tokens.len() - 1);
        let (mut tokens, mut next, mut parts) = (Vec::new(), Vec::new(), Vec::new());
        for example in &examples {
            let learned = |at: &usize| example.is_learned(*at);
            let count = (1..=t).filter(learned).count();
            for at in 1..=t {
                tokens.push(example.tokens[at - 1] as i32);
                next.push(example.tokens[at] as i32);
                parts.push(if learned(&at) {
                    1.0 / count as f32
                } else {
                    0.0
                });
            }
        }
        Self {
            examples,
            tokens: Tensor::from_data(TensorData::new(tokens, [n, t]), device),
            next: Tensor::from_data(TensorData::new(next, [n, t]), device),
            parts: Tensor::from_data(TensorData::new(parts, [n, t]), device),
        }
    }

    /// What a model reads, `[n, t]`.
    pub fn tokens(&self) -> &Tensor<2, Int> {
        &self.tokens
    }

    /// The mean over what is learned in each example, of numbers `[n, t]`.
    fn mean(&self, numbers: Tensor<2>) -> Tensor<1> {
        let [n, _] = numbers.dims();
        (numbers * self.parts.clone()).sum_dim(1).reshape([n])
    }
}

impl Task for Biographies {
    type Model = Decoder;
    type Batch = BiographiesBatch;

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
    ) -> Result<Drawn<BiographiesBatch>, TrainError> {
        let example = |_| {
            let is_biography = random.random::<f64>() < self.config.share;
            self.example(if is_biography { BIOGRAPHIES } else { TEXT }, random)
        };
        Ok(self.drawn((0..n).map(example).collect(), device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<BiographiesBatch>, TrainError> {
        let example = |&capability: &usize| self.example(capability, random);
        Ok(self.drawn(capabilities.iter().map(example).collect(), device))
    }

    fn describe(&self, batch: &BiographiesBatch, example: usize) -> Option<String> {
        let example = batch.examples.get(example)?;
        Some(self.world.words(example))
    }

    fn losses(&self, model: &Decoder, batch: &BiographiesBatch) -> Tensor<1> {
        let logits = model.forward(batch.tokens.clone());
        let likely = likelihood::of_tokens(logits, batch.next.clone());
        batch.mean(likely).neg()
    }

    fn evaluate(&self, model: &Decoder, device: &Device) -> Result<Vec<Score>, TrainError> {
        let score = |examples: &Vec<Example>| {
            let batch = BiographiesBatch::new(examples.clone(), device);
            let logits = model.forward(batch.tokens.clone());
            let [n, t, _] = logits.dims();
            let found = logits.clone().argmax(2).reshape([n, t]);
            let right = found.equal(batch.next.clone()).float();
            let likely = likelihood::of_tokens(logits, batch.next.clone());
            let mean = |numbers: Tensor<2>| {
                let each = floats(batch.mean(numbers), OPERATION)?;
                Ok::<f64, TrainError>(each.iter().sum::<f64>() / n as f64)
            };
            Ok(Score {
                probability: Some(mean(likely.clone().exp())?),
                ..Score::new(mean(right)?, -mean(likely)?)
            })
        };
        self.evaluated.iter().map(score).collect()
    }
}
