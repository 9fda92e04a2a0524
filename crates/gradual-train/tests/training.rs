//! The trainer on a small task: what it tells, what it refuses, where its examples come from.

use burn::optim::SgdConfig;
use burn::tensor::{Device, Tensor};
use gradual_grad::trace;
use gradual_group::{KMeans, Labels, OneGroup};
use gradual_loss::{Mean, SumOfSquares};
use gradual_runs::{Evaluation, GroupingRecord, Record};
use gradual_train::{
    CONTINUE, Curriculum, End, Epochs, Flow, Mixture, NotFinite, Objective, Observer, Sampler,
    SeenStep, StopAtTarget, StopOnDivergence, Stratified, TaskMixture, TaskSize, TrainError,
    Trainer, TrainerConfig, Wanted, When,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::common::{Model, Regression, weight};

#[derive(Default)]
struct Kept {
    evaluations: Vec<Evaluation>,
    groupings: Vec<GroupingRecord>,
    steps: Vec<u64>,
    end: Option<End>,
}

impl Observer for Kept {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.steps.push(seen.step);
        Ok(CONTINUE)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, seconds: f64) -> Result<Flow, TrainError> {
        assert!(seconds >= 0.0);
        self.evaluations.push(evaluation.clone());
        Ok(CONTINUE)
    }

    fn grouped(&mut self, grouping: &GroupingRecord) -> Result<Flow, TrainError> {
        self.groupings.push(grouping.clone());
        Ok(CONTINUE)
    }

    fn ended(&mut self, end: &End) -> Result<(), TrainError> {
        self.end = Some(end.clone());
        Ok(())
    }
}

const CONFIG: TrainerConfig = TrainerConfig {
    steps: 120,
    draw: 16,
    parts: 1,
    every: 40,
    seed: 5,
    not_finite: NotFinite::Stop,
    verify: true,
};

fn trainer(
    task: &Regression,
    objective: Objective,
    config: TrainerConfig,
) -> Trainer<'_, Regression> {
    Trainer::new(
        task,
        objective,
        SgdConfig::new().init(),
        &Device::flex(),
        config,
    )
    .with_rate(0.1)
}

fn erm() -> Objective {
    Objective::new(OneGroup, Mean)
}

/// The model is shown before every step and after the last, and looking changes nothing.
#[test]
fn a_run_can_be_watched() {
    let config = TrainerConfig { steps: 3, ..CONFIG };
    let task = Regression::new();
    let mut seen = Vec::new();
    let end = trainer(&task, erm(), config.clone())
        .watch(|step, model: &Model| {
            trace(model, |m| m.losses(&Tensor::ones([2, 3], &Device::flex())))?;
            seen.push((step, weight(model)));
            Ok(())
        })
        .run()
        .unwrap();
    let steps: Vec<u64> = seen.iter().map(|(step, _)| *step).collect();
    assert_eq!(steps, [0, 1, 2, 3]);
    assert_ne!(seen[0].1, seen[1].1);
    assert_eq!(seen[3].1, weight(&end.model));
    let plain = trainer(&task, erm(), config.clone()).run().unwrap();
    assert_eq!(weight(&plain.model), weight(&end.model));

    let refused = trainer(&task, erm(), config).watch(|step, _| match step {
        2 => Err(TrainError::Task {
            what: "looks",
            expected: 1,
            got: 2,
        }),
        _ => Ok(()),
    });
    assert_eq!(
        refused.run().map(drop).unwrap_err().to_string(),
        "task: expected 1 looks, got 2"
    );
}

fn train(objective: Objective) -> Kept {
    let (task, mut kept) = (Regression::new(), Kept::default());
    let ended = trainer(&task, objective, CONFIG)
        .observe(&mut kept)
        .run()
        .unwrap();
    assert_eq!(
        (ended.end, ended.step, ended.skipped),
        (End::Completed, 120, 0)
    );
    kept
}

#[test]
fn the_trainer_learns_and_tells_its_observers() {
    let kept = train(Objective::new(Labels::new(2), SumOfSquares));
    assert_eq!(kept.steps, (1..=120).collect::<Vec<u64>>());
    assert_eq!(kept.end, Some(End::Completed));
    let steps: Vec<u64> = kept
        .evaluations
        .iter()
        .map(|evaluation| evaluation.step)
        .collect();
    assert_eq!(steps, [0, 1, 2, 5, 10, 20, 40, 80, 120]);
    let last = kept.evaluations.last().unwrap();
    assert_eq!(last.examples, 120 * 16);
    assert!(
        last.capabilities
            .values()
            .all(|record| record.accuracy > 0.9),
        "{last:?}"
    );
    // No groups before the first step, then one record per evaluation.
    assert_eq!(kept.groupings.len(), steps.len() - 1);
    assert_eq!(kept.groupings[0].recovery, Some(1.0));
    let shares: f64 = kept.groupings[0].shares.values().sum();
    assert!((shares - 1.0).abs() < 1e-6);
}

