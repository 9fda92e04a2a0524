//! Ranks that were started unalike, and what can't be done over several: refused on all, with the reason.

use std::sync::Mutex;

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use gradual_grad::{Metric, Tap as _};
use gradual_group::{InMetric, KMeans, Labels, Landmarks, OneGroup, SingularVectors};
use gradual_loss::{Mean, Scale, SumOfSquares};
use gradual_train::{
    Capability, Drawn, Gathering, LabelSet, Lens, Objective, Ranks, Score, Stepper, Task,
    ThreadRank, TrainError, TrainerConfig,
};
use rand_chacha::ChaCha8Rng;

use crate::common::products::{Net, Products};
use crate::several::all_ranks;
use crate::trained::{Seen, config, run, trainer};

const SKETCH: Gathering = Gathering::Sketch { dim: 16, seed: 0 };

fn mean() -> Objective {
    Objective::new(OneGroup, Mean)
}

fn means() -> Objective {
    Objective::new(KMeans::new(3, 1), SumOfSquares)
}

/// The errors of three ranks.
fn errors(train: impl Fn(ThreadRank) -> Result<(), TrainError> + Sync) -> Vec<String> {
    all_ranks(3, |rank| train(rank).unwrap_err().to_string())
}

fn train<T: Task<Model = Net>>(
    ranks: &Ranks,
    task: &T,
    objective: Objective,
    config: TrainerConfig,
) -> Result<(), TrainError> {
    let seen = Mutex::new(Seen::default());
    let ran = run(trainer(task, objective, config), Some(ranks), None, &seen).map(drop);
    // Refused before anything is trained or evaluated.
    assert!(ran.is_ok() || seen.lock().unwrap().evaluations.is_empty());
    ran
}

fn all_contain(errors: &[String], parts: &[&str]) {
    for error in errors {
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn other_settings() {
    type Change = fn(&mut TrainerConfig);
    let changes: [(&str, Change); 4] = [
        ("seed is 9 on rank 2 and 3 on rank 0", |config| {
            config.seed = 9
        }),
        ("steps is 21 on rank 2 and 20 on rank 0", |config| {
            config.steps = 21
        }),
        ("draw is 40 on rank 2 and 32 on rank 0", |config| {
            config.draw = 40
        }),
        ("parts is 8 on rank 2 and 4 on rank 0", |config| {
            config.parts = 8
        }),
    ];
    for (expected, change) in changes {
        let found = errors(|rank| {
            let mut config = config(20);
            let ranks = Ranks::new(rank);
            if ranks.rank() == 2 {
                change(&mut config);
            }
            train(&ranks, &Products::new(0.0), mean(), config)
        });
        all_contain(&found, &[expected, "start all ranks alike"]);
    }
}

#[test]
fn other_entries_objectives_and_gatherings() {
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        let sum = if ranks.rank() == 2 { "ab12" } else { "cd34" };
        let ranks = ranks.expecting("the configuration", "{}");
        let ranks = ranks.expecting("the checksum of the data", sum);
        train(&ranks, &Products::new(0.0), mean(), config(20))
    });
    all_contain(
        &found,
        &["the checksum of the data is ab12 on rank 2 and cd34 on rank 0"],
    );
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        let other = ranks.rank() == 2;
        let ranks = if other {
            ranks.with_gathering(SKETCH)
        } else {
            ranks
        };
        train(&ranks, &Products::new(0.0), means(), config(20))
    });
    all_contain(
        &found,
        &["gathering is Sketch", "on rank 2 and Factors on rank 0"],
    );
    let objectives: [fn() -> Objective; 4] = [
        means,
        || Objective::new(Labels::new(3), Mean),
        || Objective::new(OneGroup, SumOfSquares),
        || mean().with_scale(Scale::Raw),
    ];
    for objective in objectives {
        let found = errors(|rank| {
            let ranks = Ranks::new(rank);
            let own = if ranks.rank() == 2 {
                objective()
            } else {
                mean()
            };
            train(&ranks, &Products::new(0.0), own, config(20))
        });
        all_contain(&found, &["on rank 2 and", "start all ranks alike"]);
    }
}

#[test]
fn other_weights() {
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        let hidden = if ranks.rank() == 2 { 8 } else { 16 };
        train(
            &ranks,
            &Products::new(0.0).with_hidden(hidden),
            mean(),
            config(20),
        )
    });
    all_contain(&found, &["the fresh weights of first.weight", "on rank 2"]);
}

/// What differs from one rank to another.
#[derive(Clone, Copy, PartialEq)]
enum Other {
    Targets,
    Labels,
    Nothing,
    Noise,
}

struct Altered(Products, Other);

