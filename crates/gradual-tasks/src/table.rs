//! A table of numbers with a label and a group: a user's own data.

mod columns;
pub(crate) mod data;
pub(crate) mod error;
mod groups;
mod number;
mod read;
pub(crate) mod row;
mod source;
#[cfg(test)]
mod tests;
mod values;

use std::ops::Range;
use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::mlp::Mlp;
use columns::Checked;
use data::TableData;

/// Width of the hidden layer.
const HIDDEN: usize = 64;
/// One row in this many of each group is held out.
const HELD_OUT: usize = 4;

/// Rows of numbers with a class and a group each; every group is a capability.
///
/// Features are all columns but the label and the group, standardised by the training rows' mean and standard
/// deviation. A quarter of each group's rows (at least one) is held out. A group of a single row has nothing left to be
/// measured on, and without a group no grouped loss would train on it. So all such rows are one group together, whose
/// name says so; if there is one alone, it is trained on with the smallest of the other groups. Training draws rows
/// with replacement. Chance is one over the number of classes.
#[derive(Debug, Clone)]
pub struct Table {
    data: Arc<Checked>,
    /// Rows of the data to train on, capability by capability.
    training: Vec<u32>,
    /// Where each capability is in `training`.
    members: Vec<Range<usize>>,
    /// Rows of the data of each capability that are held out.
    held_out: Vec<Vec<u32>>,
    capabilities: Vec<Capability>,
    scale: Vec<Scale>,
}

/// Mean and standard deviation of a column.
#[derive(Debug, Clone, Copy, Default)]
struct Scale {
    mean: f64,
    deviation: f64,
}

impl Table {
    /// The data of one seed, which decides what rows of each group are held out.
    #[must_use]
    pub fn new(data: &TableData, seed: u64) -> Self {
        let data = Arc::clone(&data.columns);
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let (mut training, mut members) = (Vec::new(), Vec::new());
        let (mut held_out, mut capabilities) = (Vec::new(), Vec::new());
        for named in &data.groups {
            let mut rows = named.rows.clone();
            rows.shuffle(&mut random);
            let out = (rows.len() / HELD_OUT).max(1);
            rows.extend(named.lone);
            let first = training.len();
            training.extend_from_slice(&rows[out..]);
            rows.truncate(out);
            held_out.push(rows);
            members.push(first..training.len());
            capabilities.push(Capability {
                name: named.name.clone(),
                chance: 1.0 / data.num_classes as f64,
                frequency: (training.len() - first) as f64,
            });
        }
        for capability in &mut capabilities {
            capability.frequency /= training.len() as f64;
        }
        Self {
            scale: scale(&data, &training),
            data,
            training,
            members,
            held_out,
            capabilities,
        }
    }

    /// These rows of the data, every column centred and scaled to unit standard deviation over the training rows.
    fn batch(&self, rows: &[u32], device: &Device) -> TableBatch {
        let (n, width) = (rows.len(), self.data.width);
        let mut features = Vec::with_capacity(n * width);
        let mut classes = Vec::with_capacity(n);
        for &row in rows {
            let values = self.data.row(row).iter().zip(&self.scale);
            features.extend(
                values.map(|(&value, scale)| {
                    ((f64::from(value) - scale.mean) / scale.deviation) as f32
                }),
            );
            classes.push(self.data.classes[row as usize]);
        }
        TableBatch {
            features: Tensor::from_data(TensorData::new(features, [n, width]), device),
            classes: Tensor::from_data(TensorData::new(classes, [n]), device),
        }
    }

    /// These training rows, by their place among all of them.
    fn drawn(&self, places: &[usize], device: &Device) -> Drawn<TableBatch> {
        let rows: Vec<u32> = places.iter().map(|&at| self.training[at]).collect();
        let label = |&at: &usize| Some(self.members.partition_point(|its| its.end <= at));
        Drawn::new(
            self.batch(&rows, device),
            places.iter().map(label).collect(),
        )
    }
}

/// Mean and standard deviation of every column over some rows.
fn scale(data: &Checked, rows: &[u32]) -> Vec<Scale> {
    let n = rows.len() as f64;
    let mut scale = vec![Scale::default(); data.width];
    let of = |row: &u32| data.row(*row).iter().map(|&value| f64::from(value));
    for row in rows {
        for (scale, value) in scale.iter_mut().zip(of(row)) {
            scale.mean += value;
        }
    }
    for scale in &mut scale {
        scale.mean /= n;
    }
    for row in rows {
        for (scale, value) in scale.iter_mut().zip(of(row)) {
            scale.deviation += (value - scale.mean).powi(2);
        }
    }
    for scale in &mut scale {
        let variance = scale.deviation / n;
        // A constant column carries nothing: zero after centring.
        scale.deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    }
    scale
}

/// One draw: features `[n, d]` and classes `[n]`.
#[derive(Debug, Clone)]
pub struct TableBatch {
    features: Tensor<2>,
    classes: Tensor<1, Int>,
}

/// Log-probabilities of the right class, from logits `[n, classes]`: `[n]`.
fn log_likelihood(logits: Tensor<2>, classes: &Tensor<1, Int>) -> Tensor<1> {
    let [n, _] = logits.dims();
    log_softmax(logits, 1)
        .gather(1, classes.clone().reshape([n, 1]))
        .reshape([n])
}

impl Task for Table {
    type Model = Mlp;
    type Batch = TableBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Mlp {
        let widths = [self.data.width, HIDDEN, self.data.num_classes];
        Mlp::new(&widths, random, device)
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Drawn<TableBatch> {
        let all = self.training.len();
        let rows: Vec<usize> = (0..n).map(|_| random.random_range(0..all)).collect();
        self.drawn(&rows, device)
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<TableBatch>, TrainError> {
        let row = |&capability: &usize| {
            let members = self.members[capability].clone();
            members.start + random.random_range(0..members.len())
        };
        let rows: Vec<usize> = capabilities.iter().map(row).collect();
        Ok(self.drawn(&rows, device))
    }

    fn items(&self) -> Option<usize> {
        Some(self.training.len())
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<TableBatch>, TrainError> {
        Ok(self.drawn(items, device))
    }

    fn losses(&self, model: &Mlp, batch: &TableBatch) -> Tensor<1> {
        log_likelihood(model.forward(batch.features.clone()), &batch.classes).neg()
    }

    fn evaluate(&self, model: &Mlp, device: &Device) -> Result<Vec<Score>, TrainError> {
        let read = |problem| TrainError::Read {
            operation: "table: evaluation",
            problem: format!("{problem:?}"),
        };
        let score = |rows: &Vec<u32>| {
            let batch = self.batch(rows, device);
            let logits = model.forward(batch.features);
            let losses = log_likelihood(logits.clone(), &batch.classes).neg();
            let losses = losses
                .into_data()
                .convert::<f32>()
                .try_to_vec::<f32>()
                .map_err(read)?;
            let right = logits
                .argmax(1)
                .reshape([losses.len()])
                .equal(batch.classes)
                .int();
            let right = right
                .into_data()
                .convert::<i32>()
                .try_to_vec::<i32>()
                .map_err(read)?;
            let n = losses.len() as f64;
            Ok(Score {
                accuracy: f64::from(right.iter().sum::<i32>()) / n,
                loss: losses.iter().map(|&loss| f64::from(loss)).sum::<f64>() / n,
                probability: Some(
                    losses
                        .iter()
                        .map(|&loss| f64::from(-loss).exp())
                        .sum::<f64>()
                        / n,
                ),
                progress: None,
            })
        };
        self.held_out.iter().map(score).collect()
    }
}
