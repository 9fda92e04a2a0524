//! The steps that are timed.

use std::hint::black_box;
use std::time::Instant;

use anyhow::Context;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use gradual::prelude::*;
use gradual_tasks::{Decoder, Mlp};
use serde::{Deserialize, Serialize};

use super::case::{Case, Measured};
use super::model::{ConvNet, DECODER, Kind, LARGE_DECODER, Model};

/// Groups of `grouped` and `k-means`, as far as there are examples.
const GROUPS: usize = 8;

/// Dimensions of the sketch that is timed.
const SKETCH: usize = 256;

/// One way to make a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Method {
    /// Burn's own: forward, mean loss, backward, Adam. The yardstick.
    Ordinary,
    /// One trace, combined gradient, Adam: no Gram matrix.
    Trace,
    /// One trace, exact Gram matrix, combined gradient, Adam.
    Exact,
    /// One trace, the Gram matrix of a sketch, combined gradient, Adam.
    Sketch,
    /// The whole grouped step over known groups.
    Grouped,
    /// The whole step over k-means clusters of gradients.
    #[serde(rename = "k-means")]
    KMeans,
    /// The whole step under the SVD loss as published.
    Svd,
    /// The same from a sketch.
    SvdSketch,
}

impl Method {
    pub(super) const ALL: [Self; 8] = [
        Self::Ordinary,
        Self::Trace,
        Self::Exact,
        Self::Sketch,
        Self::Grouped,
        Self::KMeans,
        Self::Svd,
        Self::SvdSketch,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Trace => "trace",
            Self::Exact => "exact",
            Self::Sketch => "sketch",
            Self::Grouped => "grouped",
            Self::KMeans => "k-means",
            Self::Svd => "svd",
            Self::SvdSketch => "svd-sketch",
        }
    }

    /// The update of one step.
    fn update<M: Model>(
        self,
        model: &M,
        draw: &M::Draw,
        n: usize,
    ) -> anyhow::Result<GradientsParams> {
        if self == Self::Ordinary {
            let loss = model.losses(draw).mean();
            return Ok(GradientsParams::from_grads(loss.backward(), model));
        }
        let grouped = |mut objective: Objective, labels: Option<&[Option<usize>]>| {
            let stepped = step(model, &mut objective, labels, |m| m.losses(draw))?;
            anyhow::Ok(stepped.update)
        };
        let groups = GROUPS.min(n);
        match self {
            Self::Grouped => {
                let labels: Vec<Option<usize>> = (0..n).map(|j| Some(j % groups)).collect();
                let objective = Objective::new(Labels::new(groups), SumOfSquares);
                return grouped(objective, Some(&labels));
            }
            Self::KMeans => {
                return grouped(Objective::new(KMeans::new(groups, 0), SumOfSquares), None);
            }
            Self::Svd => {
                return grouped(
                    Objective::new(SingularVectors::default(), SumOfSquares),
                    None,
                );
            }
            Self::SvdSketch => {
                let grouping = SingularVectors::default().with_sketch(SKETCH, 0);
                return grouped(Objective::new(grouping, SumOfSquares), None);
            }
            _ => {}
        }
        let traced = trace(model, |m| m.losses(draw))?;
        match self {
            Self::Exact => drop(black_box(traced.gradients.gram().into_data())),
            Self::Sketch => {
                drop(black_box(
                    traced.gradients.sketch_gram(SKETCH, 0).into_data(),
                ));
            }
            _ => {}
        }
        let coefficients = Tensor::<1>::full([n], 1.0 / n as f64, &traced.losses.device());
        Ok(traced.gradients.combine(&coefficients)?)
    }
}

/// Runs the methods of a case in turn, on as many threads as it says.
pub(super) fn measure(case: &Case, device: &Device) -> anyhow::Result<Vec<Measured>> {
    on_threads(case.threads, || match case.model {
        Kind::Mlp { width } => run::<Mlp>(case, &width, device),
        Kind::ConvNet => run::<ConvNet>(case, &(), device),
        Kind::Decoder => run::<Decoder>(case, &DECODER, device),
        Kind::LargeDecoder => run::<Decoder>(case, &LARGE_DECODER, device),
    })?
}

/// Runs `work` where the backend finds `threads` threads.
pub(super) fn on_threads<T: Send>(
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> anyhow::Result<T> {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    Ok(pool.install(work))
}

fn run<M: Model>(case: &Case, size: &M::Size, device: &Device) -> anyhow::Result<Vec<Measured>> {
    let fresh = || {
        (
            M::fresh(size, &device.clone().autodiff()),
            AdamConfig::new().init(),
        )
    };
    let mut learners: Vec<(M, ModuleOptimizer)> = case.methods.iter().map(|_| fresh()).collect();
    let draw = M::draw(size, case.draw, device);
    // What making the weights took at its peak is no step's: forget it, where the system can.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let start = on_device(device).or_else(|| memory("VmRSS:"));
    let mut seconds = vec![Vec::new(); case.methods.len()];
    for round in 0..=case.repetitions {
        for (index, method) in case.methods.iter().enumerate() {
            // Taken, not cloned: a second owner of the weights and moments would make Adam copy them.
            let (model, mut optimizer) = learners.remove(0);
            let started = Instant::now();
            let update = method.update(&model, &draw, case.draw)?;
            let model = optimizer.step(1e-3, model, update);
            device
                .sync()
                .map_err(|error| anyhow::anyhow!("{error:?}"))
                .context("sync")?;
            // The first round warms up.
            if round > 0 {
                seconds[index].push(started.elapsed().as_secs_f64());
            }
            learners.push((model, optimizer));
        }
    }
    let peak = on_device(device).or_else(|| memory("VmHWM:"));
    let measured = case
        .methods
        .iter()
        .zip(seconds)
        .map(|(method, seconds)| Measured {
            method: method.name().to_owned(),
            model: case.model.to_string(),
            draw: case.draw,
            ours: true,
            seconds,
            peak_memory_bytes: peak,
            start_memory_bytes: start,
            skipped: None,
        });
    Ok(measured.collect())
}

/// Memory that a device of its own has set aside for us, which grows to the most that was in use at once.
fn on_device(device: &Device) -> Option<u64> {
    Some(device.memory_pool_usage()?.bytes_reserved)
}

/// Memory of this process, where the system tells.
pub(super) fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}
