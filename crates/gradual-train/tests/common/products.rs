//! Products of two signs, in a small network: capabilities that gradients tell apart.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::Tap;
use gradual_train::{Capability, Drawn, Score, Task, TrainError};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub(crate) const KINDS: usize = 3;
const INPUTS: usize = 4 * KINDS;
const HIDDEN: usize = 16;

/// One of the streams of random numbers that a run with this seed draws from.
pub(crate) fn stream(seed: u64, number: u64) -> ChaCha8Rng {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    random.set_stream(number);
    random
}

#[derive(Module, Debug)]
pub(crate) struct Net {
    pub(crate) first: Linear,
    pub(crate) middle: Linear,
    pub(crate) last: Linear,
    dropout: Dropout,
}

/// Each capability is the product of two signs, at places of its own.
pub(crate) struct Products {
    capabilities: Vec<Capability>,
    dropout: f64,
    hidden: usize,
}

impl Products {
    pub(crate) fn new(dropout: f64) -> Self {
        let frequencies = [0.5, 0.3, 0.2];
        let capabilities = frequencies.iter().enumerate();
        let capabilities = capabilities
            .map(|(at, &frequency)| Capability::new(format!("product-{at}"), 0.0, frequency));
        Self {
            capabilities: capabilities.collect(),
            dropout,
            hidden: HIDDEN,
        }
    }

    /// The same with a model of another size.
    pub(crate) fn with_hidden(self, hidden: usize) -> Self {
        Self { hidden, ..self }
    }

    /// Examples one after another, so that draws in parts are the same.
    fn examples(
        n: usize,
        mut kind: impl FnMut(&mut ChaCha8Rng) -> usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Drawn<(Tensor<2>, Tensor<1>)> {
        let (mut inputs, mut targets) = (vec![0.0; n * INPUTS], vec![0.0; n]);
        let mut kinds = Vec::new();
        for (row, target) in inputs.chunks_mut(INPUTS).zip(&mut targets) {
            let kind = kind(random);
            let mut sign = || {
                if random.random_bool(0.5) {
                    1.0f32
                } else {
                    -1.0
                }
            };
            let (a, b) = (sign(), sign());
            row[4 * kind..][..4].copy_from_slice(&[a, b, 1.0, a * 0.5 + b]);
            *target = a * b;
            kinds.push(Some(kind));
        }
        let batch = (
            Tensor::from_data(TensorData::new(inputs, [n, INPUTS]), device),
            Tensor::from_data(TensorData::new(targets, [n]), device),
        );
        Drawn::new(batch, kinds)
    }
}

impl Task for Products {
    type Model = Net;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        &self.capabilities
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Net {
        let mut linear = |inputs: usize, outputs: usize| {
            let bound = 1.0 / (inputs as f32).sqrt();
            let mut values = |count: usize| -> Vec<f32> {
                (0..count)
                    .map(|_| random.random_range(-bound..bound))
                    .collect()
            };
            let weight = TensorData::new(values(inputs * outputs), [inputs, outputs]);
            let bias = TensorData::new(values(outputs), [outputs]);
            let mut layer = LinearConfig::new(inputs, outputs).init(device);
            layer.weight = Param::from_data(weight, device);
            layer.bias = Some(Param::from_data(bias, device));
            layer
        };
        Net {
            first: linear(INPUTS, self.hidden),
            middle: linear(self.hidden, self.hidden),
            last: linear(self.hidden, 1),
            dropout: DropoutConfig::new(self.dropout).init(),
        }
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let kind = |random: &mut ChaCha8Rng| {
            let at: f64 = random.random();
            usize::from(at >= 0.5) + usize::from(at >= 0.8)
        };
        Ok(Self::examples(n, kind, random, device))
    }

    fn losses(&self, model: &Net, (inputs, targets): &Self::Batch) -> Tensor<1> {
        let n = targets.dims()[0];
        let hidden = relu(model.first.tap(inputs.clone()));
        let hidden = model.dropout.forward(hidden);
        let hidden = relu(model.middle.tap(hidden));
        let outputs = model.last.tap(hidden).reshape([n]);
        (outputs - targets.clone()).powi_scalar(2)
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        let scores = (0..KINDS).map(|kind| {
            let mut random = ChaCha8Rng::seed_from_u64(77);
            let drawn = Self::examples(16, |_| kind, &mut random, device);
            let loss = self.losses(model, &drawn.batch).mean().into_scalar::<f32>();
            Score::new(1.0 / (1.0 + f64::from(loss)), f64::from(loss))
        });
        Ok(scores.collect())
    }

    fn describe(&self, (inputs, _): &Self::Batch, example: usize) -> Option<String> {
        let row = inputs.clone().narrow(0, example, 1).into_data();
        Some(format!("{:?}", row.try_to_vec::<f32>().ok()?))
    }
}

pub(crate) fn weights(net: &Net) -> Vec<f32> {
    [&net.first, &net.middle, &net.last]
        .iter()
        .flat_map(|layer| layer.weight.val().into_data().try_to_vec::<f32>().unwrap())
        .collect()
}
