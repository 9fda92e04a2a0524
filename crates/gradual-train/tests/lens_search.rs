//! A lens whose step, layer, metric and number of groups are chosen without labels.

use std::path::Path;

use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::{Device, Tensor};
use gradual_grad::{Metric, Traced, trace};
use gradual_group::{
    Draw, GroupError, Grouping, KMeans, Labels, Landmarks, OneGroup, adjusted_rand,
};
use gradual_loss::SumOfSquares;
use gradual_runs::files::LOOKS;
use gradual_runs::{Lines, LookRecord, LooksRecord, RunConfig, SCHEMA};
use gradual_train::{
    Drawn, End, Interrupt, Keep, Lens, LensSearch, NotFinite, Objective, RunFolder, Task, Trainer,
    step,
};
use serde_json::json;

use crate::common::lenses::{self, DRAW, RATE, SEED, STANDING, config, landmarks};
use crate::common::products::{Net, Products, stream, weights};
use crate::common::recorded::Recorded;

const SET: usize = 40;
const STEPS: u64 = 40;
const LAYERS: [&str; 2] = ["first.weight", "middle.*"];

fn metrics() -> Vec<(String, Metric)> {
    vec![
        (String::from("plain"), Metric::euclidean()),
        (String::from("whitened"), Metric::whitened()),
    ]
}

fn search(steps: &[u64]) -> LensSearch {
    let by = |metric, groups| -> Result<Box<dyn Grouping>, GroupError> {
        Ok(Box::new(landmarks(metric, groups)))
    };
    let search = LensSearch::by(&LAYERS, by).with_steps(steps).unwrap();
    let search = search
        .with_groups(&[2, 3, 5])
        .unwrap()
        .with_metrics(metrics())
        .unwrap();
    search
        .with_examples(SET)
        .unwrap()
        .with_stability(0.5)
        .unwrap()
}

fn trainer<'a>(task: &'a Products, lens: Lens) -> Trainer<'a, Products> {
    let objective = Objective::new(landmarks(Metric::euclidean(), 2), SumOfSquares);
    let config = config(STEPS, 1, NotFinite::Stop);
    lenses::trainer(task, objective, config).with_lens(lens)
}

/// A look by hand, as the text of the module says.
#[derive(Debug, Clone, PartialEq)]
struct ByHand {
    layer: String,
    metric: String,
    groups: u64,
    stability: Option<f64>,
    explained: Option<f64>,
    recovery: Option<f64>,
}

type Batch = (Tensor<2>, Tensor<1>);

/// Losses before any training less losses now.
fn falls(task: &Products, model: &Net, batch: &Batch) -> Vec<f64> {
    let fresh = task.model(&mut stream(SEED, 0), &Device::flex().autodiff());
    let numbers = |model: &Net| -> Vec<f32> {
        let losses = task.losses(model, batch).into_data();
        losses.try_to_vec().unwrap()
    };
    let pairs = numbers(&fresh).into_iter().zip(numbers(model));
    pairs.map(|(a, b)| f64::from(a) - f64::from(b)).collect()
}

/// 1 − (n − 1) Σ within / ((n − k) Σ all), by double loops over pairs of examples: a sum of squares around a mean is
/// that of all differences over twice the number.
fn explained(groups: &[Option<usize>], falls: &[f64]) -> Option<f64> {
    let n = falls.len() as f64;
    let (mut within, mut all) = (0.0, 0.0);
    let mut names = std::collections::HashSet::new();
    for (one, a) in groups.iter().zip(falls) {
        names.insert(*one);
        let size = groups.iter().filter(|other| *other == one).count() as f64;
        for (other, b) in groups.iter().zip(falls) {
            let square = (a - b).powi(2);
            all += square / (2.0 * n);
            if one == other {
                within += square / (2.0 * size);
            }
        }
    }
    (all > 0.0).then(|| 1.0 - within / all * (n - 1.0) / (n - names.len() as f64))
}

/// Two sets of a step that find groups, and the third as it is drawn.
fn sets(task: &Products, model: &Net, step: u64) -> ([Traced; 2], Drawn<Batch>) {
    let device = Device::flex();
    let mut random = stream(SEED, 5 | (step << 8));
    let mut draw = || task.draw(SET, &mut random, &device).unwrap();
    let standing = [draw(), draw()];
    let traced = standing.map(|set| trace(model, |m| task.losses(m, &set.batch)).unwrap());
    (traced, draw())
}

/// What both sets make of the third.
fn both(
    standing: &[Traced; 2],
    fresh: &Traced,
    metric: &Metric,
    groups: usize,
) -> [Vec<Option<usize>>; 2] {
    standing.each_ref().map(|set| {
        let mut marks = landmarks(metric.clone(), groups);
        marks.stand(&Draw::from(set)).unwrap();
        let groups = marks.group(&Draw::from(fresh)).unwrap();
        groups.assignment().unwrap().to_vec()
    })
}

