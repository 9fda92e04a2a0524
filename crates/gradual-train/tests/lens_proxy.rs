//! A lens that is a snapshot of a smaller model.

use std::cell::Cell;

use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use gradual_grad::trace;
use gradual_group::{Draw, GroupError, Grouping, Labels, OneGroup};
use gradual_loss::{Mean, SumOfSquares};
use gradual_train::{
    CONTINUE, End, Flow, Interrupt, Lens, LensSearch, NotFinite, Objective, Observer, SeenStep,
    Task, TrainError, Trainer, step,
};

use crate::common::lenses::{
    self, DRAW, LOOK, RATE, SEED, STANDING, config, landmarks, middle, near,
};
use crate::common::products::{KINDS, Net, Products, stream, weights};
use crate::common::recorded::Recorded;

const STEPS: u64 = 20;
const AFTER: u64 = 30;
const SMALL: usize = 8;

fn trainer<'a>(task: &'a Products, objective: Objective, steps: u64) -> Trainer<'a, Products> {
    lenses::trainer(task, objective, config(steps, 1, NotFinite::Stop))
}

/// A trainer of the small model: its own number of steps does not count.
fn small(task: &Products) -> Trainer<'_, Products> {
    trainer(task, Objective::new(OneGroup, Mean), 1_000_000)
}

fn large(task: &Products) -> Trainer<'_, Products> {
    trainer(task, Objective::new(middle(), SumOfSquares), STEPS)
}

#[test]
fn groups_are_those_of_a_small_model_that_is_kept_by_hand() {
    let device = Device::flex();
    let (task, proxy) = (Products::new(0.0), Products::new(0.0).with_hidden(SMALL));
    let mut seen = Recorded::default();
    let lens = Lens::after(AFTER).looking_at(&LOOK);
    let ended = large(&task)
        .with_lens(lens)
        .with_proxy(small(&proxy))
        .observe(&mut seen)
        .run()
        .unwrap();

    // The small model learns from the draws of its own run, and the groups are called for by hand.
    let frozen = trainer(&proxy, Objective::new(OneGroup, Mean), AFTER)
        .run()
        .unwrap()
        .model;
    let (mut draws, mut standing) = (stream(SEED, 1), stream(SEED, 3));
    let examples = task.draw(STANDING, &mut standing, &device).unwrap();
    let traced = trace(&frozen, |m| task.losses(m, &examples.batch)).unwrap();
    let mut marks = middle();
    marks.stand(&Draw::from(&traced)).unwrap();
    let mut model = task.model(&mut stream(SEED, 0), &device.clone().autodiff());
    let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
    let mut known = Objective::new(Labels::new(KINDS), SumOfSquares);
    let mut filled = 0;
    for step_number in 0..STEPS as usize {
        let drawn = task.draw(DRAW, &mut draws, &device).unwrap();
        let of = |m: &Net| task.losses(m, &drawn.batch);
        let traced = trace(&frozen, of).unwrap();
        let groups = marks.group(&Draw::from(&traced)).unwrap();
        let labels = groups.assignment().unwrap().to_vec();
        filled += groups.sizes().iter().filter(|&&size| size > 0.0).count();
        assert_eq!(labels, seen.hard(step_number));
        let stepped = step(&model, &mut known, Some(&labels), of).unwrap();
        model = optimizer.step(RATE, model, stepped.update);
    }
    assert!(filled as u64 > 2 * STEPS, "{filled}");
    near(&ended.model, &model, "by hand");
    // The small model's own examples are counted, and the gradients of both were checked.
    let (draw, standing) = (DRAW as u64, STANDING as u64);
    let gradients = STEPS * draw + AFTER * draw + standing + STEPS * draw;
    assert_eq!(seen.gradients(), gradients);
    assert_eq!(seen.verified, 2);
}

fn search() -> LensSearch {
    let by = |metric, groups| -> Result<Box<dyn Grouping>, GroupError> {
        Ok(Box::new(landmarks(metric, groups)))
    };
    let search = LensSearch::by(&["first.weight", "middle.*"], by);
    let search = search.with_steps(&[0, 10, AFTER]).unwrap();
    let search = search.with_groups(&[2, 3]).unwrap();
    search
        .with_examples(40)
        .unwrap()
        .with_stability(0.3)
        .unwrap()
}

