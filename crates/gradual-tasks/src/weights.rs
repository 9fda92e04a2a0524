//! Fresh weights, drawn on the host in a fixed order, so that they are the same on every backend.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// A parameter whose entries are uniform in ±`bound`.
pub fn uniform<const D: usize>(
    shape: [usize; D],
    bound: f32,
    random: &mut ChaCha8Rng,
    device: &Device,
) -> Param<Tensor<D>> {
    let size = shape.iter().product::<usize>();
    let values: Vec<f32> = (0..size)
        .map(|_| random.random_range(-bound..bound))
        .collect();
    Param::from_data(TensorData::new(values, shape), device)
}

/// A linear layer `[d, e]` (inputs, outputs) whose weights and biases are uniform in ±1/√d (PyTorch's default).
pub fn linear(d: usize, e: usize, random: &mut ChaCha8Rng, device: &Device) -> Linear {
    let bound = 1.0 / (d.max(1) as f32).sqrt();
    let mut layer = LinearConfig::new(d, e).init(device);
    layer.weight = uniform([d, e], bound, random, device);
    layer.bias = Some(uniform([e], bound, random, device));
    layer
}
