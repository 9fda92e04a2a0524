//! A study of one's own: points on a line are classified by the sign of one of three waves, which each names. Slow waves
//! are frequent, fast ones rare. `cargo run --release -p gradual-lab --example study -- --seeds 5`

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{log_sigmoid, relu};
use burn::tensor::{Device, Tensor};
use gradual::measure::{Direction, Metric};
use gradual::prelude::Tap;
use gradual::train::{Capability, Drawn, Score, Task, TrainError};
use gradual_lab::Lab;
use gradual_tasks::linear;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    out: Linear,
}

struct Waves(Vec<Capability>);

/// Inputs `[n, 4]` (which wave, and the point) and answers of ±1, `[n]`.
type Batch = (Tensor<2>, Tensor<1>);
type Draw = Result<Drawn<Batch>, TrainError>;

fn examples(waves: &[usize], random: &mut ChaCha8Rng, device: &Device) -> Batch {
    let (mut inputs, mut answers) = (Vec::new(), Vec::new());
    for &wave in waves {
        let point: f32 = random.random_range(-1.0..1.0);
        inputs.extend([0, 1, 2].map(|other| f32::from(u8::from(other == wave))));
        inputs.push(point);
        answers.push((point * (wave + 1) as f32 * 3.0).sin().signum());
    }
    let inputs = Tensor::<1>::from_floats(&*inputs, device).reshape([waves.len(), 4]);
    (inputs, Tensor::from_floats(&*answers, device))
}

impl Task for Waves {
    type Model = Net;
    type Batch = Batch;

    fn capabilities(&self) -> &[Capability] {
        &self.0
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Net {
        let hidden = linear(4, 64, random, device);
        let out = linear(64, 1, random, device);
        Net { hidden, out }
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Draw {
        let wave = |_| [0, 0, 0, 0, 0, 0, 1, 1, 1, 2][random.random_range(0..10)];
        let waves: Vec<usize> = (0..n).map(wave).collect();
        let labels = waves.iter().copied().map(Some).collect();
        Ok(Drawn::new(examples(&waves, random, device), labels))
    }

    fn losses(&self, model: &Net, (inputs, answers): &Batch) -> Tensor<1> {
        let logits = model.out.tap(relu(model.hidden.tap(inputs.clone())));
        -log_sigmoid(logits.squeeze_dim(1) * answers.clone())
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        let mean = |numbers: Tensor<1>| f64::from(numbers.mean().into_scalar::<f32>());
        let score = |wave| {
            let held_out = examples(&[wave; 500], &mut ChaCha8Rng::seed_from_u64(1), device);
            let losses = self.losses(model, &held_out);
            let right = losses.clone().lower_elem(2f32.ln()).float();
            Score::new(mean(right), mean(losses))
        };
        Ok((0..3).map(score).collect())
    }
}

/// The study, before flags have their say.
pub fn study() -> Lab {
    let shares = [("slow", 0.6), ("medium", 0.3), ("fast", 0.1)];
    let wave = |(name, share)| Capability::new(name, 0.5, share);
    let task = move |_: &_, _seed| Ok::<_, TrainError>(Waves(shares.map(wave).to_vec()));
    let words = "Fast waves keep up with slow ones.";
    Lab::new("waves")
        .task(shares, task)
        .arms(["erm", "grouped", "whitened"])
        .layers(["hidden.weight"])
        .claim("grouped", Metric::Gap, Direction::Lower, 0.8, words)
}

fn main() -> std::process::ExitCode {
    study().main()
}
