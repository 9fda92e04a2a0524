//! Multitask sparse parity.

use std::collections::HashSet;

use burn::tensor::{Device, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::seq::index::sample;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::Mlp;

/// Settings of [`SparseParity`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SparseParityConfig {
    /// Number of tasks.
    pub tasks: usize,
    /// Number of bits n, at most 64.
    pub bits: usize,
    /// Bits k that each task's label depends on.
    pub subset: usize,
    /// Zipf exponent a: task i is drawn with probability ∝ (i + 1)^−a.
    pub exponent: f64,
    /// Size of the one-hot task code beside bits of ±1.
    pub code: f32,
    /// Width of each hidden layer.
    pub hidden: usize,
    /// Held-out examples per task.
    pub held_out: usize,
    /// Codes that announce a task, each as often as the others: with more than one, inputs show
    /// more groups than there are capabilities.
    // Left out of a record where it changes nothing, so that records from before it was there are
    // still the same configuration.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub aliases: usize,
    /// Number of hidden layers.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub depth: usize,
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

/// Where clear staggered emergence was found: 20 tasks of 3 bits in 50, a = 0.8.
impl Default for SparseParityConfig {
    fn default() -> Self {
        Self {
            tasks: 20,
            bits: 50,
            subset: 3,
            exponent: 0.8,
            code: 3.0,
            hidden: 256,
            held_out: 400,
            aliases: 1,
            depth: 1,
        }
    }
}

impl SparseParityConfig {
    /// Number of codes, that is of entries before the bits.
    fn codes(&self) -> usize {
        self.tasks * self.aliases
    }
}

/// A setting that makes no sense.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SparseParityError {
    /// A count is out of range.
    #[error("sparse parity: {name} must be from {least} to {most}, got {got}")]
    Range {
        /// The setting.
        name: &'static str,
        /// Least value.
        least: usize,
        /// Greatest value.
        most: usize,
        /// What was given.
        got: usize,
    },
    /// There are fewer subsets of bits than tasks.
    #[error("sparse parity: {bits} bits have fewer than {tasks} subsets of {subset} bits")]
    Subsets {
        /// Number of bits.
        bits: usize,
        /// Number of tasks.
        tasks: usize,
        /// Bits per task.
        subset: usize,
    },
}

/// Multitask sparse parity (Michaud et al. 2023, arXiv 2303.13506, section 4).
///
/// An example is a one-hot code of its task followed by n random bits (±1); its label is the parity
/// of the task's own k bits. With `aliases` above one, each task has so many codes, of which each
/// example shows one at random. Tasks are drawn with Zipf frequencies, so a model trained on the mean
/// loss learns them one after another, each in a sudden rise: every task is a capability. Chance is
/// one half.
#[derive(Debug, Clone)]
pub struct SparseParity {
    config: SparseParityConfig,
    /// The bits of each task, as a mask.
    masks: Vec<u64>,
    capabilities: Vec<Capability>,
    /// Cumulative frequencies.
    cumulative: Vec<f64>,
    held_out: ParityExamples,
}

/// Inputs and labels on the host.
#[derive(Debug, Clone)]
struct ParityExamples {
    inputs: TensorData,
    signs: Vec<f32>,
    codes: Vec<usize>,
}