fn mean(pair: [Option<f64>; 2]) -> Option<f64> {
    pair[0].zip(pair[1]).map(|(a, b)| f64::midpoint(a, b))
}

/// All looks at a model, each from a trace of the whole of it.
fn look_by_hand(task: &Products, model: &Net, done: u64) -> Vec<ByHand> {
    let (standing, third) = sets(task, model, done);
    let fresh = trace(model, |m| task.losses(m, &third.batch)).unwrap();
    let learned = falls(task, model, &third.batch);
    let mut looks = Vec::new();
    for layer in ["first.weight", "middle.weight", "middle.bias"] {
        for (name, metric) in metrics() {
            for groups in [2, 3, 5] {
                let seen = metric.clone().with_layers(&[layer]).unwrap();
                let found = both(&standing, &fresh, &seen, groups);
                let labels = &third.labels;
                let share = found[0].iter().zip(&found[1]);
                let share = share.filter(|(a, b)| a.is_some() && b.is_some()).count();
                let share = share as f64 / SET as f64;
                let truth = found.each_ref().map(|found| adjusted_rand(found, labels));
                let explains = found.each_ref().map(|found| explained(found, &learned));
                let stability = adjusted_rand(&found[0], &found[1]).map(|index| index * share);
                looks.push(ByHand {
                    layer: layer.to_owned(),
                    metric: name.clone(),
                    groups: groups as u64,
                    stability,
                    explained: mean(explains).filter(|_| done > 0),
                    recovery: mean(truth),
                });
            }
        }
    }
    looks
}

fn told(record: &LooksRecord) -> Vec<ByHand> {
    let looks = record.looks.iter();
    let looks = looks.map(|look| ByHand {
        layer: look.layer.clone(),
        metric: look.metric.clone(),
        groups: look.groups,
        stability: look.stability,
        explained: look.explained,
        recovery: look.recovery,
    });
    looks.collect()
}

/// The rule, in another way: sorted by what is explained, then stability, then place.
fn rule(looks: &[LookRecord]) -> Option<u64> {
    let mut stable: Vec<(f64, f64, usize)> = Vec::new();
    for (at, look) in looks.iter().enumerate() {
        let pair = look.stability.zip(look.explained);
        if let Some((stability, explained)) = pair.filter(|pair| pair.0 >= 0.5 && pair.1 > 0.0) {
            stable.push((explained, stability, at));
        }
    }
    stable.sort_by(|a, b| {
        let by_explained = b.0.total_cmp(&a.0);
        by_explained.then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2))
    });
    stable.first().map(|&(_, _, at)| at as u64)
}

/// What is explained is computed in another order.
fn same(told: &[ByHand], by_hand: &[ByHand], place: u64) {
    assert_eq!(told.len(), by_hand.len(), "{place}");
    for (one, other) in told.iter().zip(by_hand) {
        let pair = (one.explained, other.explained);
        match pair {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-5, "{place}: {a} {b}"),
            _ => assert_eq!(pair.0, pair.1, "{place}: {one:?}"),
        }
        let without = |look: &ByHand| ByHand {
            explained: None,
            ..look.clone()
        };
        assert_eq!(without(one), without(other), "{place}");
    }
}

