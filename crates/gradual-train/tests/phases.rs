//! Runs with a second phase: what changes, what stays, and that they resume to the same bytes.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use burn::nn::Linear;
use burn::optim::{AdamConfig, ModuleOptimizer, SgdConfig};
use burn::tensor::Device;
use gradual_group::{Labels, OneGroup};
use gradual_loss::{Mean, SumOfSquares};
use gradual_runs::{Evaluation, Record, RunConfig, SCHEMA};
use gradual_train::{
    Ended, Interrupt, Keep, Objective, Phase, RunFolder, Sampler, Stratified, TaskSize, TrainError,
    Trainer, TrainerConfig, Wanted,
};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::common::products::{Net, Products};
use crate::common::recorded::Recorded;
use crate::common::{Model, Regression, weight};

const STEPS: u64 = 40;
const AFTER: u64 = 20;

fn settings() -> TrainerConfig {
    TrainerConfig {
        steps: STEPS,
        draw: 16,
        every: 5,
        seed: 3,
        ..TrainerConfig::default()
    }
}

fn erm() -> Objective {
    Objective::new(OneGroup, Mean)
}

fn grouped() -> Phase<'static> {
    let objective = Objective::new(Labels::new(2), SumOfSquares);
    Phase::new(objective, AdamConfig::new().init(), 0.02)
        .with_sampler(Box::new(Stratified::new(0..2, 2).unwrap()))
}

/// The weights of every step of a run.
fn weights(then: Option<(u64, Phase<'static>)>, optimizer: ModuleOptimizer) -> Vec<Vec<f32>> {
    let task = Regression::new();
    let mut seen = Vec::new();
    let trainer =
        Trainer::new(&task, erm(), optimizer, &Device::flex(), settings()).with_rate(0.02);
    let trainer = match then {
        Some((after, phase)) => trainer.then(after, phase),
        None => trainer,
    };
    let watched = trainer.watch(|_, model: &Model| {
        seen.push(weight(model));
        Ok(())
    });
    watched.run().unwrap();
    seen
}

#[test]
fn the_same_phase_again_changes_nothing_and_another_one_does_from_its_step_on() {
    let sgd = || SgdConfig::new().init();
    let plain = weights(None, sgd());
    // An optimizer without a state, so that its new beginning is not seen.
    let same = weights(Some((AFTER, Phase::new(erm(), sgd(), 0.02))), sgd());
    assert_eq!(plain, same);
    let other = weights(Some((AFTER, grouped())), sgd());
    let first = AFTER as usize;
    assert_eq!(plain[..=first], other[..=first]);
    assert_ne!(plain[first + 1], other[first + 1]);
}

#[test]
fn an_optimizer_with_a_state_begins_anew() {
    let adam = || AdamConfig::new().init();
    let phase = || Phase::new(erm(), adam(), 0.02);
    let (plain, again) = (
        weights(None, adam()),
        weights(Some((AFTER, phase())), adam()),
    );
    let first = AFTER as usize;
    assert_eq!(plain[..=first], again[..=first]);
    assert_ne!(plain[first + 1], again[first + 1]);
}

/// Weights of the first layer, and of the last, after every step.
fn layers(only: &[&str], then: Option<&[&str]>) -> Result<Vec<[Vec<f32>; 2]>, TrainError> {
    let task = Products::new(0.0);
    let mut seen = Vec::new();
    let adam = || AdamConfig::new().init();
    let trainer = Trainer::new(&task, erm(), adam(), &Device::flex(), settings())
        .with_rate(0.02)
        .learning_only(only);
    let trainer = match then {
        Some(only) => {
            let phase = Phase::new(erm(), adam(), 0.02).learning_only(only);
            trainer.then(AFTER, phase)
        }
        None => trainer,
    };
    let read = |layer: &Linear| -> Vec<f32> {
        let weight = layer.weight.val().inner();
        weight.into_data().try_to_vec().unwrap()
    };
    let watched = trainer.watch(|_, model: &Net| {
        seen.push([read(&model.first), read(&model.last)]);
        Ok(())
    });
    watched.run()?;
    Ok(seen)
}

/// As a classifier is fitted anew on what a model has learned (Kirichenko et al. 2023, arXiv 2204.02937).
#[test]
fn only_some_layers_learn() {
    let (after, end) = (AFTER as usize, STEPS as usize);
    let whole = layers(&[], None).unwrap();
    let last = layers(&[], Some(&["last.*"])).unwrap();
    assert_eq!(whole[..=after], last[..=after]);
    for step in after + 1..=end {
        assert_eq!(last[step][0], last[after][0], "step {step}");
        assert_ne!(last[step][1], last[step - 1][1], "step {step}");
    }
    let first = layers(&["first.weight"], Some(&[])).unwrap();
    assert_eq!(first[0][1], first[after][1]);
    assert_ne!(first[0][0], first[after][0]);
    assert_ne!(first[after][1], first[end][1]);
    for refused in [layers(&["nothing"], None), layers(&[], Some(&["nothing"]))] {
        let said = refused.unwrap_err().to_string();
        assert!(
            said.contains("nothing") && said.contains("last.weight"),
            "{said}"
        );
    }
}

/// Draws from the task, and writes down which steps it was asked for.
struct Counting(Arc<Mutex<Vec<u64>>>);

impl Sampler for Counting {
    fn check(&self, _: TaskSize) -> Result<(), TrainError> {
        Ok(())
    }

    fn next(
        &mut self,
        step: u64,
        n: usize,
        _: TaskSize,
        _: &mut ChaCha8Rng,
    ) -> Result<Wanted, TrainError> {
        self.0.lock().unwrap().push(step);
        Ok(Wanted::Any(n))
    }
}

#[test]
fn the_steps_of_a_sampler_count_from_its_phase() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let sampler = Box::new(Counting(Arc::clone(&asked)));
    let phase = Phase::new(erm(), SgdConfig::new().init(), 0.02).with_sampler(sampler);
    weights(Some((AFTER, phase)), SgdConfig::new().init());
    let expected: Vec<u64> = (1..=STEPS - AFTER).collect();
    assert_eq!(*asked.lock().unwrap(), expected);
}

