//! Examples that are named in two ways: by a step, and by a task through a run that is resumed.

use std::cell::RefCell;

use burn::nn::LinearConfig;
use burn::optim::AdamConfig;
use burn::tensor::{Device, Tensor};
use gradual_group::Labels;
use gradual_loss::{Mean, Scale, SumOfSquares};
use gradual_train::{
    Capability, Drawn, GroupedStep, Interrupt, LabelSet, Objective, Observer, Score, Snapshot,
    Stepper, Task, TrainError, Trainer, TrainerConfig, step,
};
use rand_chacha::ChaCha8Rng;

use crate::common::{Model, Regression, weight};

/// The regression with a second name for each example: its place in the draw, by threes, or none.
struct Twice(Regression);

fn named_again<B>(drawn: Drawn<B>) -> Drawn<B> {
    let label = |at: usize| Some(at % 4).filter(|&label| label < 3);
    let labels = (0..drawn.labels.len()).map(label).collect();
    drawn.with_more_labels(vec![labels])
}

impl Task for Twice {
    type Model = Model;
    type Batch = <Regression as Task>::Batch;

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
        Ok(named_again(self.0.draw(n, random, device)?))
    }

    fn losses(&self, model: &Model, batch: &Self::Batch) -> Tensor<1> {
        self.0.losses(model, batch)
    }

    fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

/// Keeps the last snapshot.
#[derive(Default)]
struct Keeper(RefCell<Option<Snapshot>>);

impl Observer for &Keeper {
    fn name(&self) -> &'static str {
        "keeper"
    }

    fn checkpoint_every(&self) -> Option<u64> {
        Some(u64::MAX)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        self.0.replace(Some(snapshot.clone()));
        Ok(())
    }
}

fn objective() -> Objective {
    Objective::new(Labels::new(2).and(3), SumOfSquares)
}

/// The weights after each step, from a snapshot up to an interruption.
fn run(from: Option<Snapshot>, until: u64, parts: usize) -> (Vec<Vec<f32>>, Option<Snapshot>) {
    let (task, keeper) = (Twice(Regression::new()), Keeper::default());
    let interrupt = Interrupt::default();
    let (asking, seen) = (interrupt.clone(), RefCell::new(Vec::new()));
    let config = TrainerConfig {
        steps: 30,
        draw: 16,
        parts,
        every: 10,
        seed: 3,
        ..TrainerConfig::default()
    };
    let optimizer = AdamConfig::new().init();
    Trainer::new(&task, objective(), optimizer, &Device::flex(), config)
        .with_rate(0.05)
        .observe(&keeper)
        .watch(|step, model: &Model| {
            seen.borrow_mut().push(weight(model));
            if step == until {
                asking.ask();
            }
            Ok(())
        })
        .interrupted_by(&interrupt)
        .resume(from)
        .run()
        .unwrap();
    (seen.into_inner(), keeper.0.into_inner())
}

#[test]
fn a_run_under_two_labellings_is_resumed_bit_for_bit() {
    for parts in [1, 3] {
        let (whole, _) = run(None, u64::MAX, parts);
        assert_eq!(whole.len(), 31);
        let (first, snapshot) = run(None, 13, parts);
        let (rest, _) = run(snapshot, u64::MAX, parts);
        assert_eq!([&first[..], &rest[..]].concat(), whole, "in {parts} parts");
        assert_ne!(whole[0], whole[30]);
    }
}

/// The groups of both labellings pull: the coefficients are the sum of what each asks for alone.
#[test]
fn coefficients_are_those_of_both_labellings() {
    let device = Device::flex().autodiff();
    let model = Model {
        layer: LinearConfig::new(3, 1).init(&device),
    };
    model.layer.weight.val();
    let rows = [
        [1.0, 0.5, 0.0],
        [0.0, 1.0, 2.0],
        [1.0, 1.0, 1.0],
        [2.0, 0.0, 1.0],
    ];
    let inputs = Tensor::<2>::from_floats(rows, &device.clone().inner());
    let skills = [Some(0), Some(1), Some(1), None];
    let lengths = vec![vec![Some(2), None, Some(0), Some(0)]];
    let raw = |labels: Labels| Objective::new(labels, SumOfSquares).with_scale(Scale::Raw);
    let alone = |labels: &[Option<usize>], groups: usize| {
        let mut objective = raw(Labels::new(groups));
        let stepped = step(&model, &mut objective, Some(labels), |m| m.losses(&inputs));
        stepped.unwrap().coefficients
    };
    let expected: Vec<f32> = alone(&skills, 2)
        .iter()
        .zip(alone(&lengths[0], 3))
        .map(|(a, b)| a + b)
        .collect();
    let both = LabelSet::new(&skills).with_more(&lengths);
    let close = |found: &[f32], way: &str| {
        for (found, right) in found.iter().zip(&expected) {
            assert!(
                (found - right).abs() < 1e-5,
                "{way}: {found} against {right}"
            );
        }
    };
    let labels = || raw(Labels::new(2).and(3));
    let stepped = Stepper::default()
        .step(&model, &mut labels(), both, |m| m.losses(&inputs))
        .unwrap();
    assert_eq!(stepped.groups.num_groups(), 5);
    close(&stepped.coefficients, "a step");
    let parts = [
        inputs.clone().narrow(0, 0, 1),
        inputs.clone().narrow(0, 1, 3),
    ];
    let losses = |m: &Model, part: &Tensor<2>| m.losses(part);
    let stepped = Stepper::default()
        .step_in_parts(&model, &mut labels(), both, &parts, losses)
        .unwrap();
    close(&stepped.coefficients, "in parts");
    let grouped = GroupedStep::new(labels());
    let stepped = grouped
        .step_labelled(&model, both, &inputs, losses)
        .unwrap();
    close(&stepped.coefficients, "a grouped step");
}

#[test]
fn labellings_that_do_not_fit_are_named() {
    let message =
        |objective: Objective, task: &dyn Fn(Objective) -> TrainError| task(objective).to_string();
    let config = TrainerConfig {
        steps: 2,
        draw: 8,
        ..TrainerConfig::default()
    };
    let optimizer = || AdamConfig::new().init();
    let once = |objective: Objective| {
        let task = Regression::new();
        let run = Trainer::new(
            &task,
            objective,
            optimizer(),
            &Device::flex(),
            config.clone(),
        );
        run.run().map(drop).unwrap_err()
    };
    let said = message(objective(), &once);
    assert!(
        said.contains("expected the labels of 2 groupings, got those of 1"),
        "{said}"
    );
    assert!(said.contains("Drawn::with_more_labels"), "{said}");
    // One labelling of a task that has two is no matter.
    let task = Twice(Regression::new());
    let one = Objective::new(Labels::new(2), Mean);
    let run = Trainer::new(&task, one, optimizer(), &Device::flex(), config.clone());
    assert!(run.run().is_ok());
}