impl SparseParity {
    /// The tasks and held-out examples of one seed.
    ///
    /// # Errors
    ///
    /// [`SparseParityError`] naming the setting that is out of range.
    pub fn new(config: SparseParityConfig, seed: u64) -> Result<Self, SparseParityError> {
        let within = |name, got, least, most| match (least..=most).contains(&got) {
            true => Ok(()),
            false => Err(SparseParityError::Range {
                name,
                least,
                most,
                got,
            }),
        };
        within("tasks", config.tasks, 1, 10_000)?;
        within("bits", config.bits, 1, 64)?;
        within("subset", config.subset, 1, config.bits)?;
        within("hidden", config.hidden, 1, 1_000_000)?;
        within("held_out", config.held_out, 1, 1_000_000)?;
        within("aliases", config.aliases, 1, 1_000)?;
        within("depth", config.depth, 1, 100)?;
        let (bits, tasks, subset) = (config.bits, config.tasks, config.subset);
        if binomial(bits, subset) < tasks as f64 {
            return Err(SparseParityError::Subsets {
                bits,
                tasks,
                subset,
            });
        }

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

        let weights: Vec<f64> = (0..tasks)
            .map(|i| ((i + 1) as f64).powf(-config.exponent))
            .collect();
        let total: f64 = weights.iter().sum();
        let digits = (tasks - 1).to_string().len().max(2);
        let capability = |(i, weight): (usize, &f64)| Capability {
            name: format!("task-{i:0digits$}"),
            chance: 0.5,
            frequency: weight / total,
        };
        let cumulative = weights.iter().scan(0.0, |sum, weight| {
            *sum += weight / total;
            Some(*sum)
        });
        let mut task = Self {
            capabilities: weights.iter().enumerate().map(capability).collect(),
            cumulative: cumulative.collect(),
            held_out: ParityExamples {
                inputs: TensorData::from([0.0f32]),
                signs: Vec::new(),
                codes: Vec::new(),
            },
            masks,
            config,
        };
        let each = (0..tasks).flat_map(|i| std::iter::repeat_n(i, task.config.held_out));
        task.held_out = task.examples(&each.collect::<Vec<_>>(), &mut random);
        Ok(task)
    }

    /// Fresh examples of the given tasks.
    fn examples(&self, tasks: &[usize], random: &mut ChaCha8Rng) -> ParityExamples {
        let SparseParityConfig {
            bits,
            code,
            aliases,
            ..
        } = self.config;
        let width = self.config.codes() + bits;
        let mut inputs = vec![0.0f32; tasks.len() * width];
        let mut signs = Vec::with_capacity(tasks.len());
        let mut announced = Vec::with_capacity(tasks.len());
        for (&task, row) in tasks.iter().zip(inputs.chunks_mut(width)) {
            // A single code needs no random number, so that its stream is that of a task without
            // aliases.
            let alias = match aliases {
                1 => 0,
                _ => random.random_range(0..aliases),
            };
            let shown = task * aliases + alias;
            announced.push(shown);
            let word = random.next_u64();
            let (codes, values) = row.split_at_mut(self.config.codes());
            codes[shown] = code;
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
        }
    }
}

/// One draw: inputs `[n, tasks · aliases + bits]` and labels as signs `[n]`.
#[derive(Debug, Clone)]
pub struct ParityBatch {
    inputs: Tensor<2>,
    signs: Tensor<1>,
    codes: Vec<usize>,
}

impl ParityBatch {
    /// The code that announces each example, `[n]`: task · aliases + alias. No model sees it but as
    /// an input.
    pub fn codes(&self) -> &[usize] {
        &self.codes
    }
}

/// The share of a task's own parity in the model's output: the Fourier coefficient E[f χ_S] over the root
/// mean square of the output f, 0 to 1, from margins f χ_S. It rises with what the model has learned of
/// the parity while the accuracy may still be that of guessing (after Barak et al. 2022, "Hidden Progress
/// in Deep Learning"). With m held-out examples noise alone gives about 0.4/√m.
fn fourier(margins: &[f64]) -> f64 {
    let n = margins.len().max(1) as f64;
    let mean = margins.iter().sum::<f64>() / n;
    let power = margins.iter().map(|margin| margin * margin).sum::<f64>() / n;
    match power > 0.0 {
        true => (mean / power.sqrt()).clamp(0.0, 1.0),
        false => 0.0,
    }
}

