//! Examples without a loss, on some of the ranks.

use std::sync::Mutex;

use burn::tensor::{Device, Tensor, TensorData};
use gradual_group::{KMeans, Labels, OneGroup};
use gradual_loss::{Mean, SumOfSquares};
use gradual_train::{
    Capability, Drawn, NotFinite, Objective, Ranks, Score, Task, TrainError, TrainerConfig,
};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;

use crate::close::{bits, near_to};
use crate::common::products::{Net, Products};
use crate::several::all_ranks;
use crate::trained::{Seen, Weights, config, run, trainer};

const STEPS: u64 = 30;

/// Products of which some have a target that is no number.
struct Spoilt {
    products: Products,
    share: f64,
}

impl Task for Spoilt {
    type Model = Net;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        self.products.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Net {
        self.products.model(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let mut drawn = self.products.draw(n, random, device)?;
        let spoilt = (0..n).map(|_| match random.random_bool(self.share) {
            true => f32::NAN,
            false => 0.0,
        });
        let spoilt = TensorData::new(spoilt.collect::<Vec<_>>(), [n]);
        drawn.batch.1 = drawn.batch.1 + Tensor::from_data(spoilt, device);
        Ok(drawn)
    }

    fn losses(&self, model: &Net, batch: &Self::Batch) -> Tensor<1> {
        self.products.losses(model, batch)
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.products.evaluate(model, device)
    }
}

type Named = (&'static str, fn() -> Objective);

fn objectives() -> [Named; 3] {
    [
        ("mean", || Objective::new(OneGroup, Mean)),
        ("squares", || Objective::new(Labels::new(3), SumOfSquares)),
        ("k-means", || {
            Objective::new(KMeans::new(3, 1), SumOfSquares)
        }),
    ]
}

/// Steps that were skipped, examples that were left out, and weights, alone and on every rank.
fn trained(
    size: Option<usize>,
    share: f64,
    not_finite: NotFinite,
    objective: fn() -> Objective,
) -> Vec<Result<(u64, u64, Weights), String>> {
    let train = |ranks: Option<&Ranks>| {
        let products = Products::new(0.0);
        let task = Spoilt { products, share };
        let config = TrainerConfig {
            not_finite,
            ..config(STEPS)
        };
        let seen = Mutex::new(Seen::default());
        let ran = run(trainer(&task, objective(), config), ranks, None, &seen);
        let ran = ran.map(|(ended, weights)| (ended.skipped, ended.left_out, weights));
        ran.map_err(|error| error.to_string())
    };
    match size {
        None => vec![train(None)],
        Some(size) => all_ranks(size, |rank| train(Some(&Ranks::new(rank)))),
    }
}

#[test]
fn all_ranks_know_of_a_loss_that_is_no_number() {
    for (name, objective) in objectives() {
        let alone = trained(None, 0.005, NotFinite::Stop, objective);
        let expected = alone[0].as_ref().unwrap_err();
        assert!(
            expected.contains("the loss of example") && expected.contains("is NaN"),
            "{expected}"
        );
        for size in [2, 4] {
            for one in trained(Some(size), 0.005, NotFinite::Stop, objective) {
                let message = one.unwrap_err();
                let known = |text: &str| {
                    text.split("; the last checkpoint")
                        .next()
                        .unwrap()
                        .to_owned()
                };
                assert_eq!(known(&message), known(expected), "{name}");
            }
        }
    }
}

#[test]
fn all_ranks_skip_the_same_steps() {
    let skip = NotFinite::Skip { in_a_row: 20 };
    for (name, objective) in objectives() {
        let alone = trained(None, 0.01, skip, objective).remove(0).unwrap();
        assert!(
            alone.0 > 0 && alone.0 < STEPS,
            "{name}: {} skipped",
            alone.0
        );
        compare(name, &alone, 0.01, skip, objective);
    }
}

#[test]
fn all_ranks_leave_out_the_same_examples() {
    for (name, objective) in objectives() {
        // So many that some ranks have no example with a loss in a step.
        for share in [0.05, 0.7] {
            let alone = trained(None, share, NotFinite::LeaveOut, objective)
                .remove(0)
                .unwrap();
            assert!(alone.1 > 0, "{name}");
            compare(name, &alone, share, NotFinite::LeaveOut, objective);
        }
    }
}

fn compare(
    name: &str,
    alone: &(u64, u64, Weights),
    share: f64,
    not_finite: NotFinite,
    objective: fn() -> Objective,
) {
    for size in [2, 4] {
        let each = trained(Some(size), share, not_finite, objective);
        let each: Vec<_> = each.into_iter().map(|one| one.unwrap()).collect();
        for one in &each {
            assert_eq!((one.0, one.1), (alone.0, alone.1), "{name}: {size} ranks");
            for (step, (a, b)) in one.2.iter().zip(&each[0].2).enumerate() {
                assert_eq!(bits(a), bits(b), "{name}: {size} ranks, step {step}");
            }
            for (step, (a, b)) in one.2.iter().zip(&alone.2).enumerate() {
                assert!(
                    near_to(1e-5, a, b),
                    "{name}: {size} ranks, step {step}, share {share}"
                );
            }
        }
    }
}
