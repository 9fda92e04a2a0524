//! A frozen snapshot whose gradients decide the groups.

mod common;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::{Metric, trace};
use gradual_group::{
    Average, Draw, GroupError, Grouping, Groups, KMeans, Labels, Landmarks, Mistakes, Needs,
    OneGroup, Priors,
};
use gradual_loss::{Mean, SumOfSquares};
use gradual_runs::{Evaluation, Record, RunConfig, SCHEMA};
use gradual_train::{
    CONTINUE, Capability, Drawn, End, Flow, Interrupt, Keep, Lens, LensSearch, NotFinite,
    Objective, Observer, Phase, RunFolder, Score, SeenStep, Task, TrainError, Trainer, step,
};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::common::folder::{forge, tree};
use crate::common::lenses::{self, DRAW, LOOK, RATE, SEED, STANDING, config, middle};
use crate::common::products::{KINDS, Net, Products, stream, weights};
use crate::common::recorded::Recorded;

const STEPS: u64 = 40;
const AFTER: u64 = 12;
/// Dropout draws its masks from the device, which all tests share and every run seeds: one with dropout runs alone.
static DEVICE: RwLock<()> = RwLock::new(());

fn landmarks() -> Landmarks {
    middle().with_every(7).unwrap()
}

fn trainer<'a>(task: &'a Products, parts: usize) -> Trainer<'a, Products> {
    let objective = Objective::new(landmarks(), SumOfSquares);
    lenses::trainer(task, objective, config(STEPS, parts, NotFinite::Stop))
}

/// Groups that were found elsewhere.
#[derive(Clone, Default)]
struct Given(Arc<Mutex<Option<Groups>>>);

impl Grouping for Given {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn group(&mut self, _: &Draw<'_>) -> Result<Groups, GroupError> {
        Ok(self.0.lock().unwrap().clone().unwrap())
    }
}

/// The twin: a clone of the model is kept, traced as a whole, and the landmarks are called by hand.
fn by_hand(task: &Products) -> Net {
    let device = Device::flex();
    let (mut draws, mut standing) = (stream(SEED, 1), stream(SEED, 3));
    let mut model = task.model(&mut stream(SEED, 0), &device.clone().autodiff());
    let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
    let mut plain = Objective::new(OneGroup, SumOfSquares);
    let given = Given::default();
    let mut found = Objective::new(given.clone(), SumOfSquares);
    let mut known = Objective::new(Labels::new(KINDS), SumOfSquares);
    let mut marks = landmarks().with_every(usize::MAX).unwrap();
    let (mut lens, mut filled) = (None, 0);
    for done in 0..STEPS {
        if done == AFTER {
            let frozen = model.clone();
            let examples = task.draw(STANDING, &mut standing, &device).unwrap();
            let traced = trace(&frozen, |m| task.losses(m, &examples.batch)).unwrap();
            marks.stand(&Draw::from(&traced)).unwrap();
            lens = Some(frozen);
        }
        let drawn = task.draw(DRAW, &mut draws, &device).unwrap();
        let of = |m: &Net| task.losses(m, &drawn.batch);
        let stepped = match &lens {
            None => step(&model, &mut plain, None, of).unwrap(),
            Some(frozen) => {
                let traced = trace(frozen, of).unwrap();
                let groups = marks.group(&Draw::from(&traced)).unwrap();
                let labels = groups.assignment().unwrap().to_vec();
                filled += groups.sizes().iter().filter(|&&size| size > 0.0).count();
                let stepped = step(&model, &mut known, Some(&labels), of).unwrap();
                *given.0.lock().unwrap() = Some(groups);
                let exact = step(&model, &mut found, None, of).unwrap();
                // Landmarks divide by the sizes of groups on the device, labels on the host.
                let pairs = stepped.coefficients.iter().zip(&exact.coefficients);
                assert!(pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-6);
                exact
            }
        };
        model = optimizer.step(RATE, model, stepped.update);
    }
    // The landmarks tell groups apart.
    assert!(filled as u64 > 2 * (STEPS - AFTER), "{filled}");
    model
}

