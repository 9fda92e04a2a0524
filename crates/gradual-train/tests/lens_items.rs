//! A lens on finite data, whose examples are grouped once.

use std::collections::BTreeSet;

use burn::tensor::{Device, Int, Tensor, TensorData};
use gradual_group::Landmarks;
use gradual_loss::SumOfSquares;
use gradual_train::{
    Capability, Drawn, Epochs, Lens, NotFinite, Objective, Score, Snapshot, Task, TrainError,
    Trainer,
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::common::lenses::{self, DRAW, LOOK, SEED, STANDING, config, middle, near};
use crate::common::products::{Net, Products, stream, weights};
use crate::common::recorded::Recorded;

const STEPS: u64 = 40;
const AFTER: u64 = 12;
const ITEMS: usize = 150;

/// So many examples of products, drawn again and again; with or without saying which.
struct Finite {
    all: Products,
    inputs: Tensor<2>,
    targets: Tensor<1>,
    labels: Vec<Option<usize>>,
    tells: bool,
}

impl Finite {
    fn new(tells: bool) -> Self {
        let all = Products::new(0.0);
        let device = Device::flex();
        let drawn = all.draw(ITEMS, &mut stream(77, 0), &device).unwrap();
        let (inputs, targets) = drawn.batch;
        // No two examples are the same.
        let noise = (0..ITEMS).map(|at| (at as f32 * 0.37).sin() / 5.0);
        let noise = TensorData::new(noise.collect::<Vec<f32>>(), [ITEMS, 1]);
        Self {
            inputs: inputs + Tensor::from_data(noise, &device),
            targets,
            labels: drawn.labels,
            all,
            tells,
        }
    }
}

impl Task for Finite {
    type Model = Net;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        self.all.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> Net {
        self.all.model(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let items: Vec<usize> = (0..n).map(|_| random.random_range(0..ITEMS)).collect();
        let drawn = self.pick(&items, device)?;
        Ok(match self.tells {
            true => drawn.with_items(items),
            false => drawn,
        })
    }

    fn items(&self) -> Option<usize> {
        Some(ITEMS)
    }

    fn pick(&self, items: &[usize], device: &Device) -> Result<Drawn<Self::Batch>, TrainError> {
        let places: Vec<i64> = items.iter().map(|&item| item as i64).collect();
        let places = TensorData::new(places, [items.len()]);
        let places = Tensor::<1, Int>::from_data(places, device);
        let batch = (
            self.inputs.clone().select(0, places.clone()),
            self.targets.clone().select(0, places),
        );
        let labels = items.iter().map(|&item| self.labels[item]);
        Ok(Drawn::new(batch, labels.collect()))
    }

    fn losses(&self, model: &Net, batch: &Self::Batch) -> Tensor<1> {
        self.all.losses(model, batch)
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.all.evaluate(model, device)
    }
}

fn trainer(
    task: &Finite,
    parts: usize,
    not_finite: NotFinite,
    marks: Landmarks,
) -> Trainer<'_, Finite> {
    let objective = Objective::new(marks, SumOfSquares);
    lenses::trainer(task, objective, config(STEPS, parts, not_finite))
}

/// Different items in the draws of these steps, counted from 0.
fn different(steps: std::ops::Range<u64>) -> u64 {
    let mut draws = stream(SEED, 1);
    let mut seen = BTreeSet::new();
    for step in 0..steps.end {
        for _ in 0..DRAW {
            let item = draws.random_range(0..ITEMS);
            if steps.contains(&step) {
                seen.insert(item);
            }
        }
    }
    seen.len() as u64
}

/// Everything that a step, standing examples and a lens take gradients of, in the draws of a run with one snapshot.
const EACH_TIME: u64 = STEPS * DRAW as u64 + STANDING as u64 + (STEPS - AFTER) * DRAW as u64;

#[test]
fn an_example_of_finite_data_is_seen_once() {
    let lens = || Lens::after(AFTER).looking_at(&LOOK);
    let (tells, silent) = (Finite::new(true), Finite::new(false));
    let once = STEPS * DRAW as u64 + STANDING as u64 + different(AFTER..STEPS);
    assert!(once < EACH_TIME);
    for parts in [1, 3] {
        let run = |task, seen: &mut Recorded| {
            let trainer = trainer(task, parts, NotFinite::Stop, middle());
            let trainer = trainer.with_lens(lens()).observe(seen);
            trainer.run().unwrap().model
        };
        let (mut seen, mut unseen) = (Recorded::default(), Recorded::default());
        let (one, other) = (run(&tells, &mut seen), run(&silent, &mut unseen));
        near(&one, &other, &format!("{parts} parts"));
        assert_eq!(seen.assigned, unseen.assigned, "{parts} parts");
        assert_eq!(seen.identities, unseen.identities, "{parts} parts");
        assert_eq!((seen.gradients(), unseen.gradients()), (once, EACH_TIME));
        let last = seen.hard(STEPS as usize - 1);
        assert!(last.iter().flatten().collect::<BTreeSet<_>>().len() > 1);
    }
}

#[test]
fn what_was_seen_is_resumed() {
    let task = Finite::new(true);
    let lens = || Lens::after(AFTER).looking_at(&LOOK);
    let start = || trainer(&task, 1, NotFinite::Stop, middle()).with_lens(lens());
    let mut seen = Recorded::default();
    let ended = start().observe(&mut seen).run().unwrap();
    let some = |each: &&Snapshot| each.step % 3 == 1 && each.step < STEPS;
    for snapshot in seen.snapshots.iter().filter(some) {
        let mut rest = Recorded::default();
        let resumed = start().resume(Some(snapshot.clone())).observe(&mut rest);
        let resumed = resumed.run().unwrap();
        assert!(
            weights(&resumed.model) == weights(&ended.model),
            "{}",
            snapshot.step
        );
        assert_eq!(rest.gradients(), seen.gradients(), "{}", snapshot.step);
    }
}

/// A new snapshot sees all anew.
#[test]
fn a_renewed_lens_forgets_the_groups_of_the_old_one() {
    let lens = || {
        let lens = Lens::after(AFTER).looking_at(&LOOK);
        lens.renewed_every(10).unwrap()
    };
    let (tells, silent) = (Finite::new(true), Finite::new(false));
    let run = |task, seen: &mut Recorded| {
        let trainer = trainer(task, 1, NotFinite::Stop, middle());
        trainer.with_lens(lens()).observe(seen).run().unwrap().model
    };
    let (mut seen, mut unseen) = (Recorded::default(), Recorded::default());
    let (one, other) = (run(&tells, &mut seen), run(&silent, &mut unseen));
    near(&one, &other, "renewed");
    assert_eq!(seen.assigned, unseen.assigned);
    assert_eq!(seen.identities, unseen.identities);
    let periods = [12..22, 22..32, 32..40];
    let saved: u64 = periods
        .into_iter()
        .map(|steps| (steps.end - steps.start) * DRAW as u64 - different(steps))
        .sum();
    assert!(saved > 0);
    assert_eq!(seen.gradients() + saved, unseen.gradients());
}

/// Where groups may change, or examples may have no loss, every draw is seen.
#[test]
fn groups_that_may_change_are_found_each_time() {
    let task = Finite::new(true);
    let lens = || Lens::after(AFTER).looking_at(&LOOK);
    let leaving_out = NotFinite::LeaveOut;
    let stop = NotFinite::Stop;
    for (place, not_finite, marks) in [
        ("left out", leaving_out, middle()),
        (
            "split and merge",
            stop,
            middle().with_split_merge(Default::default()),
        ),
    ] {
        let mut seen = Recorded::default();
        let trainer = trainer(&task, 1, not_finite, marks);
        let trainer = trainer.with_lens(lens()).observe(&mut seen);
        trainer.run().unwrap();
        assert_eq!(seen.gradients(), EACH_TIME, "{place}");
    }
}

/// The sampler knows the items where the task does not tell them.
#[test]
fn epochs_tell_items() {
    let task = Finite::new(false);
    let mut seen = Recorded::default();
    let trainer = trainer(&task, 1, NotFinite::Stop, middle());
    let trainer = trainer
        .with_sampler(Epochs::new(1))
        .with_lens(Lens::after(AFTER).looking_at(&LOOK));
    trainer.observe(&mut seen).run().unwrap();
    // 28 draws of 24 are more than four epochs of 150.
    let expected = STEPS * DRAW as u64 + (STANDING + ITEMS) as u64;
    assert_eq!(seen.gradients(), expected);
}
