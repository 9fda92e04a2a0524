//! An embedding's Gram matrix and weighted sum against the plain step, in memory and time.

#![allow(clippy::print_stdout, reason = "prints what it measured")]

use std::process::Command;
use std::time::Instant;

use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual_grad::{Tap, trace};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 50_257;
const WIDTH: usize = 768;

/// The variable that names what a child process does.
const STEP: &str = "GRADUAL_MEMORY_STEP";

/// Tokens `[n, t]`: of each example a tenth is padding, the others follow Zipf's law (log-uniform ranks).
fn tokens(n: usize, t: usize, device: &Device) -> Tensor<2, Int> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut token = |at: usize| match at % t < t / 10 {
        true => 0,
        false => {
            let uniform = f64::from(random.next_u32()) / (f64::from(u32::MAX) + 1.0);
            (ROWS as f64).powf(uniform) as i64
        }
    };
    let values: Vec<i64> = (0..n * t).map(&mut token).collect();
    Tensor::from_data(TensorData::new(values, [n, t]), device)
}

fn losses(vectors: Tensor<3>) -> Tensor<1> {
    let [n, t, d] = vectors.dims();
    let squares = vectors.clone() * vectors;
    squares.reshape([n, t * d]).mean_dim(1).reshape([n])
}

fn plain(model: &Embedding, tokens: Tensor<2, Int>) -> f64 {
    let loss = losses(model.forward(tokens)).mean();
    let gradients = GradientsParams::from_grads(loss.backward(), model);
    let gradient = gradients.get::<2>(model.weight.id).expect("a gradient");
    f64::from(gradient.sum().into_scalar::<f32>())
}

fn grouped(model: &Embedding, tokens: Tensor<2, Int>) -> f64 {
    let traced = trace(model, |m| losses(m.tap(tokens))).expect("a tapped model");
    let gram = traced.gradients.gram();
    let mean = Tensor::full(
        [gram.dims()[0]],
        1.0 / gram.dims()[0] as f64,
        &gram.device(),
    );
    let gradients = traced.gradients.combine(&mean).expect("n coefficients");
    assert!(gram.sum().into_scalar::<f32>() > 0.0);
    let gradient = gradients.get::<2>(model.weight.id).expect("a gradient");
    f64::from(gradient.sum().into_scalar::<f32>())
}

/// Seconds of the faster of two steps, the sum of the gradient's entries, and the process's largest memory in MiB.
fn measured(step: &str, n: usize, t: usize) -> [f64; 3] {
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_step", "--ignored", "--nocapture"])
        .env(STEP, format!("{step} {n} {t}"))
        .output()
        .expect("a child process");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find_map(|line| line.split_once("measured "));
    let (_, line) = line.unwrap_or_else(|| panic!("{text}"));
    let mut numbers = line
        .split(' ')
        .map(|number| number.parse().expect("a number"));
    [(); 3].map(|()| numbers.next().expect("three numbers"))
}

#[test]
#[ignore = "the child process of the other test"]
fn a_step() {
    let Ok(step) = std::env::var(STEP) else {
        return;
    };
    let mut words = step.split(' ');
    let name = words.next().expect("a step");
    let [n, t] = [(); 2].map(|()| words.next().expect("a size").parse().expect("a size"));
    let device = Device::flex().autodiff();
    let model: Embedding = EmbeddingConfig::new(ROWS, WIDTH).init(&device);
    let model = model.map(&mut Same);
    let tokens = tokens(n, t, &device);
    let once = || {
        let started = Instant::now();
        let sum = match name {
            "plain" => plain(&model, tokens.clone()),
            _ => grouped(&model, tokens.clone()),
        };
        (started.elapsed().as_secs_f64(), sum)
    };
    // The peak so far is that of drawing the weights.
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let (first, sum) = once();
    let seconds = first.min(once().0);
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let peak: f64 = peak.expect("a peak").parse().expect("a number");
    println!("measured {seconds} {sum} {}", peak / 1024.0);
}

/// The same weights in every process.
struct Same;

impl burn::module::ModuleMapper for Same {
    fn map_float<const D: usize>(
        &mut self,
        param: burn::module::Param<Tensor<D>>,
    ) -> burn::module::Param<Tensor<D>> {
        param.map(|tensor| {
            let dims = tensor.dims();
            let device = tensor.device();
            let size = dims.iter().product::<usize>() as i64;
            let values = Tensor::<1, Int>::arange(0..size, &device).float();
            let values = (values * 0.618_034).sin();
            values.reshape(dims).inner().autodiff().require_grad()
        })
    }
}

#[test]
#[ignore = "takes half a gigabyte and times"]
fn an_embedding_takes_little_more_than_the_plain_step() {
    println!(
        "| n × t | plain step | Gram matrix and weighted sum | memory | time |\n|---|---|---|---|---|"
    );
    for (n, t) in [(8, 224), (8, 225), (8, 512), (64, 512)] {
        let [plain, grouped] = ["plain", "grouped"].map(|step| measured(step, n, t));
        let [(seconds, sum, peak), (seconds2, sum2, peak2)] =
            [plain, grouped].map(|[seconds, sum, peak]| (seconds, sum, peak));
        println!(
            "| {n} × {t} | {peak:.0} MiB, {seconds:.2} s | {peak2:.0} MiB, {seconds2:.2} s | {:.2} | {:.2} |",
            peak2 / peak,
            seconds2 / seconds,
        );
        assert!(
            (sum - sum2).abs() < 1e-4 * sum.abs().max(1e-3),
            "{sum} and {sum2}"
        );
        assert!(peak2 < 1.5 * peak, "{peak2} MiB against {peak} MiB");
        assert!(seconds2 < 3.0 * seconds, "{seconds2} s against {seconds} s");
    }
}
