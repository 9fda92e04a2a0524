//! A study of one's own: a model, a task with known capabilities, arms, a claim, and a program that runs them.
//!
//! `cargo run --release -p gradual-lab --example study -- --seeds 5`. Points on a line are classified by the sign of one of
//! three waves, which an example names; slow waves are frequent and easy, fast ones rare and hard.

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{log_sigmoid, relu};
use burn::tensor::{Device, Tensor};
use gradual::measure::{Direction, Metric};
use gradual::prelude::*;
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use gradual_lab::Lab;
use gradual_tasks::linear;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How often each wave is drawn, and its periods between -1 and 1.
const WAVES: [(f64, f64); 3] = [(0.6, 0.5), (0.3, 1.0), (0.1, 1.5)];

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    out: Linear,
}

struct Waves(Vec<Capability>);

/// Inputs `[n, 4]`, the wave and the point, and answers of ±1, `[n]`.
type Batch = (Tensor<2>, Tensor<1>);

fn examples(waves: &[usize], random: &mut ChaCha8Rng, device: &Device) -> Batch {
    let (mut inputs, mut answers) = (Vec::new(), Vec::new());
    for &wave in waves {
        let point: f64 = random.random_range(-1.0..1.0);
        inputs.extend([0, 1, 2].map(|other| f32::from(u8::from(other == wave))));
        inputs.push(point as f32);
        answers.push(
            (point * WAVES[wave].1 * std::f64::consts::TAU)
                .sin()
                .signum() as f32,
        );
    }
    let inputs = Tensor::<1>::from_floats(inputs.as_slice(), device).reshape([waves.len(), 4]);
    (inputs, Tensor::from_floats(answers.as_slice(), device))
}

impl Waves {
    fn margins(&self, net: &Net, (inputs, answers): &Batch) -> Tensor<1> {
        let hidden = relu(net.hidden.tap(inputs.clone()));
        net.out.tap(hidden).squeeze_dim::<1>(1) * answers.clone()
    }
}

impl Task for Waves {
    type Model = Net;
    type Batch = Batch;

    fn capabilities(&self) -> &[Capability] {
        &self.0
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Net {
        Net {
            hidden: linear(4, 256, random, device),
            out: linear(256, 1, random, device),
        }
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Drawn<Batch> {
        let of = |u: f64| usize::from(u > 0.6) + usize::from(u > 0.9);
        let waves: Vec<usize> = (0..n).map(|_| of(random.random_range(0.0..1.0))).collect();
        Drawn::new(
            examples(&waves, random, device),
            waves.into_iter().map(Some).collect(),
        )
    }

    fn losses(&self, model: &Net, batch: &Batch) -> Tensor<1> {
        -log_sigmoid(self.margins(model, batch))
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        let score = |wave| {
            let held_out = examples(&[wave; 500], &mut ChaCha8Rng::seed_from_u64(1), device);
            let right = self
                .margins(model, &held_out)
                .greater_elem(0.0)
                .float()
                .mean();
            let loss = self.losses(model, &held_out).mean();
            Score::new(
                right.into_scalar::<f32>().into(),
                loss.into_scalar::<f32>().into(),
            )
        };
        Ok((0..WAVES.len()).map(score).collect())
    }
}

pub fn study() -> Lab {
    let wave = |(frequency, periods)| Capability::new(format!("{periods} periods"), 0.5, frequency);
    Lab::new("waves")
        .task(WAVES, move |_, _seed| {
            Ok::<_, TrainError>(Waves(WAVES.map(wave).into()))
        })
        .arms(["erm", "grouped", "whitened"])
        .layers(["hidden.weight"])
        .claim(
            "grouped",
            Metric::Gap,
            Direction::Lower,
            0.8,
            "Fast waves keep up with slow ones.",
        )
}

fn main() -> std::process::ExitCode {
    study().main()
}
