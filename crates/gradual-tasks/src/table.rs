//! A table of a user's own, with something to predict and a group in every row.

mod cell;
mod columns;
pub(crate) mod data;
pub(crate) mod error;
mod far;
mod feature;
mod fill;
mod header;
pub(crate) mod options;
mod read;
pub(crate) mod row;
mod source;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::runs::MembersRecord;
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::finite::Parts;
use crate::finite::scale::Scale;
use crate::host::floats;
use crate::likelihood;
use crate::mlp::Mlp;
use crate::setting::{self, SettingError};
use columns::{Checked, Targets};
use data::TableData;

/// How far a predicted number may be from the right one and still count as right, in standard deviations.
const NEAR: f64 = 0.5;

/// What messages call an evaluation.
const OPERATION: &str = "table: evaluation";

/// Rows with a class or a number to predict, and a group each; every group is a capability.
///
/// Features are all columns but what is predicted and the group. Numbers are standardised by the training rows' mean
/// and standard deviation in double precision; of a column of names each becomes an input of zeros and ones. An input
/// that is the same in all training rows is zero in every row. A quarter of each group's rows (at least one) is held
/// out, stratified by class. A group of a single row has nothing left to be measured on, and without a group no grouped
/// loss would train on it. So all such rows are one group together, whose name says so; if there is one alone, it is
/// trained on with the smallest of the other groups. Training draws rows with replacement.
///
/// A class is predicted by the cross-entropy, and chance is one over the number of classes. A number is standardised as
/// features are and predicted by the squared error. Its accuracy is the share of rows whose prediction is at most half a
/// standard deviation away, and chance is that share for a model that always predicts the mean.
#[derive(Debug, Clone)]
pub struct Table {
    data: Arc<Checked>,
    parts: Parts,
    capabilities: Vec<Capability>,
    scales: Vec<Scale>,
    /// Of the number that is predicted.
    target: Option<Scale>,
    /// Width of the hidden layer.
    hidden: usize,
}

impl Table {
    /// Width of the hidden layer unless [another](Self::with_hidden) is given.
    pub const HIDDEN: usize = 64;

    /// The data of one seed, which decides what rows of each group are held out.
    #[must_use]
    pub fn new(data: &TableData, seed: u64) -> Self {
        let data = Arc::clone(&data.columns);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let classes = data.targets.classes();
        let parts = Parts::new(&data.groups, &data.order, classes, usize::MAX, &mut random);
        let (target, chance) = match &data.targets {
            Targets::Classes { names, .. } => (None, 1.0 / names.len() as f64),
            Targets::Numbers(numbers) => {
                let training = parts.training.iter().map(|&row| numbers[row as usize]);
                (Some(Scale::of(training)), near_the_mean(numbers))
            }
        };
        Self {
            hidden: Self::HIDDEN,
            scales: data.scales(&parts.training),
            capabilities: parts.capabilities(&data.groups, chance),
            target,
            parts,
            data,
        }
    }

    /// The same rows, learned by a model with a hidden layer of this width, 1 to 65 536.
    ///
    /// # Errors
    ///
    /// [`SettingError`] for another width, or one with which the model has too many parameters.
    pub fn with_hidden(self, hidden: usize) -> Result<Self, SettingError> {
        setting::count("hidden", 1..=65_536, hidden)?;
        let (inputs, outputs) = (self.data.width, self.data.targets.width());
        let parameters = hidden as u128 * (inputs + outputs + 1) as u128 + outputs as u128;
        let others = format!("{inputs} inputs");
        setting::parameters("hidden", hidden, &others, parameters)?;
        Ok(Self { hidden, ..self })
    }

    /// These rows of the data, as the model takes them.
    fn batch(&self, rows: &[u32], device: &Device) -> TableBatch {
        let n = rows.len();
        let features = self.data.inputs(rows, &self.scales);
        let targets = match (&self.data.targets, self.target) {
            (Targets::Numbers(numbers), Some(scale)) => {
                let numbers = rows.iter().map(|&row| scale.apply(numbers[row as usize]));
                let numbers: Vec<f32> = numbers.collect();
                Aims::Numbers(Tensor::from_data(TensorData::new(numbers, [n]), device))
            }
            (targets, _) => {
                let classes = rows.iter().map(|&row| targets.classes()[row as usize]);
                let classes: Vec<i32> = classes.collect();
                Aims::Classes(Tensor::from_data(TensorData::new(classes, [n]), device))
            }
        };
        TableBatch {
            rows: rows.to_vec(),
            features: Tensor::from_data(TensorData::new(features, [n, self.data.width]), device),
            targets,
        }
    }