#[test]
fn phases_that_can_not_be_are_refused_before_the_first_step() {
    let task = Regression::new();
    let trainer = || {
        let sgd = SgdConfig::new().init();
        Trainer::new(&task, erm(), sgd, &Device::flex(), settings())
    };
    assert!(matches!(
        trainer().then(0, grouped()).run(),
        Err(TrainError::Setting {
            name: "steps before the second phase",
            ..
        })
    ));
    let too_many = gradual_group::KMeans::new(17, 0);
    let phase = Phase::new(
        Objective::new(too_many, SumOfSquares),
        SgdConfig::new().init(),
        0.1,
    );
    assert!(matches!(
        trainer().then(AFTER, phase).run(),
        Err(TrainError::Group(_))
    ));
}

fn config() -> RunConfig {
    RunConfig {
        schema: SCHEMA,
        experiment: "phases".into(),
        arm: "erm".into(),
        seed: 3,
        steps: STEPS,
        draw: 16,
        backend: "flex".into(),
        task: json!({}),
        recipe: json!({"then": {"after": 0.5}}),
        settings: json!({}),
    }
}

/// The run in `path`, from where it stopped, up to an interruption after `until` steps.
fn run(path: &Path, until: Option<u64>) -> Ended<Model> {
    let resumed = RunFolder::resume(path, &config(), &json!({}), &[]).unwrap();
    let task = Regression::new();
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let adam = AdamConfig::new().init();
    Trainer::new(&task, erm(), adam, &Device::flex(), settings())
        .with_rate(0.02)
        .then(AFTER, grouped())
        .observe(resumed.folder.with_checkpoints(1, Keep::default()))
        .watch(move |step, _: &Model| {
            if Some(step) == until {
                asking.ask();
            }
            Ok(())
        })
        .interrupted_by(&interrupt)
        .resume(resumed.snapshot)
        .run()
        .unwrap()
}

#[test]
fn a_run_that_stops_in_either_phase_or_between_them_resumes_to_the_same_bytes() {
    let home = tempfile::tempdir().unwrap();
    let whole = home.path().join("whole");
    let ended = run(&whole, None);
    let curves = |path: &Path| fs::read_to_string(path.join("curves.jsonl")).unwrap();
    for until in [1, AFTER - 1, AFTER, AFTER + 1, STEPS - 1] {
        let path = home.path().join(format!("until-{until}"));
        assert_eq!(run(&path, Some(until)).step, until);
        let resumed = run(&path, None);
        assert_eq!(weight(&resumed.model), weight(&ended.model), "{until}");
        assert_eq!(curves(&path), curves(&whole), "{until}");
    }
}

#[test]
fn evaluations_of_the_second_phase_tell_how_far_the_weights_moved() {
    let home = tempfile::tempdir().unwrap();
    run(home.path(), None);
    let seen = weights(Some((AFTER, grouped())), AdamConfig::new().init());
    let start = &seen[AFTER as usize];
    let norm = |values: &mut dyn Iterator<Item = f64>| {
        values.map(|value| value * value).sum::<f64>().sqrt()
    };
    let text = fs::read_to_string(home.path().join("curves.jsonl")).unwrap();
    let evaluations = text
        .lines()
        .map(|line| Evaluation::from_line(line).unwrap());
    let mut told = 0;
    for evaluation in evaluations {
        let Some(moved) = evaluation.moved else {
            assert!(evaluation.step <= AFTER);
            continue;
        };
        let now = &seen[evaluation.step as usize];
        let between = norm(
            &mut now
                .iter()
                .zip(start)
                .map(|(a, b)| f64::from(*a) - f64::from(*b)),
        );
        let expected = between / norm(&mut start.iter().map(|value| f64::from(*value)));
        assert!(
            (moved - expected).abs() < 1e-9 && moved > 0.0,
            "{moved} {expected}"
        );
        told += 1;
    }
    assert_eq!(told, (STEPS - AFTER) / 5);
}

/// Where the second phase begins off the grid of evaluations, there is one more, so that what it begins with is known.
#[test]
fn a_run_is_evaluated_where_its_second_phase_begins() {
    let task = Regression::new();
    let sgd = || SgdConfig::new().init();
    for after in [13, 15] {
        let mut seen = Recorded::default();
        let trainer = Trainer::new(&task, erm(), sgd(), &Device::flex(), settings())
            .with_rate(0.02)
            .then(after, Phase::new(erm(), sgd(), 0.02))
            .observe(&mut seen);
        trainer.run().unwrap();
        let steps: Vec<u64> = seen.evaluations.iter().map(|one| one.step).collect();
        assert_eq!(steps.contains(&13), after == 13, "{steps:?}");
        assert!(steps.contains(&15) && steps.contains(&20));
        let mut before = seen.evaluations.iter().filter(|one| one.moved.is_none());
        assert_eq!(before.next_back().unwrap().step, after);
    }
}
