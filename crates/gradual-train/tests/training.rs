//! The step against a plain Burn loop, the trainer on a small task, and the run folder.

use std::fs;

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use gradual_grad::{Tap, trace};
use gradual_group::{KMeans, Labels, OneGroup, SingularVectors};
use gradual_loss::{Mean, Scale, SumOfSquares};
use gradual_measure::{Evaluation, Grouping, Record, RunConfig, SCHEMA};
use gradual_train::{
    Capability, Drawn, Objective, Observer, RunFolder, Score, State, Task, TrainError, Trainer,
    step,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

#[derive(Module, Debug)]
struct Model {
    layer: Linear,
}

impl Model {
    fn losses(&self, inputs: &Tensor<2>) -> Tensor<1> {
        let n = inputs.dims()[0];
        (self.layer.tap(inputs.clone()) - 1.0)
            .powi_scalar(2)
            .reshape([n])
    }

    /// The same without a tap.
    fn plain_losses(&self, inputs: &Tensor<2>) -> Tensor<1> {
        let n = inputs.dims()[0];
        (self.layer.forward(inputs.clone()) - 1.0)
            .powi_scalar(2)
            .reshape([n])
    }
}

fn setting(n: usize) -> (Model, Tensor<2>) {
    let device = Device::flex().autodiff();
    let model = Model {
        layer: LinearConfig::new(3, 1).init(&device),
    };
    (
        model,
        Tensor::random([n, 3], Distribution::Default, &device.inner()),
    )
}

fn weight(update: &GradientsParams, model: &Model) -> Vec<f32> {
    let gradient = update.get::<2>(model.layer.weight.id).expect("a gradient");
    gradient.into_data().try_to_vec().expect("f32")
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() < 1e-5 * (1.0 + b.abs()))
}

/// The mean over one group is what Burn does by itself.
#[test]
fn erm_equals_a_plain_burn_step() {
    let (model, inputs) = setting(7);
    let mut erm = Objective::new(OneGroup, Mean);
    let stepped = step(&model, &mut erm, None, |m| m.plain_losses(&inputs)).unwrap();
    let loss = model.plain_losses(&inputs).mean();
    let expected = GradientsParams::from_grads(loss.backward(), &model);
    assert!(close(
        &weight(&stepped.update, &model),
        &weight(&expected, &model)
    ));
    assert!(close(&stepped.coefficients, &[1.0 / 7.0; 7]));
}

/// The traced path (which a matched norm needs) points where the ordinary path points.
#[test]
fn traced_and_ordinary_steps_agree() {
    let (model, inputs) = setting(8);
    let labels: Vec<_> = [0, 0, 0, 1, 1, 2, 2, 2].map(Some).to_vec();
    let with = |scale| {
        let mut objective = Objective::new(Labels::new(3), SumOfSquares).with_scale(scale);
        step(&model, &mut objective, Some(&labels), |m| m.losses(&inputs)).unwrap()
    };
    let ordinary = with(Scale::Raw);
    let matched = with(Scale::MatchNorm);
    let factor = matched.coefficients[0] / ordinary.coefficients[0];
    let scaled: Vec<f32> = weight(&ordinary.update, &model)
        .iter()
        .map(|g| g * factor)
        .collect();
    assert!(close(&weight(&matched.update, &model), &scaled));
}

/// The update is the gradient of Σ_g ℓ̄_g² over Σc, by Burn's own backward pass.
#[test]
fn the_grouped_step_descends_on_the_grouped_loss() {
    let (model, inputs) = setting(4);
    let labels = [Some(0), Some(1), Some(1), None];
    let mut objective = Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::Raw);
    let stepped = step(&model, &mut objective, Some(&labels), |m| {
        m.plain_losses(&inputs)
    })
    .unwrap();
    let losses = model.plain_losses(&inputs);
    let first = losses.clone().narrow(0, 0, 1).sum();
    let second = losses.narrow(0, 1, 2).mean();
    let value = first.clone() * first + second.clone() * second;
    let expected = GradientsParams::from_grads(value.backward(), &model);
    assert!(close(
        &weight(&stepped.update, &model),
        &weight(&expected, &model)
    ));
    assert_eq!(
        stepped.coefficients[3], 0.0,
        "an example without a label has no part"
    );
}

#[test]
fn non_finite_losses_name_the_example() {
    let (model, inputs) = setting(3);
    let poison = Tensor::<1>::from_floats([0.0, f32::NAN, 0.0], &Device::flex());
    for mut objective in [
        Objective::new(OneGroup, Mean),
        Objective::new(SingularVectors::default(), SumOfSquares),
    ] {
        let result = step(&model, &mut objective, None, |m| {
            m.losses(&inputs) + poison.clone()
        });
        let message = result.expect_err("NaN").to_string();
        assert!(
            message.starts_with("step: the loss of example 1 is NaN"),
            "{message}"
        );
    }
}

/// y = x·w* for two capabilities that use different inputs.
struct Regression(Vec<Capability>);

