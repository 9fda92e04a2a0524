//! Lines of text: a user's own corpus, or prompts with their targets.

mod batch;
mod config;
mod data;
mod encoded;
mod error;
mod file;
mod groups;
mod growth;
mod index;
mod line;
mod split;
#[cfg(test)]
mod tests;
mod vocabulary;

pub use batch::TextBatch;
pub use config::TextConfig;
pub use data::TextData;
pub use error::TextError;
pub use vocabulary::TextTokens;

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::decoder::{Decoder, DecoderConfig};
use crate::host::floats;
use crate::setting::SettingError;
use data::Lines;
use encoded::Encoded;
use line::Form;
use split::Split;

/// Lines that are evaluated at once, at most.
const EVALUATED: usize = 64;
/// Numbers of the largest layer in an evaluation, if one line has no more: 80 MB.
const NUMBERS: u128 = 20_000_000;

/// Lines of text, learned by a small decoder; every group of lines is a capability, or all lines are one.
///
/// # The idea
///
/// A line has a prompt and a target, of which the target is learned, or a text, of which everything is. Its loss is the
/// mean cross-entropy over the tokens that are learned, the end included: one loss for each line, whatever its length.
/// Groups are what the lines say, if they say any. Without groups there is one capability, `all`, and grouped losses are
/// those of groups that are found in the gradients.
///
/// # The steps
///
/// [`TextData`] indexes a file once. A seed holds out a part of each group (a quarter, at most
/// [`TextConfig::held_out`] lines). A draw reads lines of the rest, with replacement, from the file, so that a file
/// larger than memory will do. Of a text that is longer than the context a draw takes a random part, and the held-out
/// part and [`pick`](Task::pick) take the first; a prompt that is too long loses its beginning. A file that changes while
/// a run reads it ends the run.
///
/// # What is measured
///
/// Of prompts and targets accuracy is exact match: the share of targets of which every token, the end included, is the
/// most probable one after the right tokens so far, which is the same as greedy decoding. Of texts it is the share of
/// tokens that are the most probable one at their place. Probability is the mean that is given to the right token.
///
/// # Cost
///
/// A draw of n lines reads them one by one: some microseconds each. The model is a [`Decoder`].
#[derive(Debug, Clone)]
pub struct Text {
    lines: Arc<Lines>,
    split: Arc<Split>,
    capabilities: Vec<Capability>,
    decoder: DecoderConfig,
}

impl Text {
    /// The lines of one seed, which decides what lines of each group are held out.
    #[must_use]
    pub fn new(data: &TextData, seed: u64) -> Self {
        let lines = Arc::clone(&data.lines);
        let groups = lines.groups.iter().map(|(_, lines)| lines.as_slice());
        let split = Split::new(groups, lines.config.held_out, seed);
        let chance = match lines.form() {
            Form::PromptAndTarget => 0.0,
            Form::Text => 1.0 / lines.vocabulary.size() as f64,
        };
        let trained = split.training.len() as f64;
        let capability = |((name, _), members): (&(String, _), &std::ops::Range<usize>)| {
            Capability::new(name, chance, members.len() as f64 / trained)
        };
        let named = lines.groups.iter().zip(&split.members);
        Self {
            capabilities: named.map(capability).collect(),
            decoder: lines.decoder.clone(),
            lines,
            split: Arc::new(split),
        }
    }

    /// The same lines, learned by a decoder of these sizes. Context and held-out part stay those of the data.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for a size that is out of its range, or does not go with the others.
    pub fn with_sizes(self, sizes: &TextConfig) -> Result<Self, SettingError> {
        let sizes = TextConfig {
            context: self.lines.config.context,
            ..sizes.clone()
        };
        let decoder = sizes.decoder(self.lines.vocabulary.size())?;
        Ok(Self { decoder, ..self })
    }

    /// Lines, with random parts of long texts or without random numbers with their first.
    fn encoded(
        &self,
        lines: &[u32],
        mut random: Option<&mut ChaCha8Rng>,
    ) -> Result<Vec<Encoded>, TextError> {
        let encoded = lines.iter().map(|&number| {
            let line = self.lines.line(number)?;
            let encoded = Encoded::new(&line, &self.lines.vocabulary);
            let encoded = encoded.map_err(|problem| self.lines.not_encoded(number, problem))?;
            Ok(encoded.within(self.lines.config.context, random.as_deref_mut()))
        });
        encoded.collect()
    }

