//! What is measured, and its measurement.

use std::time::Instant;

use anyhow::Context;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use gradual::runs::process;
use gradual_tasks::{Decoder, Mlp};
use serde::{Deserialize, Serialize};

use crate::measured::Measured;
use crate::memory;
use crate::method::Method;
use crate::model::{ConvNet, DECODER, Kind, LARGE_DECODER, Model, WIDE_DECODER};
use crate::threads::on_threads;

/// One (model, draw), and the methods to run on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Case {
    pub(crate) model: Kind,
    pub(crate) draw: usize,
    pub(crate) threads: usize,
    pub(crate) repetitions: usize,
    pub(crate) methods: Vec<Method>,
}

/// Runs the methods of a case in turn, on as many threads as it says.
pub(crate) fn measure(case: &Case, device: &Device) -> anyhow::Result<Vec<Measured>> {
    on_threads(case.threads, || match case.model {
        Kind::Mlp { width } => run::<Mlp>(case, &width, device),
        Kind::ConvNet => run::<ConvNet>(case, &(), device),
        Kind::Decoder => run::<Decoder>(case, &DECODER, device),
        Kind::WideDecoder => run::<Decoder>(case, &WIDE_DECODER, device),
        Kind::LargeDecoder => run::<Decoder>(case, &LARGE_DECODER, device),
    })?
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
    let start = memory::on_device(device).or_else(process::memory);
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
    let peak = memory::on_device(device).or_else(process::peak_memory);
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
