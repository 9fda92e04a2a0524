//! An embedding's Gram matrix and weighted sums against plain steps, in memory and time.

#![allow(clippy::print_stdout, reason = "prints what it measured")]

use std::process::Command;
use std::time::Instant;

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Embedding, EmbeddingConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual_grad::{ExampleGradients, Tap, TiedReadout, trace};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The variable that names what a child process does.
const STEP: &str = "GRADUAL_MEMORY_STEP";

/// What is done with a table, how many examples and positions, rows and width of the table, and how many times the
/// plain step's memory and time it may take.
const STEPS: [(&str, [usize; 4], [f64; 2]); 6] = [
    ("looked up", [8, 224, 50_257, 768], [1.5, 3.0]),
    ("looked up", [8, 225, 50_257, 768], [1.5, 3.0]),
    ("looked up", [8, 512, 50_257, 768], [1.5, 3.0]),
    ("looked up", [64, 512, 50_257, 768], [1.5, 3.0]),
    // The plain steps hold one of the two draws at a time.
    ("by two draws", [256, 256, 16_384, 64], [3.0, 6.0]),
    // The read-out's per-example matrices have n times the table's size, and take as long as two passes.
    ("and read out", [8, 128, 50_257, 768], [1.5, 4.0]),
];

/// Tokens `[n, t]`: of each example a tenth is padding, the others follow Zipf's law (log-uniform ranks).
fn tokens(n: usize, t: usize, rows: usize, device: &Device) -> Tensor<2, Int> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut token = |at: usize| match at % t < t / 10 {
        true => 0,
        false => {
            let uniform = f64::from(random.next_u32()) / (f64::from(u32::MAX) + 1.0);
            (rows as f64).powf(uniform) as i64
        }
    };
    let values: Vec<i64> = (0..n * t).map(&mut token).collect();
    Tensor::from_data(TensorData::new(values, [n, t]), device)
}

fn squares(vectors: Tensor<3>) -> Tensor<1> {
    let [n, t, d] = vectors.dims();
    let squares = vectors.clone() * vectors;
    squares.reshape([n, t * d]).mean_dim(1).reshape([n])
}

type Losses = Box<dyn Fn(&Embedding) -> Tensor<1>>;

/// Losses of each pass of a step.
fn passes(step: &str, tokens: &Tensor<2, Int>) -> Vec<Losses> {
    let ([n, t], all) = (tokens.dims(), tokens.clone());
    match step {
        "and read out" => vec![Box::new(move |m| squares(m.readout(m.tap(all.clone()))))],
        // Of different length, each in a pass of its own.
        "by two draws" => [(0, t), (n / 2, t - t / 4)]
            .into_iter()
            .map(|(start, length)| -> Losses {
                let half = all.clone().narrow(0, start, n / 2).narrow(1, 0, length);
                Box::new(move |m| squares(m.tap(half.clone())))
            })
            .collect(),
        _ => vec![Box::new(move |m| squares(m.tap(all.clone())))],
    }
}

fn size(gradients: &GradientsParams, model: &Embedding) -> f64 {
    let gradient = gradients.get::<2>(model.weight.id).expect("a gradient");
    // Of some rows, or the copies would count.
    f64::from(gradient.narrow(0, 0, 64).abs().sum().into_scalar::<f32>())
}

/// Burn's own backward pass of the mean loss: without a trace a tap is the layer's forward pass.
fn plain(model: &Embedding, passes: Vec<Losses>) -> f64 {
    let sums = passes.into_iter().map(|losses| {
        let backward = losses(model).mean().backward();
        size(&GradientsParams::from_grads(backward, model), model)
    });
    sums.sum()
}