#[test]
fn a_lens_equals_a_clone_that_is_kept_by_hand() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.0);
    let expected = by_hand(&task);
    let whole = trainer(&task, 1).with_lens(Lens::after(AFTER));
    assert_eq!(weights(&whole.run().unwrap().model), weights(&expected));
    // Gradients of the layer that is looked at alone.
    let lens = Lens::after(AFTER).looking_at(&LOOK);
    let restricted = trainer(&task, 1).with_lens(lens.clone()).run().unwrap();
    assert!(weights(&restricted.model) == weights(&expected));
    // Parts round otherwise.
    let parts = trainer(&task, 3).with_lens(lens).run().unwrap();
    let pairs = weights(&parts.model).into_iter().zip(weights(&expected));
    let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most < 2e-2, "{most}");
    // And groups make a difference.
    let none = trainer(&task, 1)
        .with_lens(Lens::after(STEPS))
        .run()
        .unwrap();
    assert_ne!(weights(&none.model), weights(&expected));
}

/// Dropout of the snapshot is off, and its passes leave the random numbers of the model's where they were.
#[test]
fn dropout_is_that_of_the_model_alone() {
    let _device = DEVICE.write().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.3);
    let lens = || Lens::after(STEPS - 1).looking_at(&LOOK);
    let mut seen = Recorded::default();
    let one = trainer(&task, 1)
        .with_lens(lens())
        .observe(&mut seen)
        .run()
        .unwrap();
    let again = trainer(&task, 1).with_lens(lens()).run().unwrap();
    assert_eq!(weights(&one.model), weights(&again.model));
    let mut without = Recorded::default();
    let never = trainer(&task, 1).with_lens(Lens::after(STEPS));
    never.observe(&mut without).run().unwrap();
    // The loss of the last step, under the same masks, is the same; only its groups differ.
    assert_eq!(seen.losses, without.losses);
}

/// Looks for a lens that is not opened draw from the device, too, and make a fresh model.
#[test]
fn looks_leave_dropout_alone() {
    let _device = DEVICE.write().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.3);
    let by = |metric, groups| -> Result<Box<dyn Grouping>, GroupError> {
        Ok(Box::new(lenses::landmarks(metric, groups)))
    };
    let search = LensSearch::by(&LOOK, by)
        .with_steps(&[0, 5, STEPS + 1])
        .and_then(|search| search.with_groups(&[2, 3]))
        .and_then(|search| search.with_metrics(vec![(String::from("plain"), Metric::euclidean())]))
        .and_then(|search| search.with_examples(40))
        .unwrap();
    let mut seen = Recorded::default();
    let searched = trainer(&task, 1).with_lens(Lens::searched(search.waiting()));
    searched.observe(&mut seen).run().unwrap();
    assert_eq!(seen.looks.len(), 2);
    let mut without = Recorded::default();
    let never = trainer(&task, 1).with_lens(Lens::after(STEPS));
    never.observe(&mut without).run().unwrap();
    assert_eq!(seen.losses, without.losses);
}

