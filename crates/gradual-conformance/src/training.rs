//! Short trainings, whole and in two halves.

use std::cell::RefCell;

use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use gradual::prelude::*;
use gradual::runs::{Evaluation, RunConfig, SCHEMA};
use gradual::train::registry::OPTIMIZERS;
use gradual::train::{
    Flow, Interrupt, Keep, Observer, RunFolder, SeenStep, TrainError, Trainer, TrainerConfig,
};
use gradual_tasks::{SparseParity, SparseParityConfig};
use serde_json::{Value, json};

use crate::numbers::Numbers;
use crate::settings::specs;

const STEPS: u64 = 50;
/// Large enough for the losses to move.
const RATE: f64 = 1e-2;
/// The step after which a run changes backends.
const HALF: u64 = 20;

/// Sparse parity, small enough for a moment.
pub(crate) fn task() -> anyhow::Result<SparseParity> {
    let config = SparseParityConfig {
        tasks: 4,
        bits: 12,
        hidden: 64,
        held_out: 50,
        ..SparseParityConfig::default()
    };
    Ok(SparseParity::new(config, 0)?)
}

/// Adam with the constants of its paper (Kingma & Ba 2015).
fn adam() -> ModuleOptimizer {
    AdamConfig::new().with_epsilon(1e-8).init()
}

fn config() -> TrainerConfig {
    TrainerConfig {
        steps: STEPS,
        draw: 64,
        every: 5,
        seed: 1,
        ..TrainerConfig::default()
    }
}

/// Training losses of several objectives, and of every optimizer of the registry.
pub(crate) fn training(device: &Device) -> anyhow::Result<Numbers> {
    let mut runs = vec![
        ("erm".to_owned(), Objective::new(OneGroup, Mean), adam()),
        (
            "grouped".to_owned(),
            Objective::new(Labels::new(4), SumOfSquares),
            adam(),
        ),
        (
            "svd".to_owned(),
            Objective::new(SingularVectors::default(), SumOfSquares),
            adam(),
        ),
    ];
    for spec in specs(&OPTIMIZERS, &[])? {
        let erm = Objective::new(OneGroup, Mean);
        runs.push((format!("erm, {spec}"), erm, OPTIMIZERS.build(&spec, ())?));
    }
    let task = task()?;
    let mut numbers = Numbers::new();
    for (name, objective, optimizer) in runs {
        let seen = Seen::default();
        Trainer::new(&task, objective, optimizer, device, config())
            .with_rate(RATE)
            .observe(&seen)
            .run()?;
        numbers.insert(name, seen.losses());
    }
    Ok(numbers)
}

/// The share of losses that are the same bit for bit in two runs.
pub(crate) fn repeats(device: &Device) -> anyhow::Result<Numbers> {
    let (one, other) = (training(device)?, training(device)?);
    let share = |name: &String, losses: &Vec<f64>| {
        let same = losses.iter().zip(&other[name]).filter(|(a, b)| a == b);
        vec![same.count() as f64 / losses.len() as f64]
    };
    let shares = one.iter();
    Ok(shares
        .map(|(name, losses)| (name.clone(), share(name, losses)))
        .collect())
}

/// That all of them are.
pub(crate) fn always(computed: &Numbers) -> Numbers {
    let names = computed.keys().cloned();
    names.map(|name| (name, vec![1.0])).collect()
}

/// A run whose first part was on `flex` and whose second part is on `device`, and the other way round.
pub(crate) fn checkpoint(device: &Device) -> anyhow::Result<Numbers> {
    let flex = Device::flex();
    let mut numbers = Numbers::new();
    for (name, first, second) in [("from flex", &flex, device), ("to flex", device, &flex)] {
        let home = tempfile::tempdir()?;
        let seen = Seen::default();
        half(home.path(), first, Some(HALF), &seen)?;
        half(home.path(), second, None, &seen)?;
        numbers.insert(name.to_owned(), seen.losses());
    }
    Ok(numbers)
}

/// A run in `folder`, from where it was, up to an interruption after `until` steps.
fn half(
    folder: &std::path::Path,
    device: &Device,
    until: Option<u64>,
    seen: &Seen,
) -> anyhow::Result<()> {
    let run = RunConfig {
        schema: SCHEMA,
        experiment: "conformance".into(),
        arm: "dro".into(),
        seed: 1,
        steps: STEPS,
        draw: 64,
        backend: "any".into(),
        task: Value::Null,
        recipe: Value::Null,
        settings: json!({}),
    };
    let resumed = RunFolder::resume(folder, &run, &json!({}), &[])?;
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    // An objective with state, which goes through the checkpoint like weights and moments.
    let dro = Objective::new(Labels::new(4), GroupDro::new(0.1)?);
    let task = task()?;
    Trainer::new(&task, dro, adam(), device, config())
        .with_rate(RATE)
        .observe(resumed.folder.with_checkpoints(HALF, Keep::default()))
        .observe(seen)
        .watch(move |step, _| {
            if Some(step) == until {
                asking.ask();
            }
            Ok(())
        })
        .interrupted_by(&interrupt)
        .resume(resumed.snapshot)
        .run()?;
    Ok(())
}

/// Training loss of every step and held-out losses of every evaluation.
#[derive(Debug, Default)]
struct Seen(RefCell<Vec<f64>>);

impl Seen {
    fn losses(&self) -> Vec<f64> {
        self.0.borrow().clone()
    }
}

impl Observer for &Seen {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.0.borrow_mut().push(seen.loss);
        Ok(Flow::Continue(()))
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _seconds: f64) -> Result<Flow, TrainError> {
        let losses = evaluation.capabilities.values().map(|record| record.loss);
        self.0.borrow_mut().extend(losses);
        Ok(Flow::Continue(()))
    }
}