/// Equal seeds give equal numbers, and arms see the same weights and examples.
#[test]
fn runs_repeat() {
    let lines = |objective| {
        let kept = train(objective);
        let lines = kept
            .evaluations
            .iter()
            .map(|evaluation| evaluation.to_line().unwrap());
        lines.collect::<Vec<_>>()
    };
    let kmeans = || Objective::new(KMeans::new(2, 1), SumOfSquares);
    assert_eq!(lines(kmeans()), lines(kmeans()));
    let erm = lines(erm());
    assert_eq!(erm[0], lines(kmeans())[0]);
    assert_ne!(erm[8], lines(kmeans())[8]);
}

#[test]
fn failures_name_step_and_setting() {
    let task = Regression::new();
    let message = |trainer: Trainer<'_, Regression>| {
        trainer
            .run()
            .map(drop)
            .expect_err("the run fails")
            .to_string()
    };
    let run = |config| {
        message(trainer(
            &task,
            Objective::new(KMeans::new(20, 0), SumOfSquares),
            config,
        ))
    };
    assert_eq!(
        run(TrainerConfig { draw: 0, ..CONFIG }),
        "trainer: draw must be at least 1, got 0"
    );
    assert_eq!(
        run(TrainerConfig { steps: 0, ..CONFIG }),
        "trainer: steps must be at least 1, got 0"
    );
    assert_eq!(
        run(TrainerConfig { parts: 0, ..CONFIG }),
        "trainer: parts must be at least 1, got 0"
    );
    assert_eq!(
        run(CONFIG),
        "k-means: 20 groups were asked for, but a draw has 16 examples; draw at least 20 or ask for \
         fewer groups"
    );
    let error = message(trainer(&task, erm(), CONFIG).with_rate(1e12));
    assert!(
        error.contains("(capability common)") && error.contains("the loss of example"),
        "{error}"
    );
}

/// A draw in parts is the same draw, and makes the same run to rounding.
#[test]
fn accumulation_changes_rounding_only() {
    let task = Regression::new();
    let run = |parts| {
        let config = TrainerConfig { parts, ..CONFIG };
        let mut kept = Kept::default();
        let objective = Objective::new(KMeans::new(2, 1), SumOfSquares);
        let ended = trainer(&task, objective, config).observe(&mut kept).run();
        (weight(&ended.unwrap().model), kept)
    };
    let (whole, one) = run(1);
    let (parts, four) = run(4);
    let close = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-4;
    assert!(whole.iter().zip(&parts).all(close), "{whole:?} {parts:?}");
    assert_eq!(one.evaluations[8].examples, four.evaluations[8].examples);
}

/// What a sampler asks of 2 capabilities and 10 items, over some steps.
fn asked(sampler: &mut dyn Sampler, n: usize, steps: u64) -> Result<Vec<Wanted>, TrainError> {
    let size = TaskSize {
        num_capabilities: 2,
        num_items: Some(crate::common::ITEMS),
    };
    sampler.check(size)?;
    let mut random = ChaCha8Rng::seed_from_u64(3);
    (1..=steps)
        .map(|step| sampler.next(step, n, size, &mut random))
        .collect()
}

/// How often capability 1 was asked for.
fn share(wanted: &[Wanted]) -> f64 {
    let each = wanted.iter().flat_map(|wanted| match wanted {
        Wanted::Of(each) => each.clone(),
        other => panic!("{other:?}"),
    });
    let each: Vec<usize> = each.collect();
    each.iter().sum::<usize>() as f64 / each.len() as f64
}

#[test]
fn mixtures_draw_by_weight() {
    let mut mixture = Mixture::new(&[3.0, 1.0]).unwrap();
    assert!((share(&asked(&mut mixture, 100, 40).unwrap()) - 0.25).abs() < 0.03);
    let mut one = Mixture::new(&[1.0, 0.0]).unwrap();
    assert_eq!(share(&asked(&mut one, 100, 10).unwrap()), 0.0);
    let mut balanced = Mixture::balanced(2).unwrap();
    assert!((share(&asked(&mut balanced, 100, 40).unwrap()) - 0.5).abs() < 0.03);
    let message = |weights: &[f64]| Mixture::new(weights).unwrap_err().to_string();
    assert_eq!(
        message(&[1.0, f64::NAN]),
        "sampler mixture: the weight of capability 1 must be finite and at least 0, got NaN"
    );
    assert_eq!(
        message(&[0.0, 0.0]),
        "sampler mixture: the weights must have a sum above 0, got 0"
    );
    assert_eq!(
        asked(&mut Mixture::balanced(3).unwrap(), 4, 1)
            .unwrap_err()
            .to_string(),
        "sampler mixture: has weights for 3 capabilities, but the task has 2"
    );
}

