//! The grouped loss of any model, without taps, in two passes.
//!
//! `cargo run --release -p gradual --example two_pass`
//!
//! Where groups are known, nobody needs per-example gradients. The first pass computes the losses without a graph; groups
//! and composition turn them into coefficients. The second pass descends on Σ_j c_j ℓ_j, here part by part, so that a
//! draw may be larger than the memory. The model may hold anything: this one has a batch norm, which couples examples
//! and so can't be tapped in its training form.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsAccumulator, GradientsParams};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use gradual::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Examples of a draw, and of a part of it.
const DRAW: usize = 256;
const PART: usize = 64;

#[derive(Module, Debug)]
struct Model {
    hidden: Linear,
    norm: BatchNorm,
    readout: Linear,
}

impl Model {
    /// Squared error of every example, `[n]`.
    fn losses(&self, x: Tensor<2>, y: Tensor<2>) -> Tensor<1> {
        let h = relu(self.norm.forward(self.hidden.forward(x)));
        (self.readout.forward(h) - y).powi_scalar(2).squeeze_dim(1)
    }
}

/// Inputs, targets and skills: x₀ in nine of ten cases, else the product x₀x₁, which a flag asks for.
fn draw(random: &mut ChaCha8Rng, device: &Device) -> (Tensor<2>, Tensor<2>, Vec<Option<usize>>) {
    let (mut inputs, mut targets, mut skills) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..DRAW {
        let x: [f32; 2] = [(); 2].map(|()| random.random_range(-1.0..1.0));
        let rare = random.random_bool(0.1);
        inputs.extend([x[0], x[1], f32::from(rare)]);
        targets.push(if rare { 3.0 * x[0] * x[1] } else { x[0] });
        skills.push(Some(usize::from(rare)));
    }
    let inputs = Tensor::<1>::from_floats(&*inputs, device).reshape([DRAW, 3]);
    let targets = Tensor::<1>::from_floats(&*targets, device).reshape([DRAW, 1]);
    (inputs, targets, skills)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    device.seed(0);
    let mut model = Model {
        hidden: LinearConfig::new(3, 64).init(&device),
        norm: BatchNormConfig::new(64).init(&device),
        readout: LinearConfig::new(64, 1).init(&device),
    };
    let mut optimizer = AdamConfig::new().init();
    let mut each = Vec::new();
    for step in 0..=400 {
        let (x, y, skills) = draw(&mut random, &device);

        // First pass: losses, group losses, coefficients c = ∂L/∂ℓ.
        let losses = model.valid().losses(x.clone().inner(), y.clone().inner());
        let groups = Groups::hard(skills, 2, Average::Mean, &losses.device())?;
        each = groups
            .losses(losses.clone())
            .into_data()
            .try_to_vec::<f32>()?;
        let composed = SumOfSquares.compose(&losses, &groups)?;
        let coefficients = Scale::UnitSum.apply(composed.coefficients)?;

        // Second pass: the gradient of Σ_j c_j ℓ_j, summed over the parts.
        let mut accumulated = GradientsAccumulator::new();
        for start in (0..DRAW).step_by(PART) {
            let part = |tensor: &Tensor<2>| tensor.clone().narrow(0, start, PART);
            let c = coefficients.clone().narrow(0, start, PART);
            let loss = (model.losses(part(&x), part(&y)) * Tensor::from_inner(c)).sum();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            accumulated.accumulate(&model, gradients);
        }
        model = optimizer.step(5e-3, model, accumulated.grads());
        if step % 100 == 0 {
            println!(
                "step {step:3}: frequent skill {:.3}, rare skill {:.3}",
                each[0], each[1]
            );
        }
    }
    assert!(
        each.iter().all(|loss| *loss < 0.1),
        "both are learned: {each:?}"
    );
    Ok(())
}