#[test]
fn groups_come_with_the_lens_and_its_gradients_are_counted() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.0);
    let mut seen = Recorded::default();
    let lens = Lens::after(AFTER).looking_at(&LOOK);
    trainer(&task, 1)
        .with_lens(lens)
        .observe(&mut seen)
        .run()
        .unwrap();
    let (before, after) = seen.groups.split_at(AFTER as usize);
    assert!(before.iter().all(|&groups| groups == 1));
    assert!(after.iter().all(|&groups| groups == KINDS));
    // Of the step before it, of the model's layers once more, and of the lens.
    assert_eq!(seen.verified, 3);
    let counts = seen.evaluations.iter().map(|each| {
        (
            each.step,
            each.examples,
            each.standing_examples,
            each.gradient_evaluations,
        )
    });
    let (draw, standing) = (DRAW as u64, STANDING as u64);
    let expected = seen.evaluations.iter().map(|each| {
        let step = each.step;
        let under = step.saturating_sub(AFTER);
        let opened = under > 0;
        let gradients = step * draw + under * draw + standing;
        (
            step,
            step * draw,
            opened.then_some(standing),
            opened.then_some(gradients),
        )
    });
    assert_eq!(counts.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn a_lens_is_renewed_and_its_groups_keep_their_identities() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.0);
    let run = || {
        let mut seen = Recorded::default();
        let lens = Lens::after(4).looking_at(&LOOK).renewed_every(9).unwrap();
        let ended = trainer(&task, 1)
            .with_lens(lens)
            .observe(&mut seen)
            .run()
            .unwrap();
        (weights(&ended.model), seen)
    };
    let (one, seen) = run();
    let (other, again) = run();
    assert_eq!(one, other);
    assert_eq!(seen.identities, again.identities);
    // Taken after 4 steps, then after 13, 22, 31 and 40.
    assert_eq!(seen.churned, 40 - 13);
    let last = seen.evaluations.last().unwrap();
    let standing = STANDING as u64;
    assert_eq!(last.standing_examples, Some(4 * standing));
    let matched = 3 * 2 * standing;
    let gradients = (40 + 36) * DRAW as u64 + 4 * standing + matched;
    assert_eq!(last.gradient_evaluations, Some(gradients));
    for identities in &seen.identities[4..] {
        assert_eq!(identities.len(), KINDS);
        let mut sorted = identities.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), KINDS, "{identities:?}");
    }
    let unlike = trainer(&task, 1).with_lens(Lens::after(4).looking_at(&LOOK));
    assert_ne!(weights(&unlike.run().unwrap().model), one);
    assert!(matches!(
        Lens::after(1).renewed_every(0),
        Err(TrainError::Setting { .. })
    ));
}

/// Every snapshot of a run, the ones before, at and after the lens, goes on to the same bits.
#[test]
fn a_run_resumes_from_any_step() {
    let _device = DEVICE.write().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.2);
    let lens = || {
        Lens::after(AFTER)
            .looking_at(&LOOK)
            .renewed_every(11)
            .unwrap()
    };
    let mut seen = Recorded::default();
    let whole = trainer(&task, 1)
        .with_lens(lens())
        .observe(&mut seen)
        .run()
        .unwrap();
    for snapshot in seen.snapshots.iter().step_by(3) {
        let mut rest = Recorded::default();
        let at = snapshot.step as usize;
        let resumed = trainer(&task, 1)
            .with_lens(lens())
            .resume(Some(snapshot.clone()));
        let ended = resumed.observe(&mut rest).run().unwrap();
        assert_eq!(weights(&ended.model), weights(&whole.model), "{at}");
        assert_eq!(rest.losses, seen.losses[at..], "{at}");
        assert_eq!(rest.identities, seen.identities[at..], "{at}");
        let (last, expected) = (rest.evaluations.last(), seen.evaluations.last());
        if at < STEPS as usize {
            assert_eq!(last, expected, "{at}");
        }
    }
    // Those of a run with a lens belong to none without.
    let with = seen
        .snapshots
        .iter()
        .find(|each| each.step == AFTER + 1)
        .unwrap();
    let mut other = Recorded::default();
    let refused = trainer(&task, 1)
        .resume(Some(with.clone()))
        .observe(&mut other)
        .run();
    let refused = refused.map(drop).unwrap_err().to_string();
    assert!(
        refused.contains("of a run with a lens, and this one has none"),
        "{refused}"
    );
}

fn run_config() -> RunConfig {
    RunConfig {
        schema: SCHEMA,
        experiment: "products".into(),
        arm: "lens".into(),
        seed: SEED,
        steps: STEPS,
        draw: DRAW as u64,
        backend: "flex".into(),
        task: json!({"kinds": KINDS}),
        recipe: json!({"lens": AFTER}),
        settings: json!({"evaluate_every": 10}),
    }
}