    /// These training rows, by their place among all of them.
    fn drawn(&self, places: &[usize], device: &Device) -> Drawn<TableBatch> {
        let rows = self.parts.examples(places);
        let batch = self.batch(&rows, device);
        Drawn::new(batch, self.parts.labels(places)).with_items(places.to_vec())
    }
}

/// The share of numbers that are near enough to their mean to count as it: below 1, since all of them can't be.
fn near_the_mean(numbers: &[f64]) -> f64 {
    let scale = Scale::of(numbers.iter().copied());
    let near = |number: &&f64| f64::from(scale.apply(**number)).abs() <= NEAR;
    numbers.iter().filter(near).count() as f64 / numbers.len() as f64
}

/// One draw: features `[n, d]`, and classes or standardised numbers `[n]` to predict.
#[derive(Debug, Clone)]
pub struct TableBatch {
    /// On the host, for words.
    rows: Vec<u32>,
    features: Tensor<2>,
    targets: Aims,
}

/// What a batch is to predict.
#[derive(Debug, Clone)]
enum Aims {
    Classes(Tensor<1, Int>),
    Numbers(Tensor<1>),
}

/// Losses `[n]` of outputs `[n, classes]`, or `[n, 1]` for numbers: the negative log-probability of the right class, or
/// the squared error.
fn losses(outputs: Tensor<2>, targets: &Aims) -> Tensor<1> {
    match targets {
        Aims::Classes(classes) => likelihood::of_classes(outputs, classes.clone()).neg(),
        Aims::Numbers(numbers) => {
            let [n] = numbers.dims();
            (outputs.reshape([n]) - numbers.clone()).square()
        }
    }
}

impl Task for Table {
    type Model = Mlp;
    type Batch = TableBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Mlp {
        let widths = [self.data.width, self.hidden, self.data.targets.width()];
        Mlp::new(&widths, random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<TableBatch>, TrainError> {
        Ok(self.drawn(&self.parts.draw(n, random), device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<TableBatch>, TrainError> {
        Ok(self.drawn(&self.parts.draw_of(capabilities, random), device))
    }

    fn items(&self) -> Option<usize> {
        Some(self.parts.training.len())
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<TableBatch>, TrainError> {
        Ok(self.drawn(items, device))
    }

    /// Its place in the table, what is to be predicted, and the values of its columns: `row 12, good = 0: alcohol 9.4, …`.
    fn describe(&self, batch: &TableBatch, example: usize) -> Option<String> {
        let row = *batch.rows.get(example)?;
        self.data.described_row(row, MembersRecord::MOST_CHARACTERS)
    }

    fn losses(&self, model: &Mlp, batch: &TableBatch) -> Tensor<1> {
        losses(model.forward(batch.features.clone()), &batch.targets)
    }

    fn evaluate(&self, model: &Mlp, device: &Device) -> Result<Vec<Score>, TrainError> {
        let score = |rows: &Vec<u32>| {
            let batch = self.batch(rows, device);
            let outputs = model.forward(batch.features);
            let losses = floats(losses(outputs.clone(), &batch.targets), OPERATION)?;
            let right = match batch.targets {
                Aims::Classes(classes) => {
                    let [n] = classes.dims();
                    floats(
                        outputs.argmax(1).reshape([n]).equal(classes).float(),
                        OPERATION,
                    )?
                }
                // The loss is the squared distance in standard deviations.
                Aims::Numbers(_) => {
                    let near = |&loss: &f64| f64::from(u8::from(loss <= NEAR * NEAR));
                    losses.iter().map(near).collect()
                }
            };
            let mean =
                |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / rows.len() as f64;
            Ok(Score {
                accuracy: mean(&mut right.iter().copied()),
                loss: mean(&mut losses.iter().copied()),
                probability: (self.target.is_none())
                    .then(|| mean(&mut losses.iter().map(|loss| (-loss).exp()))),
                progress: None,
            })
        };
        self.parts.held_out.iter().map(score).collect()
    }
}
