//! Multitask sparse parity.

pub(crate) mod composition;
pub(crate) mod config;
pub(crate) mod examples;
mod progress;
#[cfg(test)]
mod slow;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use burn::tensor::{Device, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::seq::SliceRandom;
use rand::seq::index::sample;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::host;
use crate::mlp::Mlp;
use crate::setting::SettingError;
use config::{Sizes, SparseParityConfig};
use examples::{ParityBatch, ParityExamples};
use progress::fourier;

/// Accuracy of guessing a bit.
const CHANCE: f64 = 0.5;

/// Multitask sparse parity (Michaud et al. 2023, arXiv 2303.13506, section 4).
///
/// An example is a one-hot code of its task followed by n random bits (±1); its label is the parity
/// of the task's own k bits. With `aliases` above one, each task has so many codes, of which each
/// example shows one at random. With [`controls`](SparseParityConfig::controls) above one, the code has so many fields that tell the
/// task only together. Tasks are drawn with Zipf frequencies, so a model trained on the mean
/// loss learns them one after another, each in a sudden rise: every task is a capability. Chance is
/// one half.
///
/// [`composed`](Self::composed) makes triples of parities of which one is composed of the other two.
#[derive(Debug, Clone)]
pub struct SparseParity {
    sizes: Sizes,
    /// The bits of each task, as a mask.
    masks: Vec<u64>,
    capabilities: Vec<Capability>,
    /// Cumulative frequencies.
    cumulative: Vec<f64>,
    /// What each value of each field of the code stands for, where it has several.
    fields: Vec<Vec<usize>>,
    held_out: ParityExamples,
}

impl SparseParity {
    /// The tasks and held-out examples of one seed.
    ///
    /// # Errors
    ///
    /// [`SettingError`] naming the setting that is out of range.
    pub fn new(config: SparseParityConfig, seed: u64) -> Result<Self, SettingError> {
        config.check()?;
        let (bits, tasks, subset) = (config.bits, config.tasks, config.subset);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let mut masks = Vec::with_capacity(tasks);
        let mut taken = HashSet::new();
        while masks.len() < tasks {
            let mask = sample(&mut random, bits, subset)
                .iter()
                .fold(0, |mask, bit| mask | 1 << bit);
            if taken.insert(mask) {
                masks.push(mask);
            }
        }

        // A single field needs no permutation, so that its stream is that of a task without fields.
        let fields = (0..config.controls).filter(|_| config.controls > 1);
        let fields = fields.map(|_| {
            let mut stands_for: Vec<usize> = (0..tasks).collect();
            stands_for.shuffle(&mut random);
            stands_for
        });
        let fields = fields.collect();
        let weights = (0..tasks).map(|i| ((i + 1) as f64).powf(-config.exponent));
        let digits = (tasks - 1).to_string().len().max(2);
        let named = |(i, weight)| Capability::new(format!("task-{i:0digits$}"), CHANCE, weight);
        let capabilities = weights.enumerate().map(named).collect();
        Ok(Self::of(
            config.sizes(),
            masks,
            fields,
            capabilities,
            random,
        ))
    }

    /// Parities of these masks, one for each capability. The frequencies of the capabilities come as weights of any sum
    /// above zero.
    fn of(
        sizes: Sizes,
        masks: Vec<u64>,
        fields: Vec<Vec<usize>>,
        mut capabilities: Vec<Capability>,
        mut random: ChaCha8Rng,
    ) -> Self {
        let total: f64 = capabilities.iter().map(|one| one.frequency).sum();
        for capability in &mut capabilities {
            capability.frequency /= total;
        }
        let cumulative = capabilities.iter().scan(0.0, |sum, capability| {
            *sum += capability.frequency;
            Some(*sum)
        });
        let mut task = Self {
            cumulative: cumulative.collect(),
            capabilities,
            held_out: ParityExamples {
                inputs: TensorData::from([0.0f32]),
                signs: Vec::new(),
                codes: Vec::new(),
                bits: Vec::new(),
            },
            masks,
            fields,
            sizes,
        };
        let each = (0..sizes.tasks).flat_map(|i| std::iter::repeat_n(i, sizes.held_out));
        task.held_out = task.examples(&each.collect::<Vec<_>>(), &mut random);
        task
    }

    /// Fresh examples of the given tasks.
    fn examples(&self, tasks: &[usize], random: &mut ChaCha8Rng) -> ParityExamples {
        let Sizes {
            bits,
            code,
            aliases,
            ..
        } = self.sizes;
        let width = self.sizes.codes() + bits;
        let mut inputs = vec![0.0f32; tasks.len() * width];
        let mut signs = Vec::with_capacity(tasks.len());
        let mut announced = Vec::with_capacity(tasks.len());
        let mut words = Vec::with_capacity(tasks.len());
        for (&task, row) in tasks.iter().zip(inputs.chunks_mut(width)) {
            // A single code needs no random number, so that its stream is that of a task without
            // aliases.
            let alias = match aliases {
                1 => 0,
                _ => random.random_range(0..aliases),
            };
            let shown = task * aliases + alias;
            let (codes, values) = row.split_at_mut(self.sizes.codes());
            if self.fields.is_empty() {
                codes[shown] = code;
                announced.push(shown);
            } else {
                announced.push(self.announce(task, codes, random));
            }
            let word = random.next_u64();
            words.push(word);
            for (bit, value) in values.iter_mut().enumerate() {
                *value = if word >> bit & 1 == 1 { 1.0 } else { -1.0 };
            }
            let odd = (word & self.masks[task]).count_ones() % 2 == 1;
            signs.push(if odd { 1.0 } else { -1.0 });
        }
        ParityExamples {
            inputs: TensorData::new(inputs, [tasks.len(), width]),
            signs,
            codes: announced,
            bits: words,
        }
    }