fn run(path: &Path, until: Option<u64>) -> Result<Net, TrainError> {
    let resumed = RunFolder::resume(path, &run_config(), &json!({}), &[])?;
    let folder = resumed.folder.with_checkpoints(5, Keep::default());
    let task = Products::new(0.0);
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let ended = trainer(&task, 1)
        .with_lens(Lens::after(AFTER).looking_at(&LOOK).renewed_every(15)?)
        .observe(folder)
        .watch(move |step, _: &Net| {
            if Some(step) == until {
                asking.ask();
            }
            Ok(())
        })
        .interrupted_by(&interrupt)
        .resume(resumed.snapshot)
        .run()?;
    assert_eq!(ended.end == End::Interrupted, until.is_some());
    Ok(ended.model)
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bytes_and_a_lens_that_is_lost_is_found_missing() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let home = tempfile::tempdir().unwrap();
    let (whole, parts) = (home.path().join("whole"), home.path().join("parts"));
    let model = run(&whole, None).unwrap();
    for until in [0, AFTER - 1, AFTER, AFTER + 1, 26, 27, 28] {
        run(&parts, Some(until)).unwrap();
        let kept = tree(&parts.join("checkpoints"));
        let lenses = kept
            .keys()
            .filter(|path| path.ends_with("lens.bpk"))
            .count();
        assert_eq!(lenses > 0, until > AFTER, "{until}");
    }
    assert_eq!(weights(&run(&parts, None).unwrap()), weights(&model));
    for name in ["curves.jsonl", "groups.jsonl", "members.jsonl"] {
        let [one, other] = [&whole, &parts].map(|run| std::fs::read(run.join(name)).unwrap());
        assert!(!one.is_empty(), "{name}");
        assert_eq!(one, other, "{name}");
    }
    let curves = std::fs::read_to_string(whole.join("curves.jsonl")).unwrap();
    for line in curves.lines() {
        Evaluation::from_line(line).unwrap();
    }

    // One whose manifest knows nothing of the lens, and one whose lens is another file.
    for (damage, expected) in [
        (true, "the weights of the lens are missing"),
        (false, "lens.bpk is damaged"),
    ] {
        let other = home.path().join(expected.replace(' ', "-"));
        run(&other, Some(AFTER + 3)).unwrap();
        let mut checkpoints: Vec<_> = std::fs::read_dir(other.join("checkpoints"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        checkpoints.sort();
        let last = checkpoints.pop().unwrap();
        for before in checkpoints {
            std::fs::remove_dir_all(before).unwrap();
        }
        match damage {
            true => forge(&last, |manifest| {
                manifest["files"]
                    .as_object_mut()
                    .unwrap()
                    .remove("lens.bpk");
            }),
            false => {
                let file = last.join("lens.bpk");
                let mut bytes = std::fs::read(&file).unwrap();
                let at = bytes.len() / 2;
                bytes[at] ^= 1;
                std::fs::write(file, bytes).unwrap();
            }
        }
        let error = run(&other, None).map(drop).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn layers_that_no_model_has_are_refused_before_the_first_step() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.0);
    let never = || Lens::after(STEPS + 1).looking_at(&["no.such"]);
    let phase = || {
        let objective = Objective::new(landmarks(), SumOfSquares);
        Phase::new(objective, AdamConfig::new().init(), RATE)
    };
    let first = trainer(&task, 1).with_lens(never());
    let second = trainer(&task, 1).then(20, phase().with_lens(never()));
    for trainer in [first, second] {
        let mut seen = Recorded::default();
        let refused = trainer.observe(&mut seen).run().map(drop).unwrap_err();
        assert!(refused.to_string().contains("no.such"), "{refused}");
        assert!(seen.groups.is_empty() && seen.evaluations.is_empty());
    }
}

#[test]
fn a_second_phase_may_have_a_lens() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.0);
    let plain = || {
        let objective = Objective::new(OneGroup, Mean);
        lenses::trainer(&task, objective, config(STEPS, 1, NotFinite::Stop))
    };
    let phase = || {
        let objective = Objective::new(landmarks(), SumOfSquares);
        let phase = Phase::new(objective, AdamConfig::new().init(), RATE);
        phase.with_lens(Lens::after(6).looking_at(&LOOK))
    };
    let mut seen = Recorded::default();
    let ended = plain().then(20, phase()).observe(&mut seen).run().unwrap();
    let (before, after) = seen.groups.split_at(26);
    assert!(before.iter().all(|&groups| groups == 1));
    assert!(after.iter().all(|&groups| groups == KINDS));
    for at in [15, 20, 21, 25, 26, 27, 35] {
        let snapshot = seen.snapshots.iter().find(|each| each.step == at).cloned();
        let resumed = plain()
            .then(20, phase())
            .observe(Recorded::default())
            .resume(snapshot);
        assert_eq!(
            weights(&resumed.run().unwrap().model),
            weights(&ended.model),
            "{at}"
        );
    }
}

