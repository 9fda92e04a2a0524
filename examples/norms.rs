//! Per-example gradient norms in a training loop of one's own: which examples still move the model?
//!
//! `cargo run --release -p gradual --example norms`
//!
//! Twenty points lie on a line, and the last one has a wrong target. As the model fits the others, their gradients
//! vanish, and the norm of the last one's stands out.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor};
use gradual::prelude::*;

#[derive(Module, Debug)]
struct Model {
    layer: Linear,
}

impl Model {
    /// Squared error of every example, `[n]`.
    fn losses(&self, x: &Tensor<2>, y: &Tensor<2>) -> Tensor<1> {
        let off = self.layer.tap(x.clone()) - y.clone();
        off.powi_scalar(2).squeeze_dim(1)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Device::flex().autodiff();
    let points: Vec<f32> = (0..20u8).map(|j| f32::from(j) / 10.0 - 1.0).collect();
    let mut targets: Vec<f32> = points.iter().map(|x| 2.0 * x + 0.5).collect();
    targets[19] = -3.0;
    let column = |values: &[f32]| Tensor::<1>::from_floats(values, &device).reshape([20, 1]);
    let (x, y) = (column(&points), column(&targets));
    let mut model = Model {
        layer: LinearConfig::new(1, 1).init(&device),
    };
    let mut optimizer = SgdConfig::new().init();

    let mut norms = Vec::new();
    for _ in 0..200 {
        // One forward and one backward pass: the losses, the norms and the update all come from it.
        let traced = trace(&model, |m| m.losses(&x, &y))?;
        norms = traced.gradients.norms().into_data().try_to_vec::<f32>()?;
        let mean = Tensor::full([20], 1.0 / 20.0, &device);
        let update = traced.gradients.combine(&mean)?;
        model = optimizer.step(0.1, model, update);
    }

    let mut order: Vec<usize> = (0..20).collect();
    order.sort_by(|&a, &b| norms[b].total_cmp(&norms[a]));
    for &j in &order[..3] {
        println!("example {j:2}: gradient norm {:.2}", norms[j]);
    }
    assert_eq!(order[0], 19, "the wrong target stands out");
    Ok(())
}
