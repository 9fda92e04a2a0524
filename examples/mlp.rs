//! A multilayer perceptron in a training loop of one's own: a rare skill under the mean loss and under grouped losses.
//!
//! `cargo run --release -p gradual --example mlp`
//!
//! Nineteen examples in twenty ask for the sign of x₀, one in twenty for the product x₁x₂, and a flag
//! says which. The loop prints each skill's loss as the model learns.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Distribution, Tensor};
use gradual::prelude::*;

#[derive(Module, Debug)]
struct Model {
    hidden: Linear,
    readout: Linear,
}

impl Model {
    fn new(device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(4, 64).init(device),
            readout: LinearConfig::new(64, 1).init(device),
        }
    }

    /// Squared error of every example, `[n]`.
    fn losses(&self, draw: &Draw) -> Tensor<1> {
        let output = self.readout.tap(relu(self.hidden.tap(draw.inputs.clone())));
        (output - draw.targets.clone())
            .powi_scalar(2)
            .squeeze_dim(1)
    }
}

struct Draw {
    inputs: Tensor<2>,
    targets: Tensor<2>,
    labels: Vec<Option<usize>>,
}

/// `n` examples, every `rare`-th of which asks for the product.
fn draw(n: usize, rare: usize, device: &Device) -> Draw {
    let x = Tensor::<2>::random([n, 3], Distribution::Uniform(-1.0, 1.0), device);
    let labels: Vec<usize> = (0..n).map(|j| usize::from(j % rare == 0)).collect();
    let flags: Vec<f32> = labels.iter().map(|&label| label as f32).collect();
    let flag = Tensor::<1>::from_floats(flags.as_slice(), device).reshape([n, 1]);
    let column = |i| x.clone().narrow(1, i, 1);
    let product = column(1) * column(2);
    let targets = column(0).sign() * (flag.clone().neg() + 1.0) + product * flag.clone();
    Draw {
        inputs: Tensor::cat(vec![x, flag], 1),
        targets,
        labels: labels.into_iter().map(Some).collect(),
    }
}

fn train(name: &str, mut objective: Objective) -> Result<(), gradual::train::TrainError> {
    let device = Device::flex();
    device.seed(1);
    let mut model = Model::new(&device.clone().autodiff());
    let mut optimizer = AdamConfig::new().init();
    println!("{name}");
    let first = draw(200, 20, &device);
    for warning in verify(&model, |m| m.losses(&first))?.warnings {
        println!("  {warning}");
    }
    for number in 0..=600 {
        if number % 150 == 0 {
            let groups = Groups::hard(draw(1000, 2, &device).labels, 2, Average::Mean, &device)?;
            let losses = model.valid().losses(&draw(1000, 2, &device));
            let each: Vec<f32> = groups
                .losses(losses)
                .into_data()
                .try_to_vec()
                .unwrap_or_default();
            println!(
                "  step {number:3}: sign {:.3}, product {:.3}",
                each[0], each[1]
            );
        }
        let draw = draw(200, 20, &device);
        let stepped = step(&model, &mut objective, Some(&draw.labels), |m| {
            m.losses(&draw)
        })?;
        model = optimizer.step(3e-3, model, stepped.update);
    }
    Ok(())
}

fn main() -> Result<(), gradual::train::TrainError> {
    train("mean loss", Objective::new(OneGroup, Mean))?;
    train("grouped loss", Objective::new(Labels::new(2), SumOfSquares))?;
    train("balanced loss", Objective::new(Labels::new(2), Mean))?;
    train(
        "SVD groups of squared components",
        Objective::new(SingularVectors::squared(), SumOfSquares),
    )
}