/// The same with targets that are missing: every seventh example of a step has no loss.
struct Holes(Products);

impl Task for Holes {
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
        let hole = |at: usize| if at % 7 == 3 { f32::NAN } else { 0.0 };
        let holes = TensorData::new((0..n).map(hole).collect::<Vec<f32>>(), [n]);
        drawn.batch.1 = drawn.batch.1 + Tensor::from_data(holes, device);
        Ok(drawn)
    }

    fn losses(&self, model: &Net, batch: &Self::Batch) -> Tensor<1> {
        self.0.losses(model, batch)
    }

    fn evaluate(&self, model: &Net, device: &Device) -> Result<Vec<Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

#[derive(Default)]
struct Assigned(Vec<Vec<Option<usize>>>);

impl Observer for Assigned {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        let groups = seen.groups.unwrap();
        self.0.push(groups.assignment().unwrap().to_vec());
        Ok(CONTINUE)
    }
}

#[test]
fn examples_without_a_loss_are_in_no_group_of_a_lens() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Holes(Products::new(0.0));
    let mut seen = Assigned::default();
    let objective = Objective::new(landmarks(), SumOfSquares);
    let config = config(STEPS, 1, NotFinite::LeaveOut);
    let lens = Lens::after(AFTER).looking_at(&LOOK);
    let ended = lenses::trainer(&task, objective, config)
        .with_lens(lens)
        .observe(&mut seen)
        .run()
        .unwrap();
    assert!(
        weights(&ended.model)
            .iter()
            .all(|weight| weight.is_finite())
    );
    assert_eq!(ended.left_out, STEPS * 3);
    assert!(ended.standing_left_out > 0);
    let holes: Vec<usize> = (0..DRAW).filter(|at| at % 7 == 3).collect();
    for (step, assignment) in seen.0.iter().enumerate() {
        assert!(holes.iter().all(|&at| assignment[at].is_none()), "{step}");
        let grouped = assignment.iter().flatten().count();
        assert!(
            grouped + holes.len() <= DRAW && grouped > DRAW / 2,
            "{step}"
        );
    }
    let most = seen.0.last().unwrap().iter().flatten().max();
    assert!(
        most.is_some_and(|&most| most > 0 && most < KINDS),
        "{most:?}"
    );
}

