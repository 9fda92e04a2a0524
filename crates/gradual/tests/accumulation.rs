//! Gradient accumulation by Burn's own `Learner`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn::data::dataset::InMemDataset;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::renderer::CliMetricsRenderer;
use burn::train::{
    InferenceStep, Learner, RegressionOutput, SupervisedTraining, TrainOutput, TrainStep,
};
use gradual::prelude::*;
use gradual::train::GroupedStep;

const RATE: f64 = 0.05;

#[derive(Clone, Debug)]
struct Batch {
    inputs: Tensor<2>,
    groups: Vec<Option<usize>>,
}

#[derive(Clone)]
struct Batches;

/// Item i: an input, and group 1 for one of seven.
impl Batcher<usize, Batch> for Batches {
    fn batch(&self, items: Vec<usize>, device: &Device) -> Batch {
        let inputs = items
            .iter()
            .flat_map(|&i| [0.7, 1.1].map(|by| (i as f32 * by).sin()));
        let inputs: Vec<f32> = inputs.collect();
        Batch {
            inputs: Tensor::from_data(TensorData::new(inputs, [items.len(), 2]), device),
            groups: items
                .iter()
                .map(|i| Some(usize::from(i % 7 == 0)))
                .collect(),
        }
    }
}

#[derive(Module, Debug)]
struct Model {
    layer: Linear,
    #[module(skip)]
    grouped: GroupedStep<Batch>,
}

impl Model {
    fn losses(&self, batch: &Batch) -> Tensor<1> {
        let output = self.layer.tap(batch.inputs.clone());
        (output - 1.0).powi_scalar(2).squeeze_dim(1)
    }

    fn output(&self, batch: &Batch) -> RegressionOutput {
        let output = self.layer.forward(batch.inputs.clone());
        let targets = output.ones_like();
        RegressionOutput::new(
            (output.clone() - 1.0).powi_scalar(2).mean(),
            output,
            targets,
        )
    }

    fn weight(&self) -> Vec<f32> {
        self.layer.weight.val().into_data().try_to_vec().unwrap()
    }
}

impl TrainStep for Model {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
        let stepped = self
            .grouped
            .step(self, Some(&batch.groups), &batch, Self::losses);
        let grads = stepped.unwrap_or_else(|error| panic!("{error}")).update;
        TrainOutput {
            grads,
            item: self.output(&batch),
        }
    }
}

impl InferenceStep for Model {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        self.output(&batch)
    }
}

/// Batches of four.
fn loader(items: usize, device: &Device) -> Arc<dyn DataLoader<Batch>> {
    let builder = DataLoaderBuilder::new(Batches).batch_size(4);
    builder
        .set_device(device.clone())
        .build(InMemDataset::new((0..items).collect()))
}

/// The weights that a `Learner` ends with after two epochs.
fn learned(model: &Model, items: usize, accumulation: usize) -> Vec<f32> {
    let device = Device::flex().autodiff();
    let folder = tempfile::tempdir().unwrap();
    let loaders = (loader(items, &device), loader(4, &Device::flex()));
    let training = SupervisedTraining::new(folder.path(), loaders.0, loaders.1)
        .with_application_logger(None)
        .renderer(Box::new(CliMetricsRenderer::new()))
        .grads_accumulation(accumulation)
        .num_epochs(2);
    let learner = Learner::new(model.clone(), SgdConfig::new().init(), RATE);
    training.launch(learner).model.weight()
}

/// The weights after two epochs of whole draws.
fn expected(model: &Model, objective: fn() -> Objective, items: usize, draw: usize) -> Vec<f32> {
    let (mut model, mut objective) = (model.clone(), objective());
    let mut optimizer = SgdConfig::new().init();
    let device = Device::flex();
    for _ in 0..2 {
        for from in (0..items).step_by(draw) {
            let batch = Batches.batch((from..items.min(from + draw)).collect(), &device);
            let labels = batch.groups.clone();
            let stepped =
                step(&model, &mut objective, Some(&labels), |m| m.losses(&batch)).unwrap();
            model = optimizer.step(RATE, model, stepped.update);
        }
    }
    model.weight()
}

fn model(grouped: GroupedStep<Batch>) -> Model {
    let layer = LinearConfig::new(2, 1).init(&Device::flex().autodiff());
    Model { layer, grouped }
}

#[test]
fn a_learner_that_accumulates_trains_on_whole_draws() {
    for objective in [
        (|| Objective::new(Labels::new(2), SumOfSquares)) as fn() -> Objective,
        || Objective::new(SingularVectors::default(), SumOfSquares),
    ] {
        // Eight batches, and seven, whose last draw has three.
        for items in [32, 28] {
            let grouped = GroupedStep::new(objective())
                .with_accumulation(4)
                .with_epoch(items / 4);
            let model = model(grouped);
            let wanted = expected(&model, objective, items, 16);
            let got = learned(&model, items, 4);
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
            assert!(got.iter().zip(&wanted).all(near), "{got:?} {wanted:?}");
            assert_ne!(got, model.weight());
        }
    }
}

#[test]
fn a_learner_that_nobody_told_of_is_refused() {
    for (calls, items) in [(1, 32), (2, 32), (4, 28)] {
        let objective = Objective::new(Labels::new(2), SumOfSquares);
        let model = model(GroupedStep::new(objective).with_accumulation(calls));
        let refused = catch_unwind(AssertUnwindSafe(|| learned(&model, items, 4)));
        let problem = refused.expect_err("a panic with the error");
        let message = problem.downcast_ref::<String>().expect("a message");
        assert!(message.contains("`grads_accumulation(k)`"), "{message}");
        assert!(message.contains("`with_accumulation(k)`"), "{message}");
    }
}