impl Regression {
    fn new() -> Self {
        let capability = |(name, frequency): (&str, f64)| Capability {
            name: name.to_owned(),
            chance: 0.0,
            frequency,
        };
        Self([("common", 0.9), ("rare", 0.1)].map(capability).to_vec())
    }
}

impl Task for Regression {
    type Model = Model;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        &self.0
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Model {
        let values: Vec<f32> = (0..3).map(|_| random.random_range(-0.1..0.1)).collect();
        let mut layer = LinearConfig::new(3, 1).with_bias(false).init(device);
        layer.weight = Param::from_data(TensorData::new(values, [3, 1]), device);
        Model { layer }
    }

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Drawn<Self::Batch> {
        let labels: Vec<usize> = (0..n)
            .map(|_| usize::from(random.random_bool(0.1)))
            .collect();
        let inputs: Vec<f32> = labels
            .iter()
            .flat_map(|&l| [1.0, l as f32, 1.0 - l as f32])
            .collect();
        let targets: Vec<f32> = labels.iter().map(|&label| 1.0 + label as f32).collect();
        Drawn {
            batch: (
                Tensor::from_data(TensorData::new(inputs, [n, 3]), device),
                Tensor::from_data(TensorData::new(targets, [n]), device),
            ),
            labels: labels.into_iter().map(Some).collect(),
        }
    }

    fn losses(&self, model: &Model, (inputs, targets): &Self::Batch) -> Tensor<1> {
        let n = targets.dims()[0];
        (model.layer.tap(inputs.clone()).reshape([n]) - targets.clone()).powi_scalar(2)
    }

    fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        let inputs = Tensor::<2>::from_floats([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0]], device);
        let outputs: Vec<f32> = model
            .layer
            .forward(inputs)
            .into_data()
            .try_to_vec()
            .expect("f32");
        let score = |(output, target): (&f32, f32)| {
            let error = f64::from(output - target).abs();
            Score {
                accuracy: (1.0 - error).max(0.0),
                loss: error * error,
                probability: None,
            }
        };
        Ok(outputs.iter().zip([1.0, 2.0]).map(score).collect())
    }
}

#[derive(Default)]
struct Kept {
    evaluations: Vec<Evaluation>,
    groupings: Vec<Grouping>,
    steps: u64,
}

impl Observer for Kept {
    fn stepped(&mut self, step: u64, _steps: u64) -> Result<(), TrainError> {
        self.steps = step;
        Ok(())
    }

    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<(), TrainError> {
        assert!(seconds >= 0.0);
        self.evaluations.push(evaluation.clone());
        Ok(())
    }

    fn grouped(&mut self, grouping: &Grouping) -> Result<(), TrainError> {
        self.groupings.push(grouping.clone());
        Ok(())
    }
}

const TRAINER: Trainer = Trainer {
    steps: 120,
    draw: 16,
    rate: 0.1,
    every: 40,
    seed: 5,
};

/// The model is shown before every step and after the last, and looking changes nothing.
#[test]
fn a_run_can_be_watched() {
    let weight = |model: &Model| -> Vec<f32> {
        let weight = model.layer.weight.val().into_data();
        weight.try_to_vec().expect("f32")
    };
    let trainer = Trainer {
        steps: 3,
        ..TRAINER
    };
    let run = |watch: &mut dyn FnMut(u64, &Model) -> Result<(), TrainError>| {
        let mut erm = Objective::new(OneGroup, Mean);
        let (task, optimizer) = (Regression::new(), SgdConfig::new().init());
        trainer.run_watched(&task, &mut erm, optimizer, &Device::flex(), &mut [], watch)
    };
    let mut seen = Vec::new();
    let end = run(&mut |step, model| {
        trace(model, |m| m.losses(&Tensor::ones([2, 3], &Device::flex())))?;
        seen.push((step, weight(model)));
        Ok(())
    })
    .unwrap();
    let steps: Vec<u64> = seen.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [0, 1, 2, 3]);
    assert_ne!(seen[0].1, seen[1].1);
    assert_eq!(seen[3].1, weight(&end));
    let mut erm = Objective::new(OneGroup, Mean);
    let optimizer = SgdConfig::new().init();
    let plain = trainer.run(
        &Regression::new(),
        &mut erm,
        optimizer,
        &Device::flex(),
        &mut [],
    );
    assert_eq!(weight(&plain.unwrap()), weight(&end));

    let refused = run(&mut |step, _| match step {
        2 => Err(TrainError::Task {
            what: "looks",
            expected: 1,
            got: 2,
        }),
        _ => Ok(()),
    });
    assert_eq!(
        refused.map(drop).unwrap_err().to_string(),
        "task: expected 1 looks, got 2"
    );
}

fn train(mut objective: Objective) -> Kept {
    let mut kept = Kept::default();
    let optimizer = SgdConfig::new().init();
    let device = Device::flex();
    TRAINER
        .run(
            &Regression::new(),
            &mut objective,
            optimizer,
            &device,
            &mut [&mut kept],
        )
        .unwrap();
    kept
}

