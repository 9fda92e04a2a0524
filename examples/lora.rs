//! LoRA adapters on a frozen base, fine-tuned under the grouped loss of found groups.
//!
//! `cargo run --release -p gradual --example lora`
//!
//! The base stays as it is; gradients are those of the two factors of every adapter (Hu et al. 2021, arXiv 2106.09685).
//! Two skills are mixed nine to one, and k-means on the adapters' gradients finds groups draw by draw.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use burn::module::{Lora, Module, ParamGroup};
use burn::nn::{Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use gradual::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Module, Debug)]
struct Model {
    hidden: Linear,
    readout: Linear,
}

impl Model {
    fn losses(&self, (x, y): &(Tensor<2>, Tensor<2>)) -> Tensor<1> {
        let output = self.readout.tap(relu(self.hidden.tap(x.clone())));
        (output - y.clone()).powi_scalar(2).squeeze_dim(1)
    }
}

/// Examples that ask for x₀, or with a flag for |x₁|, which is `rare`.
fn draw(rare: f64, random: &mut ChaCha8Rng, device: &Device) -> (Tensor<2>, Tensor<2>) {
    let (mut inputs, mut targets) = (Vec::new(), Vec::new());
    for _ in 0..128 {
        let x: [f32; 2] = [(); 2].map(|()| random.random_range(-1.0..1.0));
        let asked = random.random_bool(rare);
        inputs.extend([x[0], x[1], f32::from(asked)]);
        targets.push(if asked { x[1].abs() } else { x[0] });
    }
    let inputs = Tensor::<1>::from_floats(&*inputs, device).reshape([128, 3]);
    let targets = Tensor::<1>::from_floats(&*targets, device).reshape([128, 1]);
    (inputs, targets)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    device.seed(0);
    let base = Model {
        hidden: LinearConfig::new(3, 64).init(&device),
        readout: LinearConfig::new(64, 1).init(&device),
    };
    let before: Vec<f32> = base.hidden.weight.val().into_data().try_to_vec()?;

    // Rank 4, scale 8 / 4; nothing of the base is trained.
    let adapters_alone = ParamGroup::from_paths(Vec::<String>::new());
    let mut model = base
        .apply_lora(Lora::new(4, 8.0))
        .unfreeze_group(adapters_alone);
    let mut optimizer = AdamConfig::new().init();
    let mut objective = Objective::new(KMeans::new(2, 0), SumOfSquares);
    let rare = draw(1.0, &mut random, &device);
    let loss_of_rare = |model: &Model| model.losses(&rare).mean().into_scalar::<f32>();
    let first = loss_of_rare(&model);
    for number in 0..300 {
        let draw = draw(0.1, &mut random, &device);
        let stepped = step(&model, &mut objective, None, |m| m.losses(&draw))?;
        model = optimizer.step(5e-3, model, stepped.update);
        if number % 100 == 0 {
            println!(
                "step {number:3}: loss of the rare skill {:.3}",
                loss_of_rare(&model)
            );
        }
    }
    let last = loss_of_rare(&model);
    println!("the loss of the rare skill fell from {first:.3} to {last:.3}");

    let trained = trace(&model, |m| m.losses(&rare))?.gradients;
    println!(
        "trained: {}",
        trained.paths().collect::<Vec<_>>().join(", ")
    );
    assert!(trained.paths().all(|path| path.contains("lora")));
    let after: Vec<f32> = model.hidden.weight.base().into_data().try_to_vec()?;
    assert_eq!(before, after, "the base is frozen");
    assert!(last < 0.3 * first, "{first} to {last}");
    Ok(())
}