impl SparseParity {
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
        let SparseParityConfig {
            bits,
            hidden,
            depth,
            ..
        } = self.config;
        let mut widths = vec![self.config.codes() + bits];
        widths.extend(std::iter::repeat_n(hidden, depth));
        widths.push(1);
        Mlp::new(&widths, random, device)
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Drawn<ParityBatch> {
        let last = self.config.tasks - 1;
        let tasks: Vec<usize> = (0..n)
            .map(|_| {
                let at = random.random::<f64>();
                self.cumulative.partition_point(|&sum| sum <= at).min(last)
            })
            .collect();
        self.drawn(tasks, random, device)
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<ParityBatch>, TrainError> {
        Ok(self.drawn(capabilities.to_vec(), random, device))
    }

    fn losses(&self, model: &Mlp, batch: &ParityBatch) -> Tensor<1> {
        let [n, _] = batch.inputs.dims();
        let margin = model.forward(batch.inputs.clone()).reshape([n]) * batch.signs.clone();
        // ln(1 + e^−m) without overflow.
        margin.clone().neg().clamp_min(0.0) + margin.abs().neg().exp().log1p()
    }

    fn evaluate(&self, model: &Mlp, device: &Device) -> Result<Vec<Score>, TrainError> {
        let inputs = Tensor::<2>::from_data(self.held_out.inputs.clone(), device);
        let logits = model
            .forward(inputs)
            .into_data()
            .convert::<f32>()
            .try_to_vec::<f32>();
        let logits = logits.map_err(|problem| TrainError::Read {
            operation: "sparse parity: evaluation",
            problem: format!("{problem:?}"),
        })?;
        let each = self.config.held_out;
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

/// n choose k.
fn binomial(n: usize, k: usize) -> f64 {
    (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_the_parity_of_the_tasks_bits() {
        let task = SparseParity::new(SparseParityConfig::default(), 3).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let tasks: Vec<usize> = (0..200).map(|i| i % 20).collect();
        let examples = task.examples(&tasks, &mut random);
        let inputs: Vec<f32> = examples.inputs.try_to_vec().unwrap();
        for ((&of, row), sign) in tasks.iter().zip(inputs.chunks(70)).zip(&examples.signs) {
            let (code, bits) = row.split_at(20);
            assert_eq!(code.iter().position(|&value| value == 3.0), Some(of));
            assert_eq!(code.iter().sum::<f32>(), 3.0);
            assert_eq!(task.masks[of].count_ones(), 3);
            let ones = (0..50).filter(|bit| task.masks[of] >> bit & 1 == 1 && bits[*bit] == 1.0);
            assert_eq!(*sign, if ones.count() % 2 == 1 { 1.0 } else { -1.0 });
        }
    }

    #[test]
    fn frequencies_are_zipf_and_draws_follow_them() {
        let task = SparseParity::new(SparseParityConfig::default(), 0).unwrap();
        let first = task.capabilities[0].frequency;
        assert!((task.capabilities[3].frequency / first - 4f64.powf(-0.8)).abs() < 1e-12);
        let total: f64 = task.capabilities.iter().map(|c| c.frequency).sum();
        assert!((total - 1.0).abs() < 1e-12);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let drawn = task.draw(40_000, &mut random, &Device::flex());
        for (i, capability) in task.capabilities.iter().enumerate() {
            let share = drawn.labels.iter().filter(|&&l| l == Some(i)).count() as f64 / 40_000.0;
            let deviation = (capability.frequency / 40_000.0).sqrt();
            assert!(
                (share - capability.frequency).abs() < 5.0 * deviation,
                "{i}: {share}"
            );
        }
    }

    #[test]
    fn tasks_differ_and_seeds_matter() {
        let masks = |seed| {
            SparseParity::new(SparseParityConfig::default(), seed)
                .unwrap()
                .masks
        };
        assert_eq!(masks(1).iter().collect::<HashSet<_>>().len(), 20);
        assert_eq!(masks(1), masks(1));
        assert_ne!(masks(1), masks(2));
    }

    /// What draws, held-out examples and weights were before tasks could have aliases, at seed 5.
    #[test]
    fn one_alias_draws_what_was_always_drawn() {
        let config = SparseParityConfig {
            tasks: 4,
            bits: 8,
            hidden: 3,
            held_out: 5,
            ..SparseParityConfig::default()
        };
        let task = SparseParity::new(config, 5).unwrap();
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let drawn = task.draw(6, &mut random, &Device::flex());
        let model = task.model(&mut random, &Device::flex());
        let inputs: Vec<f32> = drawn.batch.inputs.into_data().try_to_vec().unwrap();
        let logits: Vec<f32> = model
            .forward(Tensor::ones([1, 12], &Device::flex()))
            .into_data()
            .try_to_vec()
            .unwrap();
        let held: Vec<f32> = task.held_out.inputs.try_to_vec().unwrap();
        let labels: Vec<usize> = drawn.labels.into_iter().flatten().collect();
        assert_eq!(labels, [0, 2, 2, 3, 0, 0]);
        assert_eq!(task.masks, [0xc2, 0x31, 0x52, 0x4c]);
        assert_eq!(fingerprint(&inputs), 8_422_219_708_883_655_973);
        assert_eq!(fingerprint(&held), 7_712_926_039_492_645);
        assert_eq!(logits[0].to_bits(), 1_057_682_982);
        assert_eq!(drawn.batch.codes, labels);
    }

    /// FNV-1a of the bits of numbers.
    fn fingerprint(values: &[f32]) -> u64 {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }

    #[test]
    fn each_alias_announces_its_task_equally_often() {
        let config = SparseParityConfig {
            tasks: 4,
            aliases: 3,
            depth: 2,
            ..SparseParityConfig::default()
        };
        let task = SparseParity::new(config, 0).unwrap();
        assert_eq!(task.capabilities.len(), 4);
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let device = Device::flex();
        let drawn = task.draw(6_000, &mut random, &device);
        let mut seen = [0.0; 12];
        let inputs: Vec<f32> = drawn.batch.inputs.clone().into_data().try_to_vec().unwrap();
        for ((row, &code), label) in inputs
            .chunks(12 + 50)
            .zip(drawn.batch.codes())
            .zip(&drawn.labels)
        {
            assert_eq!(row.iter().position(|&value| value == 3.0), Some(code));
            assert_eq!(Some(code / 3), *label);
            seen[code] += 1.0;
        }
        for of_task in seen.chunks(3) {
            let mean = of_task.iter().sum::<f64>() / 3.0;
            assert!(
                of_task
                    .iter()
                    .all(|count| (count - mean).abs() < 5.0 * mean.sqrt()),
                "{seen:?}"
            );
        }
        let model = task.model(&mut random, &device);
        assert_eq!(task.losses(&model, &drawn.batch).dims(), [6_000]);
        let paths: Vec<String> =
            gradual::grad::trace(&task.model(&mut random, &device.autodiff()), |m| {
                task.losses(m, &drawn.batch)
            })
            .unwrap()
            .gradients
            .paths()
            .map(str::to_owned)
            .collect();
        assert!(paths.contains(&"layers.2.weight".to_owned()), "{paths:?}");
    }

    #[test]
    fn settings_are_checked() {
        let with = |change: fn(&mut SparseParityConfig)| {
            let mut config = SparseParityConfig::default();
            change(&mut config);
            SparseParity::new(config, 0).unwrap_err().to_string()
        };
        assert_eq!(
            with(|c| c.tasks = 0),
            "sparse parity: tasks must be from 1 to 10000, got 0"
        );
        assert_eq!(
            with(|c| c.subset = 51),
            "sparse parity: subset must be from 1 to 50, got 51"
        );
        assert_eq!(
            with(|c| c.aliases = 0),
            "sparse parity: aliases must be from 1 to 1000, got 0"
        );
        assert_eq!(
            with(|c| c.depth = 0),
            "sparse parity: depth must be from 1 to 100, got 0"
        );
        assert_eq!(
            with(|c| {
                c.bits = 4;
                c.subset = 4
            }),
            "sparse parity: 4 bits have fewer than 20 subsets of 4 bits"
        );
    }
}