/// Groups by what a snapshot got wrong, on a stream, without a gradient of it.
#[test]
fn mistakes_are_those_of_the_snapshot() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.0);
    let device = Device::flex();
    let mut frozen = None;
    let before = lenses::trainer(
        &task,
        Objective::new(OneGroup, Mean),
        config(AFTER, 1, NotFinite::Stop),
    );
    let before = before.watch(|done, model: &Net| {
        if done == AFTER {
            frozen = Some(model.clone());
        }
        Ok(())
    });
    before.run().unwrap();
    let frozen = frozen.unwrap();
    let mut draws = stream(SEED, 1);
    let losses: Vec<Vec<f32>> = (0..STEPS)
        .map(|_| {
            let drawn = task.draw(DRAW, &mut draws, &device).unwrap();
            let losses = task.losses(&frozen, &drawn.batch).inner();
            losses.into_data().try_to_vec().unwrap()
        })
        .collect();
    let mut sorted = losses[AFTER as usize].clone();
    sorted.sort_by(f32::total_cmp);
    let above = f64::from(sorted[DRAW / 2]) + 1e-4;
    for parts in [1, 3] {
        let mut seen = Recorded::default();
        let mistakes = Objective::new(Mistakes::above(above).unwrap(), Mean);
        let lens = lenses::trainer(&task, mistakes, config(STEPS, parts, NotFinite::Stop))
            .with_lens(Lens::after(AFTER))
            .observe(&mut seen);
        let model = lens.run().unwrap().model;
        for (step, losses) in losses.iter().enumerate().skip(AFTER as usize) {
            let expected = losses.iter().map(|&loss| f64::from(loss) > above);
            let expected: Vec<_> = expected.map(|wrong| Some(usize::from(wrong))).collect();
            assert_eq!(seen.hard(step), expected, "step {step}, {parts} parts");
        }
        // Losses of the snapshot take no gradient.
        let last = seen.evaluations.last().unwrap();
        assert_eq!(last.gradient_evaluations, None);
        // And not those of the model as it is.
        let drawn = task.draw(DRAW, &mut stream(SEED, 1), &device).unwrap();
        let now: Vec<f32> = task
            .losses(&model, &drawn.batch)
            .inner()
            .into_data()
            .try_to_vec()
            .unwrap();
        assert_ne!(now, losses[0]);
    }
}

/// Just train twice (Liu et al. 2021, arXiv 2107.09044): a mistake counts λ times as much as another example.
#[test]
fn mistakes_count_so_many_times_as_much() {
    let task = Products::new(0.0);
    let device = Device::flex();
    let model = task.model(&mut stream(SEED, 0), &device.clone().autodiff());
    let drawn = task.draw(DRAW, &mut stream(SEED, 1), &device).unwrap();
    let losses = task.losses(&model, &drawn.batch).inner();
    let losses: Vec<f32> = losses.into_data().try_to_vec().unwrap();
    let mut sorted = losses.clone();
    sorted.sort_by(f32::total_cmp);
    let above = f64::from(sorted[DRAW / 3]) + 1e-4;
    let mistakes = Mistakes::above(above).unwrap().with_average(Average::Sum);
    let weighted = Priors::new(mistakes, vec![1.0, 20.0]).unwrap();
    let mut objective = Objective::new(weighted, Mean);
    let stepped = step(&model, &mut objective, None, |m| {
        task.losses(m, &drawn.batch)
    });
    let weight = |loss: &f32| if f64::from(*loss) > above { 20.0 } else { 1.0 };
    let whole: f32 = losses.iter().map(weight).sum();
    for (coefficient, loss) in stepped.unwrap().coefficients.iter().zip(&losses) {
        assert!((coefficient - weight(loss) / whole).abs() < 1e-6);
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_the_first_step() {
    let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
    let task = Products::new(0.0);
    let refused = |objective: Objective, lens: Lens| {
        let trainer = lenses::trainer(&task, objective, config(STEPS, 1, NotFinite::Stop));
        let refused = trainer.with_lens(lens).try_first_step();
        refused.unwrap_err().to_string()
    };
    let none = refused(Objective::new(Labels::new(3), SumOfSquares), Lens::after(3));
    assert!(
        none.contains("the grouping looks at no gradients and no losses"),
        "{none}"
    );
    let layers = Lens::after(0).looking_at(&["no.such.layer"]);
    let layers = refused(Objective::new(KMeans::new(2, 0), SumOfSquares), layers);
    assert!(
        layers.contains("no.such.layer") && layers.contains("middle.weight"),
        "{layers}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4))]

    /// Wherever it is taken, the snapshot is that of the model then.
    #[test]
    fn a_lens_after_any_number_of_steps_is_repeatable(after in 0..STEPS) {
        let _device = DEVICE.read().unwrap_or_else(PoisonError::into_inner);
        let task = Products::new(0.0);
        let run = |layers: &[&str]| {
            let lens = Lens::after(after).looking_at(layers);
            weights(&trainer(&task, 1).with_lens(lens).run().unwrap().model)
        };
        prop_assert_eq!(run(&[]), run(&LOOK));
    }
}
