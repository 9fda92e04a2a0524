//! Draws with given gradients.

#![allow(dead_code, unreachable_pub, reason = "not every test uses every part")]

pub mod entries;
pub mod midway;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::{Tap, Traced, trace};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub fn device() -> Device {
    Device::flex()
}

pub fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.clone().into_data().try_to_vec().expect("f32")
}

/// A layer whose loss for example j is x_j·w, so that its gradient is x_j itself.
#[derive(Module, Debug)]
pub struct Itself {
    layer: Linear,
}

impl Itself {
    /// For gradients of `p` entries.
    pub fn new(p: usize) -> Self {
        let device = device();
        let mut layer = LinearConfig::new(p, 1).with_bias(false).init(&device);
        layer.weight = Param::from_tensor(Tensor::zeros([p, 1], &device)).set_require_grad(true);
        Self { layer }
    }

    /// A draw with the given gradients, row by row, and the given losses.
    pub fn draw(&self, gradients: &[Vec<f32>], losses: &[f32]) -> Traced {
        let (n, p) = (gradients.len(), gradients[0].len());
        let inputs = TensorData::new(gradients.concat(), [n, p]);
        let inputs = Tensor::<2>::from_data(inputs, &device());
        let losses = Tensor::<1>::from_floats(losses, &device());
        trace(self, |m| m.layer.tap(inputs).reshape([n]) + losses).expect("covered")
    }
}

/// A draw of a model of its own.
pub fn draw(gradients: &[Vec<f32>], losses: &[f32]) -> Traced {
    Itself::new(gradients[0].len()).draw(gradients, losses)
}

/// `directions` orthogonal groups of parallel gradients with the given lengths.
pub fn parallel(directions: usize, lengths: &[Vec<f32>]) -> (Vec<Vec<f32>>, Vec<usize>) {
    let mut rows = Vec::new();
    let mut labels = Vec::new();
    for (group, lengths) in lengths.iter().enumerate() {
        for &length in lengths {
            let mut row = vec![0.0; directions];
            row[group] = length;
            rows.push(row);
            labels.push(group);
        }
    }
    (rows, labels)
}

/// Gradients along one of `groups` orthogonal axes, `size` along each, taking turns; with their
/// groups. See [`along`].
pub fn planted(
    groups: usize,
    size: usize,
    dim: usize,
    snr: f64,
    signs: bool,
    seed: u64,
) -> (Vec<Vec<f32>>, Vec<Option<usize>>) {
    let labels: Vec<usize> = (0..groups * size).map(|j| j % groups).collect();
    let rows = along(&labels, dim, snr, signs, seed);
    (rows, labels.into_iter().map(Some).collect())
}

/// One gradient along each of the given axes, with a sign if wanted, plus noise in all `dim`
/// dimensions: `snr` is the ratio of the squared length of the signal to that of the noise.
pub fn along(axes: &[usize], dim: usize, snr: f64, signs: bool, seed: u64) -> Vec<Vec<f32>> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let noise = (3.0 / (snr * dim as f64)).sqrt();
    let rows = axes.iter().map(|&axis| {
        let mut row: Vec<f32> = (0..dim)
            .map(|_| (noise * random.random_range(-1.0..1.0)) as f32)
            .collect();
        let negative = signs && random.random::<bool>();
        row[axis] += if negative { -1.0 } else { 1.0 };
        row
    });
    rows.collect()
}