#[test]
fn looks_and_their_lens_are_those_of_a_search_by_hand() {
    let task = Products::new(0.0);
    let steps = [0, 8, 20];
    let mut seen = Recorded::default();
    let lens = Lens::searched(search(&steps));
    let ended = trainer(&task, lens).observe(&mut seen).run().unwrap();

    // The same run by hand.
    let device = Device::flex();
    let (mut draws, mut standing) = (stream(SEED, 1), stream(SEED, 3));
    let mut model = task.model(&mut stream(SEED, 0), &device.clone().autodiff());
    let mut optimizer: ModuleOptimizer = AdamConfig::new().init();
    let mut plain = Objective::new(OneGroup, SumOfSquares);
    // The snapshot, its landmarks, their number of groups, and the look: step and metric.
    let mut lens: Option<(Net, Landmarks, u64, u64, Metric)> = None;
    let mut records = seen.looks.iter();
    let (mut opened, mut compared) = (0, 0);
    for done in 0..STEPS {
        if steps.contains(&done) {
            let record = records.next().unwrap();
            let looks = look_by_hand(&task, &model, done);
            assert_eq!((record.step, record.examples), (done, SET as u64));
            same(&told(record), &looks, done);
            let chosen = rule(&record.looks);
            assert_eq!(record.chosen, chosen, "{done}");
            // What the look that is held explains of the same.
            let held = lens.as_ref().filter(|_| chosen.is_some());
            let held = held.and_then(|(frozen, _, groups, step, metric)| {
                let (standing, _) = sets(&task, frozen, *step);
                let (_, third) = sets(&task, &model, done);
                let fresh = trace(frozen, |m| task.losses(m, &third.batch)).unwrap();
                let learned = falls(&task, &model, &third.batch);
                let found = both(&standing, &fresh, metric, *groups as usize);
                mean(found.each_ref().map(|found| explained(found, &learned)))
            });
            let close = |(a, b): (f64, f64)| (a - b).abs() < 1e-5;
            assert_eq!(record.held.is_some(), held.is_some(), "{done}");
            assert!(record.held.zip(held).is_none_or(close), "{done}");
            compared += usize::from(held.is_some());
            let better = chosen
                .map(|at| &record.looks[at as usize])
                .filter(|look| record.held.is_none_or(|held| look.explained > Some(held)));
            assert_eq!(record.taken, better.is_some(), "{done}");
            if let Some(look) = better {
                let metric = metrics()
                    .into_iter()
                    .find(|(known, _)| *known == look.metric)
                    .unwrap();
                let metric = metric.1.with_layers(&[look.layer.as_str()]).unwrap();
                let mut marks = landmarks(metric.clone(), look.groups as usize);
                let drawn = task.draw(STANDING, &mut standing, &device).unwrap();
                let traced = trace(&model, |m| task.losses(m, &drawn.batch)).unwrap();
                marks.stand(&Draw::from(&traced)).unwrap();
                lens = Some((model.clone(), marks, look.groups, done, metric));
                opened += 1;
            }
        }
        let drawn = task.draw(DRAW, &mut draws, &device).unwrap();
        let of = |m: &Net| task.losses(m, &drawn.batch);
        let stepped = match &mut lens {
            None => step(&model, &mut plain, None, of).unwrap(),
            Some((frozen, marks, groups, ..)) => {
                let traced = trace(frozen, of).unwrap();
                let found = marks.group(&Draw::from(&traced)).unwrap();
                let labels = found.assignment().unwrap().to_vec();
                let mut known = Objective::new(Labels::new(*groups as usize), SumOfSquares);
                step(&model, &mut known, Some(&labels), of).unwrap()
            }
        };
        model = optimizer.step(RATE, model, stepped.update);
    }
    assert!(records.next().is_none() && opened > 0 && compared > 0);
    // Labels are averaged on the host, landmarks on the device.
    let pairs = weights(&ended.model).into_iter().zip(weights(&model));
    let most = pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(most < 1e-4, "{most}");
}

#[test]
fn a_search_that_waits_opens_the_best_look_of_all_steps() {
    let task = Products::new(0.0);
    let mut seen = Recorded::default();
    let lens = || Lens::searched(search(&[0, 6, 12]).waiting());
    trainer(&task, lens()).observe(&mut seen).run().unwrap();
    assert_eq!(seen.looks.len(), 3);
    // Looks are of the mean loss all along: those of a lens that is never opened.
    let mut never = Recorded::default();
    let unopened = search(&[0, 6, 12, STEPS + 1]).waiting();
    trainer(&task, Lens::searched(unopened))
        .observe(&mut never)
        .run()
        .unwrap();
    assert_eq!(seen.looks, never.looks);
    // A later look takes the place of an earlier one if it explains more of the same.
    let mut held = false;
    let mut compared = 0;
    for record in &seen.looks {
        let chosen = record.chosen.map(|at| record.looks[at as usize].explained);
        let is_better = |explained| record.held.is_none_or(|held| explained > Some(held));
        assert_eq!(record.taken, chosen.is_some_and(is_better));
        assert_eq!(record.held.is_some(), held && chosen.is_some());
        compared += u64::from(record.held.is_some());
        held |= record.taken;
    }
    assert!(held && seen.looks[0].chosen.is_none());
    // Sets are counted as standing examples that are shown once; the lens comes after the last of them.
    let counts = |at: u64| {
        let evaluation = seen
            .evaluations
            .iter()
            .find(|each| each.step == at)
            .unwrap();
        (
            evaluation.standing_examples.unwrap(),
            evaluation.gradient_evaluations.unwrap(),
        )
    };
    let (draw, set, standing) = (DRAW as u64, SET as u64, STANDING as u64);
    assert_eq!(counts(10), (6 * set, 10 * draw + 6 * set));
    // A look that is held is compared with two sets drawn again, and sees the third.
    let drawn = 9 * set + 2 * compared * set + standing;
    let shown = drawn + compared * set;
    assert_eq!(counts(40), (drawn, 40 * draw + shown + 28 * draw));
}