impl Task for Altered {
    type Model = Net;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        self.0.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Net {
        self.0.model(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let mut drawn = self.0.draw(n, random, device)?;
        match self.1 {
            Other::Targets => drawn.batch.1 = drawn.batch.1.neg(),
            Other::Labels => drawn.labels.iter_mut().for_each(|label| *label = Some(0)),
            Other::Nothing | Other::Noise => {}
        }
        Ok(drawn)
    }

    fn losses(&self, model: &Net, batch: &Self::Batch) -> Tensor<1> {
        let losses = self.0.losses(model, batch);
        match self.1 {
            Other::Noise => losses.clone() + losses.random_like(Distribution::Uniform(0.0, 1.0)),
            _ => losses,
        }
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

#[test]
fn other_data() {
    for (other, expected) in [
        (Other::Targets, "first examples (their data)"),
        (
            Other::Labels,
            "the digest of the labels of the first examples",
        ),
    ] {
        let found = errors(|rank| {
            let ranks = Ranks::new(rank);
            let other = if ranks.rank() == 2 {
                other
            } else {
                Other::Nothing
            };
            train(
                &ranks,
                &Altered(Products::new(0.0), other),
                mean(),
                config(20),
            )
        });
        all_contain(&found, &[expected, "on rank 2"]);
    }
}

/// An optimizer has no settings that could be compared, but weights are.
#[test]
fn another_learning_rate() {
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        let rate = if ranks.rank() == 2 { 0.02 } else { 0.03 };
        let task = Products::new(0.0);
        let trainer = trainer(&task, mean(), config(20)).with_rate(rate);
        trainer.with_ranks(&ranks).run().map(drop)
    });
    all_contain(&found, &["rank 2"]);
}

#[test]
fn more_ranks_than_examples_or_parts() {
    for (draw, parts, expected) in [
        (2, 3, "the number of examples of a draw is 2"),
        (32, 2, "the number of parts of a draw is 2"),
    ] {
        let found = errors(|rank| {
            let config = TrainerConfig {
                draw,
                parts,
                ..config(20)
            };
            train(&Ranks::new(rank), &Products::new(0.0), mean(), config)
        });
        all_contain(&found, &["there are 3 of them", expected]);
    }
}

#[test]
fn what_can_not_be_over_ranks() {
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        train(&ranks, &Products::new(0.5), mean(), config(20))
    });
    all_contain(&found, &["as dropout does"]);
    for verify in [true, false] {
        let found = errors(|rank| {
            let config = TrainerConfig {
                verify,
                ..config(20)
            };
            let task = Altered(Products::new(0.0), Other::Noise);
            let trainer = trainer(&task, mean(), config);
            trainer.with_ranks(&Ranks::new(rank)).run().map(drop)
        });
        all_contain(&found, &["the losses draw random numbers"]);
    }
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        let task = Products::new(0.0);
        let landmarks = Landmarks::new(3, Metric::euclidean(), 1);
        let objective = Objective::new(landmarks, SumOfSquares);
        let trainer = trainer(&task, objective, config(20)).with_lens(Lens::after(5));
        trainer.with_ranks(&ranks).run().map(drop)
    });
    all_contain(&found, &["a lens"]);
}

#[test]
fn sketches_for_what_looks_at_more() {
    type Named = (&'static str, fn() -> Objective);
    let objectives: [Named; 4] = [
        ("the grouping looks at the layers", || {
            let metric = Metric::whitened();
            Objective::new(InMetric::new(metric, KMeans::new(3, 1)), SumOfSquares)
        }),
        ("the grouping looks at the layers", || {
            Objective::new(Landmarks::new(3, Metric::whitened(), 1), SumOfSquares)
        }),
        ("a sketch of its own", || {
            let singular = SingularVectors::squared().with_sketch(8, 1).unwrap();
            Objective::new(singular, SumOfSquares)
        }),
        ("needs exact inner products", || {
            Objective::new(Labels::new(3), SumOfSquares).with_scale(Scale::MatchNorm)
        }),
    ];
    for (expected, objective) in objectives {
        let found = errors(|rank| {
            let ranks = Ranks::new(rank).with_gathering(SKETCH);
            train(&ranks, &Products::new(0.0), objective(), config(20))
        });
        all_contain(&found, &[expected, "gather factors instead"]);
    }
}

#[derive(Module, Debug)]
struct Normed {
    layer: Linear,
    norm: BatchNorm,
}

impl Normed {
    fn losses(&self, inputs: &Tensor<2>) -> Tensor<1> {
        let outputs = self.norm.forward(self.layer.tap(inputs.clone()));
        outputs.powi_scalar(2).mean_dim(1).squeeze_dim(1)
    }
}

#[test]
fn running_statistics_and_other_labels_in_a_loop_of_ones_own() {
    let device = Device::flex().autodiff();
    let inputs = || Tensor::<2>::from_floats([[1.0, 2.0], [0.5, -1.0], [3.0, 0.0]], &device);
    let layer = || LinearConfig::new(2, 2).init(&device);
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        let normed = Normed {
            layer: layer(),
            norm: BatchNormConfig::new(2).init(&device),
        };
        let normed = ranks.start(normed)?;
        let labels = LabelSet::default();
        let losses = |m: &Normed, x: &Tensor<2>| m.losses(x);
        let own = [inputs()];
        let stepped = ranks.step(
            Stepper::default(),
            &normed,
            &mut mean(),
            labels,
            &own,
            losses,
        );
        stepped.map(drop)
    });
    all_contain(&found, &["running statistics (norm."]);
    let found = errors(|rank| {
        let ranks = Ranks::new(rank);
        let layer = ranks.start(layer())?;
        let mut labels = vec![Some(0); 9];
        labels[4] = (ranks.rank() == 2).then_some(0);
        let labels = LabelSet::new(&labels);
        let losses = |m: &Linear, x: &Tensor<2>| m.tap(x.clone()).sum_dim(1).squeeze_dim(1);
        let mut objective = Objective::new(Labels::new(1), Mean);
        let own = [inputs()];
        let stepped = ranks.step(
            Stepper::default(),
            &layer,
            &mut objective,
            labels,
            &own,
            losses,
        );
        stepped.map(drop)
    });
    all_contain(
        &found,
        &["the digest of the labels and items of a draw", "on rank 2"],
    );
}
