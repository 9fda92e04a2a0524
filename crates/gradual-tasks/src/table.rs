//! A table of numbers with a label and a group: a user's own data.

pub(crate) mod error;
mod groups;
mod read;
pub(crate) mod row;
#[cfg(test)]
mod tests;

use std::path::Path;

use burn::data::dataset::Dataset;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::mlp::Mlp;
use error::TableError;
use groups::{Named, distinct, named_groups, position};
use read::Columns;
use row::{DATASET, TableRow};

/// Width of the hidden layer.
const HIDDEN: usize = 64;
/// One row in this many of each group is held out.
const HELD_OUT: usize = 4;
/// More classes than this are taken for a mistake.
const CLASSES: usize = 100;

/// Rows of numbers with a class and a group each; every group is a capability.
///
/// Features are all columns but the label and the group, standardised by the training rows' mean and standard
/// deviation. A quarter of each group's rows (at least one) is held out. A group of a single row has nothing left to be
/// measured on, and without a group no grouped loss would train on it. So all such rows are one group together, whose
/// name says so; if there is one alone, it is trained on with the smallest of the other groups. Training draws rows
/// with replacement. Chance is one over the number of classes.
#[derive(Debug, Clone)]
pub struct Table {
    width: usize,
    classes: usize,
    training: Rows,
    /// Training rows of each capability.
    members: Vec<Vec<usize>>,
    held_out: Vec<Rows>,
    capabilities: Vec<Capability>,
}

/// Features row-major, class and capability of each row.
#[derive(Debug, Clone, Default)]
struct Rows {
    features: Vec<f32>,
    classes: Vec<i32>,
    labels: Vec<Option<usize>>,
}

impl Table {
    /// Reads a CSV file with a header, whose cells are all numbers.
    ///
    /// # Errors
    ///
    /// [`TableError`] naming the file and what is wrong: file or column missing, line and column of
    /// a cell that is no finite number, ragged rows, fewer than two rows, fewer than two classes.
    pub fn open(path: &Path, label: &str, group: &str, seed: u64) -> Result<Self, TableError> {
        let name = path.display().to_string();
        Self::split(Columns::open(path, label, group)?, &name, group, seed)
    }

    /// Red-wine quality (Cortez et al. 2009; UCI repository): 1 599 wines, 11 measurements. The label
    /// is whether the quality score is above 6, the group is the score: groups of 10 to 681 wines.
    ///
    /// # Errors
    ///
    /// None that the shipped data would cause.
    pub fn red_wine(seed: u64) -> Result<Self, TableError> {
        Self::split(Columns::red_wine(), "red wine", "quality", seed)
    }

    /// Any of Burn's datasets whose items are rows, such as one in memory, from a database, or mapped
    /// from other items; the column that names the groups is called `group`.
    ///
    /// # Errors
    ///
    /// [`TableError`] for rows of different lengths, numbers that are not finite, an item that can't be
    /// had, and whatever [`open`](Self::open) refuses of a table.
    pub fn from_dataset(
        dataset: &dyn Dataset<TableRow>,
        group: &str,
        seed: u64,
    ) -> Result<Self, TableError> {
        Self::split(Columns::from_dataset(dataset)?, DATASET, group, seed)
    }