#[test]
fn a_search_resumes_from_any_step() {
    let task = Products::new(0.0);
    for lens in [
        (|| Lens::searched(search(&[0, 8, 20]))) as fn() -> Lens,
        || Lens::searched(search(&[3, 8, 20]).waiting()),
    ] {
        let mut seen = Recorded::default();
        let whole = trainer(&task, lens()).observe(&mut seen).run().unwrap();
        for snapshot in &seen.snapshots {
            let at = snapshot.step;
            if ![0, 1, 3, 4, 8, 9, 15, 20, 21, 33].contains(&at) {
                continue;
            }
            let mut rest = Recorded::default();
            let resumed = trainer(&task, lens()).resume(Some(snapshot.clone()));
            let ended = resumed.observe(&mut rest).run().unwrap();
            assert!(weights(&ended.model) == weights(&whole.model), "{at}");
            let expected: Vec<_> = seen.looks.iter().filter(|looks| looks.step >= at).collect();
            assert_eq!(rest.looks.iter().collect::<Vec<_>>(), expected, "{at}");
            assert_eq!(rest.evaluations.last(), seen.evaluations.last(), "{at}");
        }
    }
}

fn run(path: &Path, until: Option<u64>) -> Net {
    let config = RunConfig {
        schema: SCHEMA,
        experiment: "products".into(),
        arm: "searched".into(),
        seed: SEED,
        steps: STEPS,
        draw: DRAW as u64,
        backend: "flex".into(),
        task: json!({"kinds": 3}),
        recipe: json!({"lens": "search"}),
        settings: json!({"evaluate_every": 10}),
    };
    let resumed = RunFolder::resume(path, &config, &json!({}), &[LOOKS]).unwrap();
    let folder = resumed.folder.with_checkpoints(5, Keep::default());
    let task = Products::new(0.0);
    let interrupt = Interrupt::default();
    let asking = interrupt.clone();
    let ended = trainer(&task, Lens::searched(search(&[0, 8, 20])))
        .observe(folder)
        .watch(move |step, _: &Net| {
            if Some(step) == until {
                asking.ask();
            }
            Ok(())
        })
        .interrupted_by(&interrupt)
        .resume(resumed.snapshot)
        .run()
        .unwrap();
    assert_eq!(ended.end == End::Interrupted, until.is_some());
    ended.model
}

#[test]
fn the_table_of_looks_stands_in_the_run_folder() {
    let home = tempfile::tempdir().unwrap();
    let (whole, parts) = (home.path().join("whole"), home.path().join("parts"));
    let model = run(&whole, None);
    for until in [0, 1, 8, 9, 20, 23] {
        run(&parts, Some(until));
    }
    assert!(weights(&run(&parts, None)) == weights(&model));
    for name in ["curves.jsonl", "groups.jsonl", "members.jsonl", LOOKS] {
        let [one, other] = [&whole, &parts].map(|run| std::fs::read(run.join(name)).unwrap());
        assert!(!one.is_empty() && one == other, "{name}");
    }
    let looks: Lines<LooksRecord> = Lines::read(&whole.join(LOOKS), true).unwrap();
    let steps: Vec<u64> = looks.records.iter().map(|record| record.step).collect();
    assert_eq!(steps, [0, 8, 20]);
    assert!(
        looks
            .records
            .iter()
            .all(|record| record.looks.len() == 3 * 2 * 3)
    );
    assert!(looks.records.iter().any(|record| record.taken));
}

#[test]
fn a_search_that_can_not_be_is_refused_before_the_first_step() {
    let task = Products::new(0.0);
    let refused = |search: LensSearch| {
        let trainer = trainer(&task, Lens::searched(search));
        trainer.run().map(drop).unwrap_err().to_string()
    };
    let few = search(&[0]).with_groups(&[41]).unwrap();
    let few = refused(few);
    assert!(
        few.contains("a set of 40 examples can't be 41 groups"),
        "{few}"
    );
    let keeps_none = LensSearch::by(&LAYERS, |_, groups| {
        Ok(Box::new(KMeans::new(groups, 0)) as Box<dyn Grouping>)
    });
    let keeps_none = refused(keeps_none);
    assert!(
        keeps_none.contains("keeps no standing examples"),
        "{keeps_none}"
    );
    let layers = LensSearch::new(&["no.such"], STANDING, 0)
        .with_examples(SET)
        .unwrap();
    // Long before the first look.
    let layers = refused(layers.with_steps(&[STEPS + 1]).unwrap());
    assert!(layers.contains("no.such"), "{layers}");
}
