//! Models as Burn makes them, with parameters that nobody has looked at yet, and models that are frozen.

use burn::module::Module;
use burn::nn::LinearConfig;
use burn::optim::{ModuleOptimizer, SgdConfig};
use burn::tensor::{Device, Tensor};
use gradual_grad::Metric;
use gradual_group::{Labels, Landmarks, OneGroup, SingularVectors};
use gradual_loss::{Mean, SumOfSquares};
use gradual_train::{
    Capability, Drawn, GroupedStep, Objective, Score, Stepped, Task, TrainError, Trainer,
    TrainerConfig, stand, step, step_in_parts,
};
use rand_chacha::ChaCha8Rng;

use crate::common::{Model, Regression, weight};

fn lazy() -> Model {
    let device = Device::flex().autodiff();
    let layer = LinearConfig::new(3, 1).init(&device);
    assert!(!layer.weight.is_initialized());
    Model { layer }
}

fn inputs() -> Tensor<2> {
    let rows = [
        [1.0, 0.0, 1.0],
        [1.0, 1.0, 0.0],
        [0.5, 0.2, 0.1],
        [0.0, 1.0, 1.0],
    ];
    Tensor::from_floats(rows, &Device::flex())
}

fn erm() -> Objective {
    Objective::new(OneGroup, Mean)
}

fn labelled() -> Objective {
    Objective::new(Labels::new(2), SumOfSquares)
}

fn svd() -> Objective {
    Objective::new(SingularVectors::default(), SumOfSquares)
}

const LABELS: [Option<usize>; 4] = [Some(0), Some(0), Some(1), Some(1)];

/// Whatever is done first with a model, its weights stay trainable, and it learns.
#[test]
fn a_fresh_model_learns_whatever_is_done_first() {
    type First = fn(&Model) -> Result<(), TrainError>;
    let halves = || vec![inputs().narrow(0, 0, 2), inputs().narrow(0, 2, 2)];
    fn whole(model: &Model, mut objective: Objective) -> Result<(), TrainError> {
        step(model, &mut objective, Some(&LABELS), |m| {
            m.losses(&inputs())
        })
        .map(drop)
    }
    fn parts(model: &Model, mut objective: Objective) -> Result<(), TrainError> {
        let parts = [inputs().narrow(0, 0, 2), inputs().narrow(0, 2, 2)];
        let losses = |m: &Model, part: &Tensor<2>| m.losses(part);
        step_in_parts(model, &mut objective, Some(&LABELS), &parts, losses).map(drop)
    }
    fn grouped(model: &Model, objective: Objective) -> Result<(), TrainError> {
        let grouped = GroupedStep::new(objective);
        grouped
            .step(model, Some(&LABELS), &inputs(), |m, x| m.losses(x))
            .map(drop)
    }
    let firsts: [(&str, First); 10] = [
        ("step, erm", |m| whole(m, erm())),
        ("step, labels", |m| whole(m, labelled())),
        ("step, svd", |m| whole(m, svd())),
        ("parts, erm", |m| parts(m, erm())),
        ("parts, labels", |m| parts(m, labelled())),
        ("parts, svd", |m| parts(m, svd())),
        ("grouped step, labels", |m| grouped(m, labelled())),
        ("grouped step, svd", |m| grouped(m, svd())),
        ("stand", |m| {
            let landmarks = Landmarks::new(2, Metric::euclidean(), 7)
                .with_examples(4)
                .unwrap();
            let mut objective = Objective::new(landmarks, SumOfSquares);
            stand(m, &mut objective, |m| m.losses(&inputs()))
        }),
        ("valid", |m| {
            m.valid();
            Ok(())
        }),
    ];
    for (name, first) in firsts {
        let mut model = lazy();
        first(&model).unwrap_or_else(|error| panic!("{name}: {error}"));
        for param in [
            model.layer.weight.is_require_grad(),
            model.layer.bias.as_ref().unwrap().is_require_grad(),
        ] {
            assert!(param, "{name}");
        }
        let loss = |m: &Model| m.losses(&inputs()).sum().into_scalar::<f32>();
        let before = loss(&model);
        let mut optimizer: ModuleOptimizer = SgdConfig::new().init();
        for _ in 0..200 {
            let stepped =
                step_in_parts(&model, &mut labelled(), Some(&LABELS), &halves(), |m, x| {
                    m.losses(x)
                });
            model = optimizer.step(0.2, model, stepped.unwrap().update);
        }
        assert!(
            loss(&model) < 0.1 * before,
            "{name}: {} of {before}",
            loss(&model)
        );
    }
}

