//! What a task gives for the same random numbers.

use std::cell::Cell;
use std::thread;

use burn::module::{Module, Param};
use burn::nn::LinearConfig;
use burn::optim::SgdConfig;
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use gradual_grad::Metric;
use gradual_group::{Labels, Landmarks, OneGroup};
use gradual_loss::{Mean, SumOfSquares};
use gradual_train::{
    Capability, Drawn, Objective, Score, Task, TrainError, Trainer, TrainerConfig,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::common::{Model, Regression, weight};

/// Where the fresh weights come from.
#[derive(Clone, Copy, PartialEq)]
enum Weights {
    Given,
    Burn,
    Elsewhere,
}

/// What of an example does not come from the given random numbers.
#[derive(Clone, Copy, PartialEq)]
enum Odd {
    Nothing,
    Inputs,
    Label,
    Number,
    /// The loss, not the examples: what is told about it is a warning.
    Loss,
    /// The loss, which draws from the device as dropout does.
    Noise,
}

struct Odds {
    inner: Regression,
    weights: Weights,
    odd: Odd,
    calls: Cell<usize>,
    /// How often the losses came with a graph.
    graphs: Cell<usize>,
}

impl Odds {
    fn new(weights: Weights, odd: Odd) -> Self {
        Self {
            inner: Regression::new(),
            weights,
            odd,
            calls: Cell::new(0),
            graphs: Cell::new(0),
        }
    }

    fn call(&self) -> usize {
        self.calls.replace(self.calls.get() + 1)
    }
}

impl Task for Odds {
    type Model = Model;
    type Batch = <Regression as Task>::Batch;

    fn capabilities(&self) -> &[Capability] {
        self.inner.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Model {
        let mut model = self.inner.model(random, device);
        match self.weights {
            Weights::Given => {}
            Weights::Burn => model.layer = LinearConfig::new(3, 1).init(device),
            Weights::Elsewhere => {
                let call = self.call() as f32;
                let values = TensorData::new(vec![0.1, 0.2, 0.01 * call], [3, 1]);
                model.layer.weight = Param::from_data(values, device);
            }
        }
        model
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let n = match self.odd {
            Odd::Number => n - self.call() % 2,
            _ => n,
        };
        let mut drawn = self.inner.draw(n, random, device)?;
        match self.odd {
            Odd::Inputs => {
                let noise = Tensor::random([n, 3], Distribution::Normal(0.0, 1.0), device);
                drawn.batch.0 = drawn.batch.0 + noise;
            }
            Odd::Label => drawn.labels[2] = Some(self.call() % 2),
            Odd::Nothing | Odd::Number | Odd::Loss | Odd::Noise => {}
        }
        Ok(drawn)
    }

    fn losses(&self, model: &Model, batch: &Self::Batch) -> Tensor<1> {
        let losses = self.inner.losses(model, batch);
        let graphs = self.graphs.get() + usize::from(losses.is_tracked());
        self.graphs.set(graphs);
        match self.odd {
            Odd::Loss => losses * (1.0 + self.call() as f32),
            Odd::Noise => {
                let noise = Distribution::Uniform(0.5, 1.5);
                let noise = Tensor::<1>::random(losses.dims(), noise, &batch.0.device());
                losses * noise
            }
            _ => losses,
        }
    }

    fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.inner.evaluate(model, device)
    }
}

fn config(seed: u64) -> TrainerConfig {
    TrainerConfig {
        steps: 3,
        draw: 8,
        seed,
        ..TrainerConfig::default()
    }
}

fn trained(task: &Odds, objective: Objective, config: TrainerConfig) -> Result<Model, TrainError> {
    let sgd = SgdConfig::new().init();
    let trainer = Trainer::new(task, objective, sgd, &Device::flex(), config);
    Ok(trainer.with_rate(0.1).run()?.model)
}

fn erm() -> Objective {
    Objective::new(OneGroup, Mean)
}

fn labelled() -> Objective {
    Objective::new(Labels::new(2), SumOfSquares)
}

/// Under every objective, also one that takes no per-example gradients.
#[test]
fn what_does_not_repeat_is_refused_and_named() {
    let odd = |odd| Odds::new(Weights::Given, odd);
    for (task, expected) in [
        (
            Odds::new(Weights::Elsewhere, Odd::Nothing),
            "task: parameter layer.weight of a fresh model has other values",
        ),
        (
            odd(Odd::Inputs),
            "the second time: the loss of example 0 is ",
        ),
        (
            odd(Odd::Label),
            "the second time: example 2 has another label",
        ),
        (
            odd(Odd::Number),
            "the second time: there are 8 of them, and then 7",
        ),
    ] {
        for objective in [erm, labelled] {
            task.calls.set(0);
            let message = trained(&task, objective(), config(0)).unwrap_err();
            let message = message.to_string();
            assert!(message.contains(expected), "{message}");
        }
        let unverified = TrainerConfig {
            verify: false,
            ..config(0)
        };
        task.calls.set(0);
        assert!(trained(&task, erm(), unverified).is_ok(), "{expected}");
    }
}

/// A graph stays in memory until a backward pass, so checks that need none make none: the losses of a run without a gradient
/// for each example have one graph a step, and one more where the first step is checked against Burn's own gradients.
#[test]
fn checks_of_the_first_draw_leave_no_graph_behind() {
    let graphs = |verify: bool| {
        let task = Odds::new(Weights::Given, Odd::Nothing);
        let config = TrainerConfig {
            verify,
            ..config(0)
        };
        trained(&task, erm(), config).unwrap();
        task.graphs.get()
    };
    assert_eq!(graphs(false), 3);
    assert_eq!(graphs(true), 4);
}

/// A loss that is random itself is no fault of the draw.
#[test]
fn a_random_loss_is_not_taken_for_other_examples() {
    let task = Odds::new(Weights::Given, Odd::Loss);
    assert!(trained(&task, erm(), config(0)).is_ok());
}

/// Weights that Burn draws from the device are those of the seed, whatever other runs and the program draw.
#[test]
fn weights_of_burns_own_are_those_of_the_seed() {
    let run = |seed: u64| {
        let task = Odds::new(Weights::Burn, Odd::Nothing);
        let trained = trained(&task, labelled(), config(seed)).unwrap();
        weight(&trained.valid())
    };
    let alone: Vec<Vec<f32>> = (0..8).map(run).collect();
    assert_ne!(alone[0], alone[1]);
    Device::flex().seed(77);
    let together: Vec<Vec<f32>> = thread::scope(|scope| {
        let beside: Vec<_> = (0..8).map(|seed| scope.spawn(move || run(seed))).collect();
        let ended = beside.into_iter().map(|each| each.join().unwrap());
        ended.collect()
    });
    assert_eq!(alone, together);
}

/// A task may train one model to make another.
#[test]
fn a_model_may_be_the_end_of_a_run() {
    struct Taught(Regression);
    impl Task for Taught {
        type Model = Model;
        type Batch = <Regression as Task>::Batch;
        fn capabilities(&self) -> &[Capability] {
            self.0.capabilities()
        }
        fn model(&self, random: &mut ChaCha8Rng, _device: &Device) -> Model {
            let task = Odds::new(Weights::Burn, Odd::Nothing);
            trained(&task, labelled(), config(random.random())).unwrap()
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
            self.0.losses(model, batch)
        }
        fn evaluate(&self, model: &Model, device: &Device) -> Result<Vec<Score>, TrainError> {
            self.0.evaluate(model, device)
        }
    }
    let run = || {
        let task = Taught(Regression::new());
        let sgd = SgdConfig::new().init();
        let trainer = Trainer::new(&task, erm(), sgd, &Device::flex(), config(3));
        weight(&trainer.run().unwrap().model.valid())
    };
    assert_eq!(run(), run());
}

/// Runs whose losses draw from the device are the same beside others that do as each alone.
#[test]
fn runs_that_draw_from_the_device_take_turns() {
    let end = |seed: u64, objective: Objective| {
        let task = Odds::new(Weights::Given, Odd::Noise);
        let config = TrainerConfig {
            steps: 60,
            ..config(seed)
        };
        weight(&trained(&task, objective, config).unwrap())
    };
    // Standing examples are seen before the first draw shows that the loss draws.
    let landmarks = || {
        let landmarks = Landmarks::new(2, Metric::euclidean(), 0).with_examples(12);
        Objective::new(landmarks.unwrap(), SumOfSquares)
    };
    let standing = end(0, landmarks());
    Device::flex().seed(77);
    assert_eq!(end(0, landmarks()), standing);
    let end = move |seed: u64| end(seed, erm());
    let alone: Vec<_> = (0..4).map(end).collect();
    assert_ne!(alone[0], alone[1]);
    for _ in 0..3 {
        let running: Vec<_> = (0..4)
            .map(|seed| thread::spawn(move || end(seed)))
            .collect();
        let ends: Vec<_> = running.into_iter().map(|run| run.join().unwrap()).collect();
        assert_eq!(ends, alone);
    }
}