#[test]
fn a_search_looks_at_the_small_model() {
    let (task, proxy) = (Products::new(0.0), Products::new(0.0).with_hidden(SMALL));
    let mut seen = Recorded::default();
    large(&task)
        .with_lens(Lens::searched(search()))
        .with_proxy(small(&proxy))
        .observe(&mut seen)
        .run()
        .unwrap();
    // Looks are those of a run of the small model under the mean loss, whose search never opens its lens.
    let mut alone = Recorded::default();
    let waits = search().with_steps(&[0, 10, AFTER, AFTER + 2]).unwrap();
    trainer(&proxy, Objective::new(middle(), Mean), AFTER + 1)
        .with_lens(Lens::searched(waits.waiting()))
        .observe(&mut alone)
        .run()
        .unwrap();
    assert_eq!(seen.looks.len(), 3);
    assert_eq!(seen.looks, alone.looks);
    assert!(seen.looks.iter().any(|record| record.taken));
    // The run groups from its first step on.
    let first = seen.hard(0);
    assert!(first.iter().flatten().any(|&group| group > 0), "{first:?}");
}

#[test]
fn a_run_resumes_with_the_small_model_of_its_lens() {
    let (task, proxy) = (Products::new(0.0), Products::new(0.0).with_hidden(SMALL));
    for lens in [
        (|| Lens::after(AFTER).looking_at(&LOOK)) as fn() -> Lens,
        || Lens::after(0).looking_at(&LOOK),
        || Lens::searched(search()),
    ] {
        let start = || large(&task).with_lens(lens()).with_proxy(small(&proxy));
        let mut seen = Recorded::default();
        let whole = start().observe(&mut seen).run().unwrap();
        for snapshot in &seen.snapshots {
            let mut rest = Recorded::default();
            let resumed = start().resume(Some(snapshot.clone()));
            let resumed = resumed.observe(&mut rest).run().unwrap();
            let at = snapshot.step;
            assert!(weights(&resumed.model) == weights(&whole.model), "{at}");
            // What was looked at before the run began is told once.
            let expected = if at == 0 { seen.looks.len() } else { 0 };
            assert_eq!(rest.looks.len(), expected, "{at}");
        }
    }
}

/// Raised by the small model's own observer, in the middle of its steps.
struct Stops<'a>(&'a Interrupt, Cell<u64>);

impl Observer for Stops<'_> {
    fn stepped(&mut self, _: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.1.set(self.1.get() + 1);
        if self.1.get() == 15 {
            self.0.ask();
        }
        Ok(CONTINUE)
    }
}

#[test]
fn an_interrupt_ends_the_run_before_it_begins() {
    let (task, proxy) = (Products::new(0.0), Products::new(0.0).with_hidden(SMALL));
    let start = || large(&task).with_lens(Lens::searched(search()));
    let whole = start().with_proxy(small(&proxy)).run().unwrap();
    let interrupt = Interrupt::default();
    let mut seen = Recorded::default();
    let stops = small(&proxy).observe(Stops(&interrupt, Cell::new(0)));
    let ended = start()
        .with_proxy(stops)
        .interrupted_by(&interrupt)
        .observe(&mut seen)
        .run()
        .unwrap();
    assert_eq!((ended.end, ended.step), (End::Interrupted, 0));
    assert!(seen.looks.is_empty() && seen.assigned.is_empty());
    // It begins anew, and comes to the same.
    let last = seen.snapshots.last().cloned();
    let mut rest = Recorded::default();
    let resumed = start().with_proxy(small(&proxy)).resume(last);
    let resumed = resumed.observe(&mut rest).run().unwrap();
    assert!(weights(&resumed.model) == weights(&whole.model));
    assert_eq!(rest.looks.len(), 3);
}

#[test]
fn a_proxy_that_can_not_be_is_refused_before_the_first_step() {
    let (task, proxy) = (Products::new(0.0), Products::new(0.0).with_hidden(SMALL));
    let lens = || Lens::after(AFTER).looking_at(&LOOK);
    let own = || small(&proxy).with_lens(lens());
    for (trainer, said) in [
        (large(&task).with_proxy(small(&proxy)), "there is no lens"),
        (
            large(&task)
                .with_lens(lens().renewed_every(5).unwrap())
                .with_proxy(small(&proxy)),
            "can't be renewed",
        ),
        (
            large(&task).with_lens(lens()).with_proxy(own()),
            "a lens of its own",
        ),
        (
            large(&task)
                .with_lens(Lens::after(AFTER).looking_at(&["no.such"]))
                .with_proxy(small(&proxy)),
            "no.such",
        ),
    ] {
        let mut seen = Recorded::default();
        let error = trainer.observe(&mut seen).run().map(drop).unwrap_err();
        assert!(error.to_string().contains(said), "{error}");
        assert!(seen.evaluations.is_empty(), "{said}");
    }
}
