//! Runs with a lens on the middle layer of a small network.

use burn::optim::AdamConfig;
use burn::tensor::Device;
use gradual_grad::{Metric, Whitening};
use gradual_group::Landmarks;
use gradual_train::{NotFinite, Objective, Task, Trainer, TrainerConfig};

use super::products::{KINDS, Net, weights};

pub(crate) const SEED: u64 = 5;
pub(crate) const DRAW: usize = 24;
pub(crate) const STANDING: usize = 60;
pub(crate) const RATE: f64 = 0.01;
pub(crate) const LOOK: [&str; 1] = ["middle.weight"];

/// Landmarks in a metric, all of which are kept.
pub(crate) fn landmarks(metric: Metric, groups: usize) -> Landmarks {
    let landmarks = Landmarks::new(groups, metric, 3);
    let landmarks = landmarks.with_examples(STANDING).unwrap();
    landmarks.with_kept(usize::MAX).unwrap()
}

/// As many as there are capabilities, in the layer that is looked at.
pub(crate) fn middle() -> Landmarks {
    let metric = Metric::whitened().with_whitening(Whitening::Kronecker { damping: 0.1 });
    landmarks(metric.with_layers(&LOOK).unwrap(), KINDS)
}

pub(crate) fn config(steps: u64, parts: usize, not_finite: NotFinite) -> TrainerConfig {
    TrainerConfig {
        steps,
        draw: DRAW,
        parts,
        every: 10,
        seed: SEED,
        not_finite,
        verify: true,
    }
}

/// Under Adam.
pub(crate) fn trainer<T: Task>(
    task: &T,
    objective: Objective,
    config: TrainerConfig,
) -> Trainer<'_, T> {
    let adam = AdamConfig::new().init();
    Trainer::new(task, objective, adam, &Device::flex(), config).with_rate(RATE)
}

/// Groups are averaged on the device in one of two runs, and on the host in the other.
pub(crate) fn near(one: &Net, other: &Net, place: &str) {
    let pairs = weights(one).into_iter().zip(weights(other));
    let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most < 1e-5, "{place}: {most}");
}
