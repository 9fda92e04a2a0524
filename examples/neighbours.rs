//! Which training examples are most alike in gradient? A step on them lowers the loss of the query most.
//!
//! `cargo run --release -p gradual --example neighbours`
//!
//! The inner product of two examples' gradients says, to first order, how much a step of gradient descent on one lowers
//! the loss of the other (Pruthi et al. 2020, "Estimating Training Data Influence by Tracing Gradient Descent"). Here
//! points are classified by the sign of x₀ or of x₁, as a flag says. The neighbours of a query share its flag.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::AdamConfig;
use burn::tensor::activation::{log_sigmoid, relu};
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
    fn losses(&self, examples: &Examples) -> Tensor<1> {
        let h = relu(self.hidden.tap(examples.inputs.clone()));
        let logits: Tensor<1> = self.readout.tap(h).squeeze_dim(1);
        -log_sigmoid(logits * examples.signs.clone())
    }
}

struct Examples {
    /// `[n, 4]`: two coordinates and the flag, one-hot.
    inputs: Tensor<2>,
    /// ±1, `[n]`.
    signs: Tensor<1>,
    flags: Vec<usize>,
}

fn examples(n: usize, random: &mut ChaCha8Rng, device: &Device) -> Examples {
    let (mut inputs, mut signs, mut flags) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..n {
        let x: [f32; 2] = [(); 2].map(|()| random.random_range(-1.0..1.0));
        let flag = usize::from(random.random_bool(0.5));
        let one_hot = [f32::from(flag == 0), f32::from(flag == 1)];
        inputs.extend(x.into_iter().chain(one_hot));
        signs.push(x[flag].signum());
        flags.push(flag);
    }
    Examples {
        inputs: Tensor::<1>::from_floats(&*inputs, device).reshape([n, 4]),
        signs: Tensor::from_floats(&*signs, device),
        flags,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let mut random = ChaCha8Rng::seed_from_u64(0);
    device.seed(0);
    let train = examples(200, &mut random, &device);
    let queries = examples(50, &mut random, &device);
    let mut model = Model {
        hidden: LinearConfig::new(4, 32).init(&device),
        readout: LinearConfig::new(32, 1).init(&device),
    };
    let mut optimizer = AdamConfig::new().init();
    for _ in 0..100 {
        let update = trace(&model, |m| m.losses(&train))?.gradients;
        let update = update.combine(&Tensor::full([200], 1.0 / 200.0, &device))?;
        model = optimizer.step(0.01, model, update);
    }

    // `[50, 200]`: every query beside every training example, without a gradient ever being written out.
    let train_gradients = trace(&model, |m| m.losses(&train))?.gradients;
    let query_gradients = trace(&model, |m| m.losses(&queries))?.gradients;
    let products = query_gradients.cross_gram(&train_gradients)?;
    let products: Vec<f32> = products.into_data().try_to_vec()?;
    let mut shared = 0;
    for (query, row) in products.chunks(200).enumerate() {
        let mut order: Vec<usize> = (0..200).collect();
        order.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        let flag = queries.flags[query];
        let same = order[..5].iter().filter(|&&j| train.flags[j] == flag);
        let same = same.count();
        if query < 3 {
            println!(
                "query {query}, flag {flag}: neighbours {:?}, {same} of 5 share its flag",
                &order[..5]
            );
        }
        shared += same;
    }
    println!("{shared} of 250 neighbours share the flag of their query");
    assert!(shared > 200, "half of them would by chance");
    Ok(())
}