#[test]
fn the_trainer_learns_and_tells_its_observers() {
    let kept = train(Objective::new(Labels::new(2), SumOfSquares));
    assert_eq!(kept.steps, 120);
    let steps: Vec<u64> = kept
        .evaluations
        .iter()
        .map(|evaluation| evaluation.step)
        .collect();
    assert_eq!(steps, [0, 1, 2, 5, 10, 20, 40, 80, 120]);
    let last = kept.evaluations.last().unwrap();
    assert_eq!(last.examples, 120 * 16);
    assert!(
        last.capabilities
            .values()
            .all(|record| record.accuracy > 0.9),
        "{last:?}"
    );
    // No groups before the first step, then one record per evaluation.
    assert_eq!(kept.groupings.len(), steps.len() - 1);
    assert_eq!(kept.groupings[0].recovery, Some(1.0));
    let shares: f64 = kept.groupings[0].shares.values().sum();
    assert!((shares - 1.0).abs() < 1e-6);
}

/// Equal seeds give equal numbers, and arms see the same weights and examples.
#[test]
fn runs_repeat() {
    let lines = |objective| {
        let kept = train(objective);
        let lines = kept
            .evaluations
            .iter()
            .map(|evaluation| evaluation.to_line().unwrap());
        lines.collect::<Vec<_>>()
    };
    let kmeans = || Objective::new(KMeans::new(2, 1), SumOfSquares);
    assert_eq!(lines(kmeans()), lines(kmeans()));
    let erm = lines(Objective::new(OneGroup, Mean));
    assert_eq!(erm[0], lines(kmeans())[0]);
    assert_ne!(erm[8], lines(kmeans())[8]);
}

#[test]
fn failures_name_step_and_setting() {
    let run = |trainer: Trainer| {
        let mut objective = Objective::new(KMeans::new(20, 0), SumOfSquares);
        let optimizer = SgdConfig::new().init();
        let result = trainer.run(
            &Regression::new(),
            &mut objective,
            optimizer,
            &Device::flex(),
            &mut [],
        );
        result.map(drop).expect_err("the run fails").to_string()
    };
    assert_eq!(
        run(Trainer { draw: 0, ..TRAINER }),
        "trainer: draw must be at least 1, got 0"
    );
    assert_eq!(
        run(Trainer {
            steps: 0,
            ..TRAINER
        }),
        "trainer: steps must be at least 1, got 0"
    );
    assert_eq!(
        run(TRAINER),
        "step 1: k-means: 20 groups were asked for, but the draw has 16 examples"
    );
    let mut erm = Objective::new(OneGroup, Mean);
    let steep = Trainer {
        rate: 1e12,
        ..TRAINER
    };
    let optimizer = SgdConfig::new().init();
    let error = steep
        .run(
            &Regression::new(),
            &mut erm,
            optimizer,
            &Device::flex(),
            &mut [],
        )
        .map(drop)
        .expect_err("diverges")
        .to_string();
    assert!(
        error.contains("(capability common)") && error.contains("the loss of example"),
        "{error}"
    );
}

#[test]
fn a_run_folder_is_written_checked_and_kept() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("erm/seed-0");
    let config = RunConfig {
        schema: SCHEMA,
        experiment: "regression".into(),
        arm: "erm".into(),
        seed: 0,
        steps: 120,
        draw: 16,
        backend: "flex".into(),
        settings: json!({"rate": 0.1, "task": {"bits": 4}}),
    };
    assert_eq!(RunFolder::state(&path, &config).unwrap(), State::Empty);
    let mut folder = RunFolder::create(&path, &config, &json!({"burn": "0.22.1"})).unwrap();
    assert_eq!(RunFolder::state(&path, &config).unwrap(), State::Unfinished);
    let kept = train(Objective::new(OneGroup, Mean));
    for evaluation in &kept.evaluations {
        folder.evaluated(evaluation, 1.5).unwrap();
    }
    folder.finish().unwrap();
    assert_eq!(RunFolder::state(&path, &config).unwrap(), State::Done);

    let curves = fs::read_to_string(path.join("curves.jsonl")).unwrap();
    let read: Vec<Evaluation> = curves
        .lines()
        .map(|l| Evaluation::from_line(l).unwrap())
        .collect();
    assert_eq!(read, kept.evaluations);
    assert!(
        !curves.contains("seconds"),
        "wall-clock times stand in timing.jsonl alone"
    );
    assert_eq!(
        fs::read_to_string(path.join("timing.jsonl"))
            .unwrap()
            .lines()
            .count(),
        9
    );

    let other = RunConfig {
        steps: 121,
        settings: json!({"rate": 0.1, "task": {"bits": 5}}),
        ..config.clone()
    };
    let message = RunFolder::state(&path, &other).unwrap_err().to_string();
    assert!(
        message.contains("settings.task.bits: 4 there, 5 asked for"),
        "{message}"
    );
    assert!(
        message.contains("steps: 120 there, 121 asked for"),
        "{message}"
    );

    fs::write(path.join("config.json"), "{\"schema\":1,").unwrap();
    assert!(RunFolder::state(&path, &config).is_err());
}
