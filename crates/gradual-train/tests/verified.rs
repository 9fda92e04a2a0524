//! The first step of a run, and of one that goes on, is preceded by a check of its gradients.

mod common;

use std::cell::RefCell;

use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};
use gradual_grad::{GradError, Verified};
use gradual_group::{KMeans, Labels};
use gradual_loss::SumOfSquares;
use gradual_train::{
    Capability, Drawn, Objective, Observer, Score, Snapshot, Task, TrainError, Trainer,
    TrainerConfig,
};
use rand_chacha::ChaCha8Rng;

use common::{Model, Regression, weight};

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

    fn draw(&self, n: usize, random: &mut ChaCha8Rng, device: &Device) -> Drawn<Self::Batch> {
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
