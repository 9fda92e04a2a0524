//! Burn's `Learner` with a grouped loss: `stock.rs` with another `TrainStep`.
//!
//! ```text
//! cargo run --release --package gradual --example learner-grouped
//! ```

use std::sync::Arc;

use burn::data::dataloader::{DataLoader, DataLoaderBuilder, batcher::Batcher};
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::metric::{AccuracyMetric, LossMetric};
use burn::train::{
    ClassificationOutput, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep,
};
use gradual::prelude::*;
use gradual::train::GroupedStep;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SKILLS: usize = 4;
const BITS: usize = 8;

/// Bits, the skill that is asked for, and the right answer: whether two bits, others for each skill, are
/// equal.
#[derive(Clone, Debug)]
struct Item {
    inputs: [f32; BITS + SKILLS],
    skill: usize,
    answer: i32,
}

fn items(count: usize, seed: u64) -> InMemDataset<Item> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let item = |_| {
        let skill = match random.random_range(0..100) {
            0..60 => 0,
            60..85 => 1,
            85..95 => 2,
            _ => 3,
        };
        let bits: [bool; BITS] = std::array::from_fn(|_| random.random());
        let mut inputs = [0.0; BITS + SKILLS];
        for (input, bit) in inputs.iter_mut().zip(bits) {
            *input = if bit { 1.0 } else { -1.0 };
        }
        inputs[BITS + skill] = 3.0;
        let answer = i32::from(bits[2 * skill] == bits[2 * skill + 1]);
        Item {
            inputs,
            skill,
            answer,
        }
    };
    InMemDataset::new((0..count).map(item).collect())
}

#[derive(Clone, Debug)]
struct Batch {
    inputs: Tensor<2>,
    skills: Vec<Option<usize>>,
    answers: Tensor<1, Int>,
}

#[derive(Clone)]
struct Batches;

impl Batcher<Item, Batch> for Batches {
    fn batch(&self, items: Vec<Item>, device: &Device) -> Batch {
        let n = items.len();
        let inputs: Vec<f32> = items.iter().flat_map(|item| item.inputs).collect();
        let answers: Vec<i32> = items.iter().map(|item| item.answer).collect();
        Batch {
            inputs: Tensor::from_data(TensorData::new(inputs, [n, BITS + SKILLS]), device),
            skills: items.iter().map(|item| Some(item.skill)).collect(),
            answers: Tensor::from_data(TensorData::new(answers, [n]), device),
        }
    }
}

#[derive(Module, Debug)]
struct Model {
    hidden: Linear,
    readout: Linear,
    #[module(skip)]
    grouped: GroupedStep<Batch>,
}

impl Model {
    fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(BITS + SKILLS, 64).init(device),
            readout: LinearConfig::new(64, 2).init(device),
            grouped: GroupedStep::new(Objective::new(Labels::new(SKILLS), SumOfSquares)),
        }
    }

    fn forward(&self, inputs: Tensor<2>) -> Tensor<2> {
        self.readout.tap(relu(self.hidden.tap(inputs)))
    }

    fn output(&self, batch: Batch) -> ClassificationOutput {
        let output = self.forward(batch.inputs);
        let loss = CrossEntropyLossConfig::new().init(&output.device());
        let loss = loss.forward(output.clone(), batch.answers.clone());
        ClassificationOutput::new(loss, output, batch.answers)
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> TrainOutput<ClassificationOutput> {
        let mut item = None;
        let losses = |m: &Self, batch: &Batch| {
            let output = item.insert(m.output(batch.clone())).output.clone();
            let answers = batch.answers.clone().unsqueeze_dim(1);
            -log_softmax(output, 1).gather(1, answers).squeeze_dim(1)
        };
        let stepped = self.grouped.step(self, Some(&batch.skills), &batch, losses);
        let grads = stepped.expect("a step that can be made").update;
        let item = item.expect("a step computes its losses");
        TrainOutput { grads, item }
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = ClassificationOutput;

    fn step(&self, batch: Batch) -> ClassificationOutput {
        self.output(batch)
    }
}

fn loader(items: InMemDataset<Item>, device: &Device) -> Arc<dyn DataLoader<Batch>> {
    let builder = DataLoaderBuilder::new(Batches).batch_size(128).shuffle(1);
    builder.set_device(device.clone()).build(items)
}

fn main() {
    let device = Device::flex().autodiff();
    let folder = std::env::args().nth(1).unwrap_or("runs/learner".into());
    let (train, valid) = (items(12_800, 0), items(2_560, 1));
    let training = SupervisedTraining::new(
        folder,
        loader(train, &device),
        loader(valid, &Device::flex()),
    );
    let training = training
        .metrics((AccuracyMetric::new(), LossMetric::new()))
        .with_default_checkpointers()
        .num_epochs(8)
        .summary();
    let model = Model::new(&device);
    training.launch(Learner::new(model, AdamConfig::new().init(), 3e-3));
}