/// The regression with a model that Burn draws itself.
struct Lazy(Regression);

impl Task for Lazy {
    type Model = Model;
    type Batch = <Regression as Task>::Batch;

    fn capabilities(&self) -> &[Capability] {
        self.0.capabilities()
    }

    fn model(&self, _random: &mut ChaCha8Rng, device: &Device) -> Model {
        Model {
            layer: LinearConfig::new(3, 1).init(device),
        }
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

#[test]
fn a_run_of_a_lazy_model_learns() {
    for parts in [1, 4] {
        for objective in [erm(), labelled(), svd()] {
            let config = TrainerConfig {
                steps: 200,
                draw: 16,
                parts,
                ..TrainerConfig::default()
            };
            let sgd = SgdConfig::new().init();
            let task = Lazy(Regression::new());
            let trainer = Trainer::new(&task, objective, sgd, &Device::flex(), config);
            let ended = trainer.with_rate(0.1).run().unwrap();
            let scores = task
                .evaluate(&ended.model.valid(), &Device::flex())
                .unwrap();
            assert!(scores[0].accuracy > 0.9, "{parts} parts: {scores:?}");
        }
    }
}

/// A model with nothing to train is named, whether or not its losses have a graph.
#[test]
fn a_frozen_model_is_an_error_that_names_it() {
    let message = |stepped: Result<Stepped, TrainError>| stepped.map(drop).unwrap_err().to_string();
    let expected = "step: nothing is trained: all parameters of the model are frozen (layer.weight, layer.bias); unfreeze \
                    what should learn (`unfreeze`, `set_require_grad`)";
    let on_a_graph = || inputs().autodiff().require_grad();
    let halves = [on_a_graph().narrow(0, 0, 2), on_a_graph().narrow(0, 2, 2)];
    for frozen in [lazy().no_grad(), lazy().freeze(), {
        let model = lazy();
        weight(&model);
        model.no_grad()
    }] {
        for mut objective in [erm(), labelled(), svd()] {
            for inputs in [inputs(), on_a_graph()] {
                let losses = |m: &Model| m.losses(&inputs);
                let stepped = step(&frozen, &mut objective, Some(&LABELS), losses);
                assert_eq!(message(stepped), expected);
            }
            let losses = |m: &Model, part: &Tensor<2>| m.losses(part);
            let stepped = step_in_parts(&frozen, &mut objective, Some(&LABELS), &halves, losses);
            assert_eq!(message(stepped), expected);
            let grouped = GroupedStep::new(objective);
            assert_eq!(
                message(grouped.step(&frozen, Some(&LABELS), &inputs(), losses)),
                expected
            );
        }
    }
    // Half of a model may well be frozen.
    let mut half = lazy();
    half.layer.weight = half.layer.weight.set_require_grad(false);
    let stepped = step(&half, &mut erm(), None, |m| m.losses(&inputs())).unwrap();
    assert_eq!(stepped.update.len(), 1);
    // Losses that have a graph, but not of the model.
    let stepped = step(&lazy(), &mut erm(), None, |_| {
        on_a_graph().sum_dim(1).squeeze_dim(1)
    });
    assert!(message(stepped).contains("do not depend on any trainable parameter"));
}