    /// Training lines, by their place among all of them.
    fn drawn(
        &self,
        places: &[usize],
        random: Option<&mut ChaCha8Rng>,
        device: &Device,
    ) -> Result<Drawn<TextBatch>, TrainError> {
        let lines: Vec<u32> = places.iter().map(|&at| self.split.training[at]).collect();
        let is_picked = random.is_none();
        let encoded = self.encoded(&lines, random).map_err(TrainError::data)?;
        // A text that may have been cut at random is another example each time.
        let context = self.lines.config.context;
        let is_whole = is_picked || encoded.iter().all(|line| line.length() < context);
        let members = &self.split.members;
        let label = |&at: &usize| Some(members.partition_point(|its| its.end <= at));
        let labels = places.iter().map(label).collect();
        let drawn = Drawn::new(TextBatch::new(encoded, device), labels);
        Ok(match is_whole {
            true => drawn.with_items(places.to_vec()),
            false => drawn,
        })
    }

    /// Lines that are evaluated at once.
    fn at_once(&self) -> usize {
        let one = self.decoder.numbers();
        ((NUMBERS / one.max(1)) as usize).clamp(1, EVALUATED)
    }

    fn score(&self, lines: &[u32], model: &Decoder, device: &Device) -> Result<Score, TrainError> {
        let mut sums = [0.0; 3];
        for part in lines.chunks(self.at_once()) {
            let encoded = self.encoded(part, None).map_err(TrainError::data)?;
            let batch = TextBatch::new(encoded, device);
            let part = self.sums(&batch, model.forward(batch.tokens.clone()))?;
            sums.iter_mut()
                .zip(part)
                .for_each(|(sum, part)| *sum += part);
        }
        let [accuracy, loss, probability] = sums.map(|sum| sum / lines.len() as f64);
        Ok(Score {
            probability: Some(probability),
            ..Score::new(accuracy, loss)
        })
    }

    /// Sums over lines: of accuracy, of loss, and of the probability of the right token.
    fn sums(&self, batch: &TextBatch, logits: Tensor<3>) -> Result<[f64; 3], TrainError> {
        let [n, t] = batch.tokens.dims();
        let argmax = logits.clone().argmax(2).reshape([n, t]);
        let right = argmax.equal(batch.targets.clone()).float();
        let right = (right * batch.learned.clone()).sum_dim(1).reshape([n]);
        let log_likelihoods = batch.log_likelihoods(logits);
        let probability = (log_likelihoods.clone().exp() * batch.learned.clone()).sum_dim(1);
        let read = |tensor| floats(tensor, "text: evaluation");
        let right = read(right)?;
        let logs = read(log_likelihoods.sum_dim(1).reshape([n]))?;
        let probability = read(probability.reshape([n]))?;
        let mut sums = [0.0; 3];
        for (at, line) in batch.lines.iter().enumerate() {
            let learned = (line.tokens.len() - line.learned) as f64;
            let share = right[at] / learned;
            sums[0] += match self.lines.form() {
                Form::PromptAndTarget => f64::from(u8::from(share >= 1.0)),
                Form::Text => share,
            };
            sums[1] -= logs[at] / learned;
            sums[2] += probability[at] / learned;
        }
        Ok(sums)
    }
}

impl Task for Text {
    type Model = Decoder;
    type Batch = TextBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Decoder {
        Decoder::new(&self.decoder, random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<TextBatch>, TrainError> {
        let all = self.split.training.len();
        let places: Vec<usize> = (0..n).map(|_| random.random_range(0..all)).collect();
        self.drawn(&places, Some(random), device)
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<TextBatch>, TrainError> {
        let place =
            |&capability: &usize| random.random_range(self.split.members[capability].clone());
        let places: Vec<usize> = capabilities.iter().map(place).collect();
        self.drawn(&places, Some(random), device)
    }

    fn items(&self) -> Option<usize> {
        Some(self.split.training.len())
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<TextBatch>, TrainError> {
        self.drawn(items, None, device)
    }

    fn losses(&self, model: &Decoder, batch: &TextBatch) -> Tensor<1> {
        let [n, _] = batch.tokens.dims();
        let sums = batch.log_likelihoods(model.forward(batch.tokens.clone()));
        let sums = sums.neg().sum_dim(1);
        (sums / batch.learned.clone().sum_dim(1)).reshape([n])
    }

    fn describe(&self, batch: &TextBatch, example: usize) -> Option<String> {
        let line = batch.lines.get(example)?;
        Some(line.text(&self.lines.vocabulary))
    }

    fn evaluate(&self, model: &Decoder, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.lines.unchanged().map_err(TrainError::data)?;
        let each = self.split.held_out.iter();
        each.map(|lines| self.score(lines, model, device)).collect()
    }
}
