//! A convolutional net of one's own, from the stock model of a tutorial to a report.
//!
//! `cargo run --release -p gradual-lab --example convnet -- --seeds 5`
//!
//! Small grey images show a bar in a noisy background. A frequent class of questions asks for its direction, a rare one
//! whether it is in the upper half; a bright corner says which question is asked.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AdaptiveAvgPool2d, AdaptiveAvgPool2dConfig};
use burn::nn::{GroupNorm, GroupNormConfig, Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual::measure::{Direction, Metric};
use gradual::prelude::Tap;
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use gradual_lab::Lab;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const SIDE: usize = 12;

// ANCHOR: model
#[derive(Module, Debug)]
struct Net {
    conv1: Conv2d,
    norm: GroupNorm, // where the tutorial has a BatchNorm, which couples examples
    conv2: Conv2d,
    pool: AdaptiveAvgPool2d,
    readout: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        let conv = |from, to| Conv2dConfig::new([from, to], [3, 3]).with_stride([2, 2]);
        Self {
            conv1: conv(1, 8).init(device),
            norm: GroupNormConfig::new(4, 8).init(device),
            conv2: conv(8, 16).init(device),
            pool: AdaptiveAvgPool2dConfig::new([2, 2]).init(),
            readout: LinearConfig::new(64, 2).init(device),
        }
    }

    fn logits(&self, images: Tensor<4>) -> Tensor<2> {
        let x = relu(self.norm.tap(self.conv1.tap(images)));
        let x = relu(self.conv2.tap(x));
        self.readout.tap(self.pool.forward(x).flatten(1, 3))
    }
}
// ANCHOR_END: model

// ANCHOR: task
/// Images `[n, 1, side, side]` and right answers `[n]`.
type Batch = (Tensor<4>, Tensor<1, Int>);
type Draw = Result<Drawn<Batch>, TrainError>;

struct Bars(Vec<Capability>);

fn examples(questions: &[usize], random: &mut ChaCha8Rng, device: &Device) -> Batch {
    let (mut pixels, mut answers) = (Vec::new(), Vec::new());
    for &question in questions {
        let (upright, upper) = (random.random_bool(0.5), random.random_bool(0.5));
        let across = random.random_range(2..SIDE - 2);
        let along = if upper { 1 } else { SIDE / 2 };
        for row in 0..SIDE {
            for column in 0..SIDE {
                let bar = match upright {
                    true => column == across && (along..along + 5).contains(&row),
                    false => row == along + 2 && (across - 2..across + 3).contains(&column),
                };
                let corner = question == 1 && row < 2 && column < 2;
                let noise: f32 = random.random_range(-0.3..0.3);
                pixels.push(noise + f32::from(u8::from(bar)) + 2.0 * f32::from(u8::from(corner)));
            }
        }
        answers.push(i32::from([upright, upper][question]));
    }
    let n = questions.len();
    let images = Tensor::from_data(TensorData::new(pixels, [n, 1, SIDE, SIDE]), device);
    (
        images,
        Tensor::from_data(TensorData::new(answers, [n]), device),
    )
}

impl Task for Bars {
    type Model = Net;
    type Batch = Batch;

    fn capabilities(&self) -> &[Capability] {
        &self.0
    }

    fn model(&self, _random: &mut ChaCha8Rng, device: &Device) -> Net {
        Net::new(device)
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Draw {
        let question = |_| usize::from(random.random_bool(0.1));
        let questions: Vec<usize> = (0..n).map(question).collect();
        let labels = questions.iter().copied().map(Some).collect();
        Ok(Drawn::new(examples(&questions, random, device), labels))
    }

    fn losses(&self, model: &Net, (images, answers): &Batch) -> Tensor<1> {
        let log_probabilities = log_softmax(model.logits(images.clone()), 1);
        let right = log_probabilities.gather(1, answers.clone().unsqueeze_dim(1));
        -right.squeeze_dim(1)
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        let mean = |numbers: Tensor<1>| f64::from(numbers.mean().into_scalar::<f32>());
        let score = |question| {
            let held_out = examples(&[question; 200], &mut ChaCha8Rng::seed_from_u64(1), device);
            let losses = self.losses(model, &held_out);
            let right = losses.clone().lower_elem(2f32.ln()).float();
            Score::new(mean(right), mean(losses))
        };
        Ok((0..2).map(score).collect())
    }
}
// ANCHOR_END: task

// ANCHOR: study
pub(crate) fn study() -> Lab {
    let shares = [("direction", 0.9), ("half", 0.1)];
    let capability = |(name, share)| Capability::new(name, 0.5, share);
    let bars = move |_: &_, _| Ok::<_, TrainError>(Bars(shares.map(capability).to_vec()));
    let words = "The rare question is learned with the frequent one.";
    Lab::new("bars")
        .task(shares, bars)
        .arms(["erm", "grouped", "kmeans"])
        .steps(600)
        .claim("grouped", Metric::Gap, Direction::Lower, 0.8, words)
}

fn main() -> std::process::ExitCode {
    study().main()
}
// ANCHOR_END: study
