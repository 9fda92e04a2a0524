//! Features of examples, seen as the gradients of a linear model of them.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, TensorData};
use gradual::prelude::*;
use gradual::train::TrainError;

use super::look::Layers;

/// Features `[n, width]`, row-major, as what a linear model of one output, whose gradient is its input, shows.
pub(super) fn traced(
    features: Vec<f32>,
    width: usize,
    device: &Device,
) -> Result<Traced, TrainError> {
    let n = features.len() / width.max(1);
    let inputs = Tensor::<2>::from_data(TensorData::new(features, [n, width]), device);
    let model = one_output(width, device);
    Ok(trace(&model, |m| m.tap(inputs.clone()).reshape([n]))?)
}

/// What a look at them is of.
pub(super) fn layers() -> Layers {
    Layers::of("no model", ["weight".to_owned()])
}

fn one_output(inputs: usize, device: &Device) -> Linear {
    let device = device.clone().autodiff();
    let mut model = LinearConfig::new(inputs, 1).with_bias(false).init(&device);
    model.weight = Param::from_tensor(Tensor::zeros([inputs, 1], &device));
    model
}
