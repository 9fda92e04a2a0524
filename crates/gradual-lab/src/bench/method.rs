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
use super::model::{ConvNet, Kind, Model};
use crate::backend::Backend;

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
    /// The whole SVD-grouped step, eigenproblem included.
    Svd,
    /// The same from a sketch.
    SvdSketch,
}

impl Method {
    pub(super) const ALL: [Self; 6] = [
        Self::Ordinary,
        Self::Trace,
        Self::Exact,
        Self::Sketch,
        Self::Svd,
        Self::SvdSketch,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Trace => "trace",
            Self::Exact => "exact",
            Self::Sketch => "sketch",
            Self::Svd => "svd",
            Self::SvdSketch => "svd-sketch",
        }
    }

    /// The update of one step.
    fn update<M: Model>(self, model: &M, draw: &M::Draw) -> anyhow::Result<GradientsParams> {
        if self == Self::Ordinary {
            let loss = model.losses(draw).mean();
            return Ok(GradientsParams::from_grads(loss.backward(), model));
        }
        if let Self::Svd | Self::SvdSketch = self {
            let grouping = match self {
                Self::Svd => SingularVectors::default(),
                _ => SingularVectors::default().with_sketch(SKETCH, 0),
            };
            let mut objective = Objective::new(grouping, SumOfSquares);
            return Ok(step(model, &mut objective, None, |m| m.losses(draw))?.update);
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
        let n = traced.gradients.examples();
        let coefficients = Tensor::<1>::full([n], 1.0 / n as f64, &traced.losses.device());
        Ok(traced.gradients.combine(&coefficients)?)
    }
}

/// Runs the methods of a case in turn, on as many threads as it says.
pub(super) fn measure(case: &Case) -> anyhow::Result<Vec<Measured>> {
    let device = Backend::choose(None)?.device;
    on_threads(case.threads, || match case.model {
        Kind::Mlp { width } => run::<Mlp>(case, &width, &device),
        Kind::ConvNet => run::<ConvNet>(case, &(), &device),
        Kind::Decoder => run::<Decoder>(case, &(), &device),
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
    let draw = M::draw(case.draw, device);
    // What making the weights took at its peak is no step's: forget it, where the system can.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let start = memory("VmRSS:");
    let mut seconds = vec![Vec::new(); case.methods.len()];
    for round in 0..=case.repetitions {
        for (index, method) in case.methods.iter().enumerate() {
            // Taken, not cloned: a second owner of the weights and moments would make Adam copy them.
            let (model, mut optimizer) = learners.remove(0);
            let started = Instant::now();
            let update = method.update(&model, &draw)?;
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
    let peak = memory("VmHWM:");
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

/// Memory of this process, where the system tells.
pub(super) fn memory(field: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kibibytes * 1024)
}