fn grouped(model: &Embedding, passes: Vec<Losses>) -> f64 {
    let draws = passes.into_iter().map(|losses| {
        let traced = trace(model, losses).expect("a tapped model");
        traced.gradients
    });
    let draws: Vec<_> = draws.collect();
    let gradients = ExampleGradients::concat(&draws).expect("one model");
    let (n, passes) = (gradients.num_examples(), draws.len());
    drop(draws);
    let gram = gradients.gram();
    assert!(gram.sum().into_scalar::<f32>() > 0.0);
    let each = n / passes;
    let sums = (0..passes).map(|pass| {
        let mean = (0..n).map(|j| match j / each == pass {
            true => 1.0 / each as f32,
            false => 0.0,
        });
        let mean = TensorData::new(mean.collect(), [n]);
        let mean = Tensor::<1>::from_data(mean, &gradients.device());
        size(&gradients.combine(&mean).expect("n coefficients"), model)
    });
    sums.sum()
}

/// The same weights in every process.
struct Same;

impl ModuleMapper for Same {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| {
            let (dims, device) = (tensor.dims(), tensor.device().inner());
            let size = dims.iter().product::<usize>() as i64;
            let values = Tensor::<1, Int>::arange(0..size, &device).float();
            let values = (values * 0.618_034).sin().reshape(dims);
            values.autodiff().require_grad()
        })
    }
}

/// Seconds of the faster of two steps, the size of the gradients, and the process's largest memory in MiB.
fn measured(kind: &str, step: &str, sizes: [usize; 4]) -> [f64; 3] {
    let [n, t, rows, width] = sizes;
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_step", "--ignored", "--nocapture"])
        .env(STEP, format!("{kind},{step},{n},{t},{rows},{width}"))
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
#[ignore = "the other test runs it in a process of its own, whose memory it reads"]
fn a_step() {
    let Ok(words) = std::env::var(STEP) else {
        return;
    };
    let words: Vec<&str> = words.split(',').collect();
    let [n, t, rows, width] = [2, 3, 4, 5].map(|at| words[at].parse().expect("a size"));
    let device = Device::flex().autodiff();
    let model: Embedding = EmbeddingConfig::new(rows, width).init(&device);
    let model = model.map(&mut Same);
    let tokens = tokens(n, t, rows, &device);
    let once = || {
        let started = Instant::now();
        let passes = passes(words[1], &tokens);
        let size = match words[0] {
            "plain" => plain(&model, passes),
            _ => grouped(&model, passes),
        };
        (started.elapsed().as_secs_f64(), size)
    };
    // The peak so far is that of drawing the weights.
    std::fs::write("/proc/self/clear_refs", "5").expect("Linux");
    let (first, size) = once();
    let seconds = first.min(once().0);
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|rest| rest.trim().strip_suffix(" kB"));
    let peak: f64 = peak.expect("a peak").parse().expect("a number");
    println!("measured {seconds} {size} {}", peak / 1024.0);
}

#[test]
#[ignore = "takes a gigabyte and two minutes, and times"]
fn an_embedding_takes_little_more_than_the_plain_step() {
    println!("| table | n × t | plain steps | Gram matrix and weighted sums | memory | time |");
    println!("|---|---|---|---|---|---|");
    for (step, sizes, allowed) in STEPS {
        let [plain, grouped] = ["plain", "grouped"].map(|kind| measured(kind, step, sizes));
        let [(seconds, sum, peak), (seconds2, sum2, peak2)] =
            [plain, grouped].map(|[seconds, sum, peak]| (seconds, sum, peak));
        let [n, t, rows, width] = sizes;
        let (memory, time) = (peak2 / peak, seconds2 / seconds);
        println!(
            "| {rows} × {width}, {step} | {n} × {t} | {peak:.0} MiB, {seconds:.2} s | {peak2:.0} MiB, {seconds2:.2} s \
             | {memory:.2} | {time:.2} |"
        );
        assert!((sum - sum2).abs() < 1e-4 * sum, "{sum} and {sum2}");
        assert!(
            memory < allowed[0],
            "{memory} times the memory of the plain step"
        );
        assert!(time < allowed[1], "{time} times the time of the plain step");
    }
}