#[test]
fn strata_are_equal() {
    let mut both = Stratified::new(0..2, 2).unwrap();
    for wanted in asked(&mut both, 7, 5).unwrap() {
        let ones = share(std::slice::from_ref(&wanted)) * 7.0;
        assert!(
            (ones - 3.0).abs() < 1e-9 || (ones - 4.0).abs() < 1e-9,
            "{wanted:?}"
        );
    }
    let mut one = Stratified::new(0..2, 1).unwrap();
    let shares: Vec<f64> = asked(&mut one, 6, 40)
        .unwrap()
        .into_iter()
        .map(|wanted| share(&[wanted]))
        .collect();
    assert!(shares.contains(&0.0) && shares.contains(&1.0));
    assert!(shares.iter().all(|share| *share == 0.0 || *share == 1.0));
    let message = |among: &[usize], groups| {
        let sampler = Stratified::new(among.iter().copied(), groups);
        let asked = sampler.and_then(|mut sampler| asked(&mut sampler, 4, 1));
        asked.unwrap_err().to_string()
    };
    assert!(message(&[0, 1], 0).contains("got 0"));
    assert!(message(&[0, 1], 3).contains("of 2"));
    assert!(message(&[1, 1], 1).contains("capability 1 is there twice"));
    assert!(message(&[0, 2], 1).contains("draws capability 2, but the task has 2"));
}

#[test]
fn a_curriculum_changes_with_the_step() {
    let mixture = |rare: f64| Mixture::new(&[1.0 - rare, rare]).unwrap();
    let phases = vec![(1, mixture(0.5)), (11, mixture(0.0))];
    let mut jump = Curriculum::new(phases.clone()).unwrap();
    let wanted = asked(&mut jump, 200, 20).unwrap();
    assert!((share(&wanted[..10]) - 0.5).abs() < 0.05);
    assert_eq!(share(&wanted[10..]), 0.0);
    let slow = Curriculum::new(phases).unwrap().linear();
    let rare = |step| slow.at(step).unwrap().probabilities()[1];
    assert!((rare(1) - 0.5).abs() < 1e-12);
    assert!((rare(6) - 0.25).abs() < 1e-12);
    assert_eq!(rare(11), 0.0);
    assert_eq!(rare(500), 0.0);
    let wrong = |phases| Curriculum::new(phases).map(drop).unwrap_err().to_string();
    assert_eq!(
        wrong(vec![]),
        "sampler curriculum: at least one phase is needed"
    );
    assert!(wrong(vec![(5, mixture(0.5)), (5, mixture(0.5))]).contains("step 5 after step 5"));
}

#[test]
fn an_epoch_holds_every_item_once() {
    let mut epochs = Epochs::new(1);
    let items = |wanted: &[Wanted]| -> Vec<usize> {
        let each = wanted.iter().flat_map(|wanted| match wanted {
            Wanted::Items(items) => items.clone(),
            other => panic!("{other:?}"),
        });
        each.collect()
    };
    // Draws of 4 from 10 items: the third goes over the end of the first epoch.
    let drawn = items(&asked(&mut epochs, 4, 5).unwrap());
    assert_eq!(drawn.len(), 20);
    for epoch in drawn.chunks(10) {
        let mut sorted = epoch.to_vec();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..10).collect::<Vec<_>>());
    }
    assert_ne!(drawn[..10], drawn[10..]);
    // A place that was written down goes on as if nothing had happened.
    let (mut one, mut other) = (Epochs::new(1), Epochs::new(1));
    asked(&mut one, 7, 3).unwrap();
    other.restore(&one.state().unwrap()).unwrap();
    assert_eq!(
        asked(&mut one, 7, 3).unwrap(),
        asked(&mut other, 7, 3).unwrap()
    );
    let endless = TaskSize {
        num_capabilities: 2,
        num_items: None,
    };
    assert!(
        epochs
            .check(endless)
            .unwrap_err()
            .to_string()
            .contains("no finite training data")
    );
}

#[test]
fn every_sampler_trains() {
    let task = Regression::new();
    let curriculum = vec![(1, Mixture::new(&[0.7, 0.3]).unwrap())];
    let samplers: [(Box<dyn Sampler>, f64); 5] = [
        (Box::new(TaskMixture), 0.1),
        (Box::new(Mixture::balanced(2).unwrap()), 0.5),
        (Box::new(Stratified::new(0..2, 2).unwrap()), 0.5),
        (Box::new(Curriculum::new(curriculum).unwrap()), 0.3),
        (Box::new(Epochs::new(0)), 0.1),
    ];
    for (sampler, expected) in samplers {
        let mut kept = Kept::default();
        let objective = Objective::new(Labels::new(2), SumOfSquares);
        trainer(&task, objective, CONFIG)
            .with_boxed_sampler(sampler)
            .observe(&mut kept)
            .run()
            .unwrap();
        let last = kept.evaluations.last().unwrap();
        assert!(last.worst_accuracy().unwrap() > 0.9, "{last:?}");
        // What is written down is what was drawn.
        let rare = last.capabilities["rare"].frequency;
        assert_eq!(rare, expected);
    }
}

