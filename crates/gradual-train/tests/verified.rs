//! The first step of a run, and of one that goes on, is preceded by a check of its gradients.

use std::cell::RefCell;

use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::{GradError, Tap, Verified};
use gradual_group::{KMeans, Labels};
use gradual_loss::SumOfSquares;
use gradual_train::{
    Capability, Drawn, GroupedStep, Objective, Observer, Score, Snapshot, Stepped, Task,
    TrainError, Trainer, TrainerConfig, step, step_in_parts,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::common::{Model, Regression, weight};

/// The regression with losses in units of their mean over the draw, as a batch norm would have them.
struct Coupled(Regression);

impl Task for Coupled {
    type Model = Model;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        self.0.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Model {
        self.0.model(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        self.0.draw(n, random, device)
    }

    fn losses(&self, model: &Model, batch: &Self::Batch) -> Tensor<1> {
        let losses = self.0.losses(model, batch);
        losses.clone() / (losses.mean() + 1.0)
    }

    fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

fn trainer<T: Task>(task: &T, objective: Objective, verify: bool) -> Trainer<'_, T> {
    let config = TrainerConfig {
        steps: 4,
        draw: 16,
        every: 2,
        verify,
        ..TrainerConfig::default()
    };
    let adam = AdamConfig::new().init();
    Trainer::new(task, objective, adam, &Device::flex(), config)
}

fn clusters() -> Objective {
    Objective::new(KMeans::new(2, 1), SumOfSquares)
}

fn labels() -> Objective {
    Objective::new(Labels::new(2), SumOfSquares)
}

#[test]
fn coupled_examples_end_a_run_before_its_first_step() {
    let task = Coupled(Regression::new());
    let error = trainer(&task, clusters(), true).run().expect_err("coupled");
    let TrainError::Step { step, source, .. } = &error else {
        panic!("{error}")
    };
    let coupled = matches!(**source, TrainError::Grad(GradError::Coupled { .. }));
    assert!(*step == 1 && coupled, "{error}");
    trainer(&task, clusters(), false).run().expect("not asked");
    // Burn's own backward pass is right about coupled losses.
    trainer(&task, labels(), true).run().expect("no gradients");
}

#[test]
fn a_check_changes_nothing() {
    let task = Regression::new();
    let checked = trainer(&task, clusters(), true).run().expect("right");
    let unchecked = trainer(&task, clusters(), false).run().expect("right");
    assert_eq!(weight(&checked.model), weight(&unchecked.model));
}

#[derive(Default)]
struct Seen {
    verified: RefCell<Vec<Verified>>,
    kept: RefCell<Option<Snapshot>>,
}

impl Observer for &Seen {
    fn verified(&mut self, verified: &Verified) -> Result<(), TrainError> {
        self.verified.borrow_mut().push(verified.clone());
        Ok(())
    }

    fn checkpoint_every(&self) -> Option<u64> {
        Some(2)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        self.kept
            .borrow_mut()
            .get_or_insert_with(|| snapshot.clone());
        Ok(())
    }
}

#[test]
fn observers_are_told_and_a_resumed_run_is_checked_again() {
    let task = Regression::new();
    let seen = Seen::default();
    trainer(&task, clusters(), true)
        .observe(&seen)
        .run()
        .expect("right");
    assert_eq!(seen.verified.borrow().len(), 1);
    let differences = seen.verified.borrow()[0].differences.clone();
    assert_eq!(differences[0].0, "layer.weight");

    let from = seen.kept.borrow_mut().take();
    assert!(from.is_some());
    trainer(&task, clusters(), true)
        .observe(&seen)
        .resume(from.clone())
        .run()
        .expect("right");
    assert_eq!(seen.verified.borrow().len(), 2);

    let coupled = Coupled(Regression::new());
    let error = trainer(&coupled, clusters(), true)
        .observe(&seen)
        .resume(from)
        .run();
    assert!(error.is_err_and(|error| error.to_string().contains("examples are coupled")));
}

#[test]
fn a_grouped_step_is_checked_before_its_first() {
    let task = Coupled(Regression::new());
    let device = Device::flex();
    let mut random = ChaCha8Rng::seed_from_u64(1);
    let model = task.model(&mut random, &device.clone().autodiff());
    let batch = task.draw(8, &mut random, &device).unwrap().batch;
    let run = |grouped: &GroupedStep<_>| {
        grouped.step(&model, None, &batch, |m, batch| task.losses(m, batch))
    };
    let error = run(&GroupedStep::new(clusters())).expect_err("coupled");
    assert!(matches!(error, TrainError::Grad(GradError::Coupled { .. })));
    run(&GroupedStep::new(clusters()).unverified()).expect("not asked");
}

/// A grouped convolution whose windows do not end with the input: Burn's own backward pass of it is wrong.
#[test]
fn what_burn_gets_wrong_goes_through_the_trace() {
    let device = Device::flex().autodiff();
    let model = Conv1dConfig::new(4, 6, 3)
        .with_stride(2)
        .with_groups(2)
        .init(&device);
    let values: Vec<f32> = (0..3 * 4 * 6).map(|i| (i as f32 * 0.7).sin()).collect();
    let batch = Tensor::<3>::from_data(TensorData::new(values, [3, 4, 6]), &device);
    let losses = |m: &Conv1d, x: &Tensor<3>| {
        let y = m.tap(x.clone());
        let [n, c, t] = y.dims();
        y.powi_scalar(2).reshape([n, c * t]).sum_dim(1).reshape([n])
    };
    let labelled = [Some(0), Some(1), Some(0)];
    let error = GroupedStep::new(labels())
        .step(&model, Some(&labelled), &batch, losses)
        .expect_err("a wrong gradient");
    assert!(matches!(error, TrainError::BurnFault { .. }), "{error}");
    assert!(error.to_string().contains("through_trace"), "{error}");

    let traced = GroupedStep::new(labels().through_trace())
        .step(&model, Some(&labelled), &batch, losses)
        .expect("traced");
    let traced = traced.update.get::<3>(model.weight.id).expect("a gradient");
    // Against differences, in single precision.
    let loss = |at: usize, by: f32| {
        let mut moved = model.clone();
        moved.weight = moved.weight.map(|weight| {
            let mut values: Vec<f32> = weight.inner().into_data().try_to_vec().expect("f32");
            values[at] += by;
            Tensor::from_data(TensorData::new(values, [6, 2, 3]), &device)
        });
        let each: Vec<f32> = losses(&moved, &batch)
            .into_data()
            .try_to_vec()
            .expect("f32");
        // Two groups, the first of two examples: L = ((ℓ₀ + ℓ₂)/2)² + ℓ₁².
        ((each[0] + each[2]) / 2.0).powi(2) + each[1].powi(2)
    };
    let found: Vec<f32> = traced.into_data().try_to_vec().expect("f32");
    let expected: Vec<f32> = (0..36)
        .map(|at| (loss(at, 1e-2) - loss(at, -1e-2)) / 2e-2)
        .collect();
    // Under coefficients that sum to one, up to one factor.
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let cosine = dot(&found, &expected) / (dot(&found, &found) * dot(&expected, &expected)).sqrt();
    assert!(cosine > 0.9999, "{cosine}");
}

#[test]
fn so_do_draws_in_parts_and_accumulated_ones() {
    let device = Device::flex().autodiff();
    let model: Conv1d = Conv1dConfig::new(4, 6, 3)
        .with_stride(2)
        .with_groups(2)
        .init(&device);
    let batch = |seed: usize| {
        let values: Vec<f32> = (0..72).map(|i| ((i + seed) as f32 * 0.7).sin()).collect();
        Tensor::<3>::from_data(TensorData::new(values, [3, 4, 6]), &device)
    };
    let losses = |m: &Conv1d, x: &Tensor<3>| {
        let y = m.tap(x.clone());
        let [n, c, t] = y.dims();
        y.powi_scalar(2).reshape([n, c * t]).sum_dim(1).reshape([n])
    };
    let parts = [batch(0), batch(5)];
    let named = [Some(0), Some(1), Some(0), Some(1), Some(1), Some(0)];
    let traced = || labels().through_trace();
    let whole = Tensor::cat(parts.to_vec(), 0);
    let of = |stepped: Stepped| -> Vec<f32> {
        stepped
            .update
            .get::<3>(model.weight.id)
            .unwrap()
            .into_data()
            .try_to_vec()
            .unwrap()
    };
    let expected = of(step(&model, &mut traced(), Some(&named), |m| losses(m, &whole)).unwrap());
    let found = of(step_in_parts(&model, &mut traced(), Some(&named), &parts, losses).unwrap());
    let size = expected.iter().fold(0.0f32, |a, b| a.max(b.abs()));
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-4 * size);
    }
    let grouped = GroupedStep::new(traced()).with_accumulation(2);
    grouped
        .step(&model, Some(&named[..3]), &parts[0], losses)
        .unwrap();
    let found = of(grouped
        .step(&model, Some(&named[3..]), &parts[1], losses)
        .unwrap());
    for (a, b) in found.iter().zip(&expected) {
        assert!((a - b).abs() < 1e-4 * size);
    }
}