    fn split(columns: Columns, name: &str, group: &str, seed: u64) -> Result<Self, TableError> {
        let unusable = |problem: String| TableError::Unusable {
            table: name.to_owned(),
            problem,
        };
        let rows = columns.labels.len();
        if rows < 2 {
            return Err(unusable(format!("has {rows} rows; at least 2 are needed")));
        }
        if columns.width == 0 {
            return Err(unusable(
                "has no feature column beside label and group".to_owned(),
            ));
        }
        let classes = distinct(&columns.labels);
        if !(2..=CLASSES).contains(&classes.len()) {
            let found = classes.len();
            return Err(unusable(format!(
                "the label column holds {found} distinct values; from 2 to {CLASSES} are needed"
            )));
        }

        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(2);
        let width = columns.width;
        let mut training = Rows::default();
        let mut held_out = Vec::new();
        let mut capabilities = Vec::new();
        let push = |rows: &mut Rows, row: usize, label| {
            rows.features
                .extend_from_slice(&columns.features[row * width..(row + 1) * width]);
            rows.classes
                .push(position(&classes, columns.labels[row]) as i32);
            rows.labels.push(label);
        };
        let named = named_groups(group, &columns.groups).ok_or_else(|| {
            unusable("every group has a single row; none can be measured".to_owned())
        })?;
        for Named {
            name,
            rows: mut members,
            lone,
        } in named
        {
            members.shuffle(&mut random);
            let out = (members.len() / HELD_OUT).max(1);
            members.extend(lone);
            let label = Some(capabilities.len());
            let mut rows = Rows::default();
            members[..out]
                .iter()
                .for_each(|&row| push(&mut rows, row, label));
            held_out.push(rows);
            capabilities.push(Capability {
                name,
                chance: 1.0 / classes.len() as f64,
                frequency: (members.len() - out) as f64,
            });
            members[out..]
                .iter()
                .for_each(|&row| push(&mut training, row, label));
        }
        for capability in &mut capabilities {
            capability.frequency /= training.classes.len() as f64;
        }
        let of = |capability| {
            let labels = training.labels.iter().enumerate();
            let its = labels.filter(|(_, label)| **label == Some(capability));
            its.map(|(row, _)| row).collect()
        };
        let mut table = Self {
            members: (0..capabilities.len()).map(of).collect(),
            width,
            classes: classes.len(),
            training,
            held_out,
            capabilities,
        };
        table.standardise();
        Ok(table)
    }

    /// Centres every column and scales it to unit standard deviation over the training rows.
    fn standardise(&mut self) {
        let (width, n) = (self.width, self.training.classes.len() as f64);
        for column in 0..width {
            let values = self.training.features[column..].iter().step_by(width);
            let mean = values.clone().map(|&v| f64::from(v)).sum::<f64>() / n;
            let variance = values.map(|&v| (f64::from(v) - mean).powi(2)).sum::<f64>() / n;
            // A constant column carries nothing: zero after centring.
            let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
            for rows in std::iter::once(&mut self.training).chain(&mut self.held_out) {
                for value in rows.features[column..].iter_mut().step_by(width) {
                    *value = ((f64::from(*value) - mean) / deviation) as f32;
                }
            }
        }
    }

    fn batch(&self, rows: &Rows, device: &Device) -> TableBatch {
        let n = rows.classes.len();
        let features = TensorData::new(rows.features.clone(), [n, self.width]);
        TableBatch {
            features: Tensor::from_data(features, device),
            classes: Tensor::from_data(TensorData::new(rows.classes.clone(), [n]), device),
        }
    }
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

impl Table {
    /// These training rows.
    fn drawn(&self, rows: &[usize], device: &Device) -> Drawn<TableBatch> {
        let (all, width) = (&self.training, self.width);
        let mut drawn = Rows::default();
        for &row in rows {
            drawn
                .features
                .extend_from_slice(&all.features[row * width..(row + 1) * width]);
            drawn.classes.push(all.classes[row]);
            drawn.labels.push(all.labels[row]);
        }
        Drawn::new(self.batch(&drawn, device), drawn.labels)
    }
}

impl Task for Table {
    type Model = Mlp;
    type Batch = TableBatch;

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Mlp {
        Mlp::new(&[self.width, HIDDEN, self.classes], random, device)
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Drawn<TableBatch> {
        let all = self.training.classes.len();
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
            let members = &self.members[capability];
            members[random.random_range(0..members.len())]
        };
        let rows: Vec<usize> = capabilities.iter().map(row).collect();
        Ok(self.drawn(&rows, device))
    }

    fn items(&self) -> Option<usize> {
        Some(self.training.classes.len())
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
        let score = |rows: &Rows| {
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
