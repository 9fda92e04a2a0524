//! The loss kernel: how the losses of examples move together when the weights are moved a little. Forward passes alone.
//!
//! Examples that the model treats alike gain and lose by the same changes of its weights. So the weights are moved many times, at
//! random and so little that the mean loss hardly grows, and the losses of two examples are correlated over the moves (Adam, Furman
//! and Hoogland 2025, arXiv 2509.26537, who draw the moves with Langevin dynamics around the trained weights). For moves that are
//! small enough it is the inner product of gradients, so what it shows beyond gradients is what is beyond first order.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use gradual::group::Similarity;
use gradual::train::TrainError;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};

use super::cut::Cut;
use super::features;
use super::look::{RAW, WHITE};
use super::subject::Control;

/// What the report calls it.
const NAME: &str = "loss kernel";
/// The stream of its random numbers: the draw of the examples has the one before.
const STREAM: u64 = 5;
/// Moves of the weights.
const MOVES: usize = 128;
/// The first size of a move, as a share of the root mean square of each parameter, and how often it is halved at most.
const SIZE: f64 = 0.2;
const HALVINGS: u32 = 8;
/// By how much the mean loss may grow: a share of it, and a little more where there is hardly any.
const GROWTH: f64 = 0.1;
const LEAST: f64 = 0.005;

/// What the losses of `model` show when it is moved, and how it is cut. `losses` yields those of all examples.
pub(super) fn control<M: Module>(
    model: &M,
    losses: impl Fn(&M) -> Result<Vec<f32>, TrainError>,
    seed: u64,
    device: &Device,
) -> Result<Control, TrainError> {
    let features = moved_together(model, losses, seed)?;
    let squared = Cut::Spectral(Similarity::Squared);
    let raw = features::looks(&[RAW], &[Cut::KMeans, squared, Cut::Eigengap]);
    let white = features::looks(&[WHITE], &[squared]);
    Ok(Control {
        name: NAME,
        traced: features::traced(features, MOVES, device)?,
        rows: raw.into_iter().chain(white).collect(),
    })
}

/// By how much each example's loss differs from its mean over the moves, `[n, MOVES]`, row-major: their inner products are the
/// kernel. Whatever all losses have in common is taken off every move.
fn moved_together<M: Module>(
    model: &M,
    losses: impl Fn(&M) -> Result<Vec<f32>, TrainError>,
    seed: u64,
) -> Result<Vec<f32>, TrainError> {
    let mean = |losses: &[f32]| {
        let sum: f64 = losses.iter().copied().map(f64::from).sum();
        sum / losses.len().max(1) as f64
    };
    let moved = |size: f64, number: usize| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(STREAM + number as u64);
        losses(&model.clone().map(&mut Move { size, random }))
    };
    let most = {
        let now = mean(&losses(model)?);
        now + GROWTH * now.abs() + LEAST
    };
    let mut size = SIZE;
    for _ in 0..HALVINGS {
        let few: Vec<f64> = (0..8)
            .map(|number| Ok(mean(&moved(size, number)?)))
            .collect::<Result<_, TrainError>>()?;
        if few.iter().sum::<f64>() / few.len() as f64 <= most {
            break;
        }
        size /= 2.0;
    }
    let all: Vec<Vec<f32>> = (0..MOVES)
        .map(|number| moved(size, number))
        .collect::<Result<_, _>>()?;
    let n = all.first().map_or(0, Vec::len);
    let common: Vec<f64> = all.iter().map(|losses| mean(losses)).collect();
    let rows = (0..n).flat_map(|example| {
        let apart = |number: usize| f64::from(all[number][example]) - common[number];
        let centre = (0..MOVES).map(apart).sum::<f64>() / MOVES as f64;
        (0..MOVES)
            .map(move |number| (apart(number) - centre) as f32)
            .collect::<Vec<_>>()
    });
    Ok(rows.collect())
}

/// Adds random numbers to every parameter.
struct Move {
    /// Their standard deviation, as a share of the root mean square of the parameter.
    size: f64,
    random: ChaCha8Rng,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, value, mapper) = param.consume();
        let dims = value.dims();
        let count: usize = dims.iter().product();
        let noise: Vec<f32> = (0..count)
            .map(|_| StandardNormal.sample(&mut self.random))
            .collect();
        let noise = Tensor::<D>::from_data(TensorData::new(noise, dims), &value.device());
        let mean_square = value.clone().square().mean().reshape([1; D]);
        let moved = value + noise * mean_square.sqrt() * self.size;
        Param::from_mapped_value(id, moved, mapper)
    }
}

#[cfg(test)]
mod tests {
    use burn::nn::{Linear, LinearConfig};

    use super::*;

    /// Small moves of a linear model: the kernel is that of the gradients, once what all have in common is taken off.
    #[test]
    fn small_moves_show_inner_products_of_gradients() {
        let device = Device::default();
        device.seed(3);
        let model: Linear = LinearConfig::new(6, 1).with_bias(false).init(&device);
        let n = 40;
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let inputs: Vec<f32> = (0..n * 6)
            .map(|_| StandardNormal.sample(&mut random))
            .collect();
        let batch = Tensor::<2>::from_data(TensorData::new(inputs.clone(), [n, 6]), &device);
        // Its gradient is the input.
        let losses = |model: &Linear| {
            let out = model.forward(batch.clone()).reshape([n]).into_data();
            Ok(out.try_to_vec::<f32>().expect("numbers"))
        };
        let found = moved_together(&model, losses, 7).unwrap();
        let centred: Vec<f64> = (0..n * 6)
            .map(|at| {
                let column = (0..n).map(|row| f64::from(inputs[row * 6 + at % 6]));
                f64::from(inputs[at]) - column.sum::<f64>() / n as f64
            })
            .collect();
        let cosines = |width: usize, of: &dyn Fn(usize) -> f64| {
            let product = |i: usize, j: usize| -> f64 {
                (0..width)
                    .map(|k| of(i * width + k) * of(j * width + k))
                    .sum()
            };
            let mut all = Vec::new();
            for i in 0..n {
                for j in 0..i {
                    all.push(product(i, j) / (product(i, i) * product(j, j)).sqrt());
                }
            }
            all
        };
        let kernel = cosines(MOVES, &|at| f64::from(found[at]));
        let gradients = cosines(6, &|at| centred[at]);
        let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
        let (a, b) = (mean(&kernel), mean(&gradients));
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            let pairs = kernel.iter().zip(&gradients);
            pairs.map(|(&one, &other)| of(one - a, other - b)).sum()
        };
        let correlation = sum(&|x, y| x * y) / (sum(&|x, _| x * x) * sum(&|_, y| y * y)).sqrt();
        assert!(correlation > 0.95, "{correlation}");
    }

    #[test]
    fn the_same_seed_moves_alike_and_the_model_stays() {
        let device = Device::default();
        device.seed(3);
        let model: Linear = LinearConfig::new(4, 1).init(&device);
        let losses = |model: &Linear| {
            let weight = model.weight.val().reshape([4]).into_data();
            Ok(weight.try_to_vec::<f32>().expect("numbers"))
        };
        let before = losses(&model).unwrap();
        let [one, same, other] =
            [1, 1, 2].map(|seed| moved_together(&model, losses, seed).unwrap());
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(losses(&model).unwrap(), before);
        assert_eq!(one.len(), 4 * MOVES);
    }
}
