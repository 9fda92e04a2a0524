//! Features of examples, seen as the gradients of a linear model of them.

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::grad::Part::Inputs;
use gradual::grad::Whitening;
use gradual::prelude::*;
use gradual::train::TrainError;

use super::cut::Cut;
use super::look::{KRONECKER, Layers, Look, RAW, WHITE};

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

/// The tokens `[n, t]` by position: of each position as many features as there are tokens, one of which is 1.
pub(super) fn by_position(tokens: &Tensor<2, Int>, size: usize) -> Result<Traced, TrainError> {
    let [_, t] = tokens.dims();
    let ids = ids(tokens)?;
    let mut features = vec![0.0; ids.len() * size];
    for (at, id) in ids.into_iter().enumerate().filter(|&(_, id)| id < size) {
        features[at * size + id] = 1.0;
    }
    traced(features, t * size, &tokens.device())
}

/// The tokens, row by row.
pub(super) fn ids(tokens: &Tensor<2, Int>) -> Result<Vec<usize>, TrainError> {
    let data = tokens.clone().into_data().convert::<i64>();
    let ids: Vec<i64> = data.try_to_vec().map_err(|problem| TrainError::Read {
        operation: "grouping quality: tokens",
        problem: format!("{problem:?}"),
    })?;
    let ids = ids.into_iter().map(|id| usize::try_from(id).unwrap_or(0));
    Ok(ids.collect())
}

/// What a look at features is of.
fn layers() -> Layers {
    Layers::of("no model", ["weight".to_owned()])
}

/// Features looked at in each of these ways, each cut in all of those.
pub(super) fn looks(whitenings: &[Whitening], cuts: &[Cut]) -> Vec<(Look, Vec<Cut>)> {
    let look = |&whitening: &Whitening| Look::new(whitening, Inputs, &layers());
    let looks = whitenings.iter().map(look);
    looks.map(|look| (look, cuts.to_vec())).collect()
}

/// All ways in which features of inputs are looked at and cut.
pub(super) fn inputs() -> Vec<(Look, Vec<Cut>)> {
    let cuts = [
        Cut::KMeans,
        Cut::Spectral(Similarity::Squared),
        Cut::Spectral(Similarity::Angular),
        Cut::Eigengap,
        Cut::Diffusion,
    ];
    looks(&[RAW, WHITE, KRONECKER], &cuts)
}

fn one_output(inputs: usize, device: &Device) -> Linear {
    let device = device.clone().autodiff();
    let mut model = LinearConfig::new(inputs, 1).with_bias(false).init(&device);
    model.weight = Param::from_tensor(Tensor::zeros([inputs, 1], &device));
    model
}
