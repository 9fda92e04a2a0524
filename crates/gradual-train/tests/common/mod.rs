//! A linear model, and a task that it learns.

#![allow(dead_code, reason = "each test program uses a part")]

pub(crate) mod folder;
pub(crate) mod lenses;
pub(crate) mod products;
pub(crate) mod recorded;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::Tap;
use gradual_train::{Capability, Drawn, Score, Task, TrainError};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Training items of the finite part.
pub(crate) const ITEMS: usize = 10;

#[derive(Module, Debug)]
pub(crate) struct Model {
    pub(crate) layer: Linear,
}

impl Model {
    pub(crate) fn losses(&self, inputs: &Tensor<2>) -> Tensor<1> {
        let n = inputs.dims()[0];
        (self.layer.tap(inputs.clone()) - 1.0)
            .powi_scalar(2)
            .reshape([n])
    }

    /// The same without a tap.
    pub(crate) fn plain_losses(&self, inputs: &Tensor<2>) -> Tensor<1> {
        let n = inputs.dims()[0];
        (self.layer.forward(inputs.clone()) - 1.0)
            .powi_scalar(2)
            .reshape([n])
    }
}

/// y = x·w* for two capabilities that use different inputs.
pub(crate) struct Regression(Vec<Capability>);

impl Regression {
    pub(crate) fn new() -> Self {
        let capability = |(name, frequency): (&str, f64)| Capability::new(name, 0.0, frequency);
        Self([("common", 0.9), ("rare", 0.1)].map(capability).to_vec())
    }
}

impl Task for Regression {
    type Model = Model;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        &self.0
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Model {
        let values: Vec<f32> = (0..3).map(|_| random.random_range(-0.1..0.1)).collect();
        let mut layer = LinearConfig::new(3, 1).with_bias(false).init(device);
        layer.weight = Param::from_data(TensorData::new(values, [3, 1]), device);
        Model { layer }
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let labels: Vec<usize> = (0..n)
            .map(|_| usize::from(random.random_bool(0.1)))
            .collect();
        Ok(examples(labels, device))
    }

    fn draw_of(
        &self,
        capabilities: &[usize],
        _random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        Ok(examples(capabilities.to_vec(), device))
    }

    fn items(&self) -> Option<usize> {
        Some(ITEMS)
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<Self::Batch>, TrainError> {
        let labels = items.iter().map(|item| usize::from(item % 5 == 0));
        Ok(examples(labels.collect(), device))
    }

    fn losses(&self, model: &Model, (inputs, targets): &Self::Batch) -> Tensor<1> {
        let n = targets.dims()[0];
        (model.layer.tap(inputs.clone()).reshape([n]) - targets.clone()).powi_scalar(2)
    }

    fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        let inputs = Tensor::<2>::from_floats([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]], device);
        let outputs: Vec<f32> = model
            .layer
            .forward(inputs)
            .into_data()
            .try_to_vec()
            .expect("f32");
        let score = |(output, target): (&f32, f32)| {
            let error = f64::from(output - target).abs();
            Score {
                accuracy: (1.0 - error).max(0.0),
                loss: error * error,
                probability: None,
                progress: None,
            }
        };
        Ok(outputs.iter().zip([1.0, 2.0]).map(score).collect())
    }
}

/// One example of each of these capabilities.
fn examples(labels: Vec<usize>, device: &Device) -> Drawn<(Tensor<2>, Tensor<1>)> {
    let n = labels.len();
    let inputs: Vec<f32> = labels
        .iter()
        .flat_map(|&l| [1.0, l as f32, 1.0 - l as f32])
        .collect();
    let targets: Vec<f32> = labels.iter().map(|&label| 1.0 + label as f32).collect();
    let batch = (
        Tensor::from_data(TensorData::new(inputs, [n, 3]), device),
        Tensor::from_data(TensorData::new(targets, [n]), device),
    );
    Drawn::new(batch, labels.into_iter().map(Some).collect())
}

/// The weight of a model.
pub(crate) fn weight(model: &Model) -> Vec<f32> {
    let weight = model.layer.weight.val().into_data();
    weight.try_to_vec().expect("f32")
}