    /// Writes a task into the fields of the code, all but the last at random, and says which of all codes it is.
    fn announce(&self, task: usize, codes: &mut [f32], random: &mut ChaCha8Rng) -> usize {
        let tasks = self.sizes.tasks;
        let (mut rest, mut number) = (task, task);
        for (at, (stands_for, field)) in self.fields.iter().zip(codes.chunks_mut(tasks)).enumerate()
        {
            let value = if at + 1 < self.fields.len() {
                let value = random.random_range(0..tasks);
                number = number * tasks + value;
                value
            } else {
                stands_for
                    .iter()
                    .position(|&meant| meant == rest)
                    .unwrap_or(0)
            };
            rest = (rest + tasks - stands_for[value]) % tasks;
            field[value] = self.sizes.code;
        }
        number
    }
}

impl SparseParity {
    /// The last task that is drawn at all.
    fn last_trained(&self) -> usize {
        let trained = |one: &Capability| one.frequency > 0.0;
        self.capabilities.iter().rposition(trained).unwrap_or(0)
    }

    /// One example of each of these tasks.
    fn drawn(
        &self,
        tasks: Vec<usize>,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Drawn<ParityBatch> {
        let examples = self.examples(&tasks, random);
        let batch = ParityBatch {
            inputs: Tensor::from_data(examples.inputs, device),
            signs: Tensor::from_floats(examples.signs.as_slice(), device),
            codes: examples.codes,
            tasks: tasks.clone(),
            bits: examples.bits,
        };
        Drawn::new(batch, tasks.into_iter().map(Some).collect())
    }
}

impl Task for SparseParity {
    type Model = Mlp;
    type Batch = ParityBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Mlp {
        let Sizes {
            bits,
            hidden,
            depth,
            ..
        } = self.sizes;
        let mut widths = vec![self.sizes.codes() + bits];
        widths.extend(std::iter::repeat_n(hidden, depth));
        widths.push(1);
        Mlp::new(&widths, random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<ParityBatch>, TrainError> {
        // Rounding may leave the last sum below 1. What is never drawn stands behind it.
        let last = self.last_trained();
        let tasks: Vec<usize> = (0..n)
            .map(|_| {
                let at = random.random::<f64>();
                self.cumulative.partition_point(|&sum| sum <= at).min(last)
            })
            .collect();
        Ok(self.drawn(tasks, random, device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<ParityBatch>, TrainError> {
        Ok(self.drawn(capabilities.to_vec(), random, device))
    }

    /// Its task and code, and the bits of the task with their parity: `task-03, code 3: bits 4=1 17=0 33=1, even`. Bits
    /// are counted from 0.
    fn describe(&self, batch: &ParityBatch, example: usize) -> Option<String> {
        let (&code, &word) = (batch.codes.get(example)?, batch.bits.get(example)?);
        let task = *batch.tasks.get(example)?;
        let mask = *self.masks.get(task)?;
        let own = (0..self.sizes.bits).filter(|bit| mask >> bit & 1 == 1);
        let own: Vec<String> = own
            .map(|bit| format!("{bit}={}", word >> bit & 1))
            .collect();
        let odd = (word & mask).count_ones() % 2 == 1;
        Some(format!(
            "{}, code {code}: bits {}, {}",
            self.capabilities.get(task)?.name,
            own.join(" "),
            if odd { "odd" } else { "even" }
        ))
    }

    fn losses(&self, model: &Mlp, batch: &ParityBatch) -> Tensor<1> {
        let [n, _] = batch.inputs.dims();
        let margin = model.forward(batch.inputs.clone()).reshape([n]) * batch.signs.clone();
        // ln(1 + e^−m) without overflow.
        margin.clone().neg().clamp_min(0.0) + margin.abs().neg().exp().log1p()
    }

    fn evaluate(&self, model: &Mlp, device: &Device) -> Result<Vec<Score>, TrainError> {
        let inputs = Tensor::<2>::from_data(self.held_out.inputs.clone(), device);
        let logits = host::read(model.forward(inputs), "sparse parity: evaluation")?;
        let each = self.sizes.held_out;
        let margins: Vec<f64> = logits
            .iter()
            .zip(&self.held_out.signs)
            .map(|(logit, sign)| f64::from(logit * sign))
            .collect();
        let score = |margins: &[f64]| Score {
            accuracy: margins.iter().filter(|&&margin| margin > 0.0).count() as f64 / each as f64,
            loss: margins
                .iter()
                .map(|m| (-m).max(0.0) + (-m.abs()).exp().ln_1p())
                .sum::<f64>()
                / each as f64,
            probability: Some(
                margins
                    .iter()
                    .map(|m| 1.0 / (1.0 + (-m).exp()))
                    .sum::<f64>()
                    / each as f64,
            ),
            progress: Some(fourier(margins)),
        };
        Ok(margins.chunks(each).map(score).collect())
    }
}