#[test]
fn observers_are_told_what_they_asked_for() {
    let task = Regression::new();
    let told = |when| {
        let mut kept = Kept::default();
        let objective = Objective::new(Labels::new(2), SumOfSquares);
        trainer(&task, objective, CONFIG)
            .observe_when(when, &mut kept)
            .run()
            .unwrap();
        assert_eq!(kept.end, Some(End::Completed));
        let evaluated: Vec<u64> = kept.evaluations.iter().map(|each| each.step).collect();
        (kept.steps, evaluated, kept.groupings.len())
    };
    let (steps, evaluated, groupings) = told(When::Every(40));
    assert_eq!(steps, [40, 80, 120]);
    assert_eq!(evaluated, [0, 40, 80, 120]);
    assert_eq!(groupings, 3);
    // Labels never form groups anew.
    let (steps, evaluated, _) = told(When::Regroup);
    assert_eq!((steps, evaluated.len()), (vec![1], 9));
    let (steps, evaluated, _) = told(When::Best);
    assert!(steps.is_empty());
    assert!(evaluated.len() > 1 && evaluated[0] == 0, "{evaluated:?}");
}

#[test]
fn observers_can_stop_a_run() {
    let task = Regression::new();
    let ended = trainer(&task, erm(), CONFIG)
        .observe(StopAtTarget::mean(0.5))
        .run()
        .unwrap();
    let End::Stopped(reason) = ended.end else {
        panic!("{:?}", ended.end)
    };
    assert!(reason.starts_with("the mean accuracy is 0."), "{reason}");
    assert!(ended.step < 120);
    let worst = trainer(&task, erm(), CONFIG)
        .observe(StopAtTarget::worst(0.5))
        .run()
        .unwrap();
    assert!(worst.step >= ended.step);
    let steep = trainer(&task, erm(), CONFIG)
        .with_rate(1.2)
        .observe(StopOnDivergence::new(2.0, 2))
        .run()
        .unwrap();
    let End::Stopped(reason) = steep.end else {
        panic!("{:?}", steep.end)
    };
    assert!(reason.contains("above 2 times its lowest"), "{reason}");
}

/// Losses that are NaN at some steps.
struct Sour(
    Regression,
    std::cell::RefCell<Vec<u64>>,
    std::cell::Cell<u64>,
);

impl gradual_train::Task for Sour {
    type Model = Model;
    type Batch = <Regression as gradual_train::Task>::Batch;

    fn capabilities(&self) -> &[gradual_train::Capability] {
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
    ) -> Result<gradual_train::Drawn<Self::Batch>, TrainError> {
        self.2.set(self.2.get() + 1);
        self.0.draw(n, random, device)
    }

    fn losses(&self, model: &Model, batch: &Self::Batch) -> Tensor<1> {
        let losses = self.0.losses(model, batch);
        match self.1.borrow().contains(&self.2.get()) {
            true => losses * f64::NAN,
            false => losses,
        }
    }

    fn evaluate(
        &self,
        model: &Model,
        device: &Device,
    ) -> Result<Vec<gradual_train::Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

#[test]
fn steps_without_numbers_are_skipped_if_so_configured() {
    let run = |sour: &[u64], not_finite| {
        let task = Sour(
            Regression::new(),
            std::cell::RefCell::new(sour.to_vec()),
            std::cell::Cell::new(0),
        );
        let config = TrainerConfig {
            not_finite,
            // The task counts its draws, and a check draws once more.
            verify: false,
            ..CONFIG
        };
        let objective = Objective::new(KMeans::new(2, 1), SumOfSquares);
        let trainer = Trainer::new(
            &task,
            objective,
            SgdConfig::new().init(),
            &Device::flex(),
            config,
        );
        trainer
            .with_rate(0.1)
            .run()
            .map(|ended| (ended.step, ended.skipped))
    };
    let skip = NotFinite::Skip { in_a_row: 2 };
    assert_eq!(run(&[5, 6, 50], skip).unwrap(), (120, 3));
    let message = run(&[5, 6, 7], skip).unwrap_err().to_string();
    assert!(message.starts_with("step 7"), "{message}");
    let message = run(&[5], NotFinite::Stop).unwrap_err().to_string();
    assert!(
        message.starts_with("step 5 (capability common): step: the loss of example 0 is NaN"),
        "{message}"
    );
}
