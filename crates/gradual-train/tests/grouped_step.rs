//! The grouped step in somebody else's loop: gradient accumulation, and standing examples.

use std::sync::{Arc, Mutex};

use burn::module::Module;
use burn::nn::LinearConfig;
use burn::optim::{GradientsAccumulator, GradientsParams, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::host::reads;
use gradual_grad::{Metric, Tap};
use gradual_group::{
    Centroids, Draw, EachExample, GroupError, Grouping, Groups, KMeans, Labels, Landmarks, Needs,
    OneGroup, SingularVectors, Standing,
};
use gradual_loss::{GroupDro, Mean, PcGrad, PowerMean, Scale, SumOfSquares};
use gradual_train::{GroupedStep, Objective, Stepped, TrainError, Trainer, TrainerConfig, step};

use crate::common::Model;

type Labelled = (Tensor<2>, Vec<Option<usize>>);

fn model() -> Model {
    let device = Device::flex().autodiff();
    let layer = LinearConfig::new(3, 1).init(&device);
    layer.weight.val();
    Model { layer }
}

/// n examples that are all different, mostly of group 0: batches of four, the last with two of group 1.
fn batches(count: usize) -> Vec<Labelled> {
    let rare = |batch: usize, at: usize| batch + 1 == count && at >= 2;
    let batch = |batch: usize| {
        let input = |j: usize| ((batch * 12 + j) as f32 * 0.7).sin();
        let inputs: Vec<f32> = (0..12).map(input).collect();
        let inputs = Tensor::from_data(TensorData::new(inputs, [4, 3]), &Device::flex());
        let labels = (0..4).map(|at| Some(usize::from(rare(batch, at))));
        (inputs, labels.collect())
    };
    (0..count).map(batch).collect()
}

fn whole(batches: &[Labelled]) -> Labelled {
    let inputs = batches.iter().map(|(inputs, _)| inputs.clone());
    let labels = batches.iter().flat_map(|(_, labels)| labels.clone());
    (Tensor::cat(inputs.collect(), 0), labels.collect())
}

fn gradient(update: &GradientsParams, model: &Model) -> Vec<f32> {
    let gradient = update.get::<2>(model.layer.weight.id).expect("a gradient");
    gradient.into_data().try_to_vec().expect("f32")
}

fn close(a: &[f32], b: &[f32]) -> bool {
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 * (1.0 + b.abs());
    a.len() == b.len() && a.iter().zip(b).all(near)
}

fn called(
    grouped: &GroupedStep<Tensor<2>>,
    model: &Model,
    (inputs, labels): &Labelled,
) -> Result<Stepped, TrainError> {
    grouped.step(model, Some(labels), inputs, |m, x| m.losses(x))
}

fn objectives() -> [fn() -> Objective; 8] {
    [
        || Objective::new(OneGroup, Mean),
        || Objective::new(Labels::new(2), SumOfSquares),
        || Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::MatchNorm),
        || Objective::new(Labels::new(2), GroupDro::new(0.1).unwrap()),
        || Objective::new(EachExample, PowerMean::new(3.0).unwrap()),
        || Objective::new(KMeans::new(3, 7), SumOfSquares),
        || Objective::new(SingularVectors::default(), SumOfSquares),
        || Objective::on_gradients(Labels::new(2), PcGrad::new(1)),
    ]
}

/// What a `Learner` with `grads_accumulation(4)` adds up is the update of the whole draw. Batch by batch, the common
/// group weighs 3.25 to 0.75 where it should weigh 0.25 to 0.75.
#[test]
fn accumulated_batches_are_one_draw() {
    let (model, batches) = (model(), batches(4));
    let (inputs, labels) = whole(&batches);
    for objective in objectives() {
        let expected = step(&model, &mut objective(), Some(&labels), |m| {
            m.losses(&inputs)
        })
        .unwrap();
        let grouped = GroupedStep::new(objective()).with_accumulation(4);
        let mut accumulator = GradientsAccumulator::new();
        for (at, batch) in batches.iter().enumerate() {
            let stepped = called(&grouped, &model, batch).unwrap();
            assert_eq!(stepped.update.is_empty(), at < 3);
            if at < 3 {
                assert!(close(&stepped.losses, &expected.losses[4 * at..4 * at + 4]));
                assert_eq!(stepped.coefficients, [0.0; 4]);
                assert_eq!(stepped.groups.assignment().unwrap(), [None; 4]);
            } else {
                assert!(close(&stepped.losses, &expected.losses));
                assert!(close(&stepped.coefficients, &expected.coefficients));
                assert_eq!(stepped.groups.assignment(), expected.groups.assignment());
            }
            accumulator.accumulate(&model, stepped.update);
        }
        let update = accumulator.grads();
        assert!(close(
            &gradient(&update, &model),
            &gradient(&expected.update, &model)
        ));
    }
}

/// Losses 1 and 3 under a sum of squares: the rare group weighs three quarters of a draw, and none in batches without
/// it.
#[test]
fn the_rare_group_keeps_its_weight() {
    let (model, batches) = (model(), batches(4));
    let losses = |m: &Model, (x, groups): &Labelled| {
        let level = |group: &Option<usize>| 1.0 + 2.0 * group.unwrap() as f32;
        let levels: Vec<f32> = groups.iter().map(level).collect();
        let levels = Tensor::<1>::from_floats(levels.as_slice(), &Device::flex());
        m.layer.tap(x.clone()).reshape([4]) * 0.0 + levels
    };
    let objective = Objective::new(Labels::new(2), SumOfSquares);
    let grouped = GroupedStep::new(objective).with_accumulation(4);
    let mut mass = [0.0; 2];
    for batch in &batches {
        let stepped = grouped.step(&model, Some(&batch.1), batch, losses).unwrap();
        // Zero until the draw is whole, and then those of all batches.
        let labels = batches.iter().flat_map(|(_, labels)| labels);
        for (group, coefficient) in labels.zip(&stepped.coefficients) {
            mass[group.unwrap()] += coefficient;
        }
    }
    assert!(close(&mass, &[0.25, 0.75]), "{mass:?}");
}

/// Burn's epoch, as `SingleDeviceTrainEpoch` of burn-train 0.22.1 runs it: whether and when it steps.
fn epoch(
    grouped: &GroupedStep<Tensor<2>>,
    mut model: Model,
    batches: &[Labelled],
    accumulation: Option<usize>,
    rate: f64,
) -> Result<Model, TrainError> {
    let mut optimizer = SgdConfig::new().init();
    let (mut accumulator, mut current) = (GradientsAccumulator::new(), 0);
    for (at, batch) in batches.iter().enumerate() {
        let grads = called(grouped, &model, batch)?.update;
        match accumulation {
            Some(accumulation) => {
                accumulator.accumulate(&model, grads);
                current += 1;
                if accumulation <= current || at + 1 == batches.len() {
                    model = optimizer.step(rate, model, accumulator.grads());
                    current = 0;
                }
            }
            None => model = optimizer.step(rate, model, grads),
        }
    }
    Ok(model)
}

/// The same in draws that were put together before.
fn drawn(
    objective: fn() -> Objective,
    mut model: Model,
    batches: &[Labelled],
    (each, epochs): (usize, usize),
) -> Model {
    let (mut objective, mut optimizer) = (objective(), SgdConfig::new().init());
    for _ in 0..epochs {
        for draw in batches.chunks(each) {
            let (inputs, labels) = whole(draw);
            let stepped = step(&model, &mut objective, Some(&labels), |m| m.losses(&inputs));
            model = optimizer.step(0.1, model, stepped.unwrap().update);
        }
    }
    model
}

#[test]
fn epochs_of_a_learner_train_on_whole_draws() {
    // Seven batches in draws of three: the last draw of an epoch has one.
    let batches = batches(7);
    for objective in objectives() {
        let start = model();
        for (count, epochs) in [(6, 2), (7, 2)] {
            let batches = &batches[..count];
            let grouped = GroupedStep::new(objective())
                .with_accumulation(3)
                .with_epoch(count);
            let mut learned = start.clone();
            for _ in 0..epochs {
                learned = epoch(&grouped, learned, batches, Some(3), 0.1).unwrap();
            }
            let expected = drawn(objective, start.clone(), batches, (3, epochs));
            assert!(close(
                &crate::common::weight(&learned),
                &crate::common::weight(&expected)
            ));
        }
        // Steps with empty updates move nothing, so a Learner that does not accumulate is right as well.
        let grouped = GroupedStep::new(objective()).with_accumulation(3);
        let learned = epoch(&grouped, start.clone(), &batches[..6], None, 0.1).unwrap();
        let expected = drawn(objective, start.clone(), &batches[..6], (3, 1));
        assert!(close(
            &crate::common::weight(&learned),
            &crate::common::weight(&expected)
        ));
    }
}

/// Settings of the loop and of the grouped step that disagree are errors, whatever the learning rate.
#[test]
fn loops_that_do_not_go_with_the_draws_are_refused() {
    let batches = batches(7);
    let run = |calls: usize, accumulation, rate, objective: fn() -> Objective| {
        let grouped = GroupedStep::new(objective()).with_accumulation(calls);
        let once = epoch(&grouped, model(), &batches, accumulation, rate)?;
        epoch(&grouped, once, &batches, accumulation, rate).map(drop)
    };
    for objective in [objectives()[1], objectives()[6]] {
        for rate in [0.1, 0.0] {
            let message = |calls, accumulation| {
                let refused = run(calls, accumulation, rate, objective).unwrap_err();
                assert!(
                    matches!(refused, TrainError::Accumulation { .. }),
                    "{refused}"
                );
                refused.to_string()
            };
            // The Learner adds up what the grouped step takes for whole draws.
            let expected = "a Learner with `grads_accumulation(k)` needs a GroupedStep `with_accumulation(k)` of the same k";
            let same = message(1, Some(4)).to_lowercase();
            assert!(same.contains(&expected.to_lowercase()), "{same}");
            assert!(message(2, Some(4)).contains("`grads_accumulation(k)`"));
            assert!(message(2, Some(3)).contains("`grads_accumulation(k)`"));
            assert!(message(4, Some(3)).contains("`grads_accumulation(k)`"));
            // An epoch ends in the middle of a draw.
            assert!(message(3, Some(3)).contains("`with_epoch` where k does not divide"));
            // Settings that agree are none, with a learning rate of zero too.
            run(1, None, rate, objective).unwrap();
            run(1, Some(1), rate, objective).unwrap();
            run(7, Some(7), rate, objective).unwrap();
        }
    }
    // A step that failed moved nothing.
    let (grouped, model) = (GroupedStep::new(objectives()[1]()), model());
    let too_few = (batches[0].0.clone(), vec![Some(0)]);
    assert!(called(&grouped, &model, &too_few).is_err());
    called(&grouped, &model, &batches[0]).unwrap();
    assert!(called(&grouped, &model, &batches[1]).is_err());
    // Nor may it move within a draw.
    let (grouped, start) = (
        GroupedStep::new(objectives()[1]()).with_accumulation(3),
        &model,
    );
    called(&grouped, start, &batches[0]).unwrap();
    let stepped = called(&GroupedStep::new(objectives()[1]()), start, &batches[0]).unwrap();
    let moved = SgdConfig::new()
        .init()
        .step(0.0, model.clone(), stepped.update);
    let message = called(&grouped, &moved, &batches[1])
        .map(drop)
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("the model has moved before batch 2 of the 3"),
        "{message}"
    );
    // Who looks only says so, and another training starts anew.
    called(&grouped, &moved, &batches[1]).unwrap();
    grouped.restart();
    for batch in &batches[..3] {
        called(&grouped, &model, batch).unwrap();
    }
    let still = GroupedStep::new(objectives()[1]()).with_still_model();
    for batch in &batches {
        called(&still, &model, batch).unwrap();
    }
}

/// A parameter that has no gradient does not move; nor need it.
#[test]
fn what_is_frozen_does_not_move() {
    let mut model = model();
    model.layer.bias = model.layer.bias.map(|bias| bias.set_require_grad(false));
    let grouped = GroupedStep::new(objectives()[1]());
    let model = epoch(&grouped, model, &batches(4), None, 0.1).unwrap();
    let error = epoch(&grouped, model, &batches(4), Some(2), 0.1);
    assert!(error.is_err());
}

/// Burn's `Learner` on several devices steps forks of the model on threads of their own, and adds up their gradients.
#[test]
fn forks_on_threads_are_refused() {
    let (model, batches) = (model(), batches(2));
    let grouped = GroupedStep::new(objectives()[1]());
    let device = Device::flex().autodiff();
    let results: Vec<_> = batches
        .iter()
        .map(|batch| {
            let (model, grouped, device) = (model.clone(), grouped.clone(), device.clone());
            let stepped = std::thread::scope(|scope| {
                let worker =
                    scope.spawn(|| called(&grouped, &model.fork(&device), batch).map(drop));
                worker.join().unwrap()
            });
            stepped.map_err(|error| error.to_string())
        })
        .collect();
    assert_eq!(results[0], Ok(()));
    let message = results[1].clone().unwrap_err();
    assert!(
        message.contains("gradients of several devices"),
        "{message}"
    );
    // One model on one thread after the other is none of this.
    grouped.restart();
    let mut model = model;
    for batch in &batches {
        let stepped = std::thread::scope(|scope| {
            scope
                .spawn(|| called(&grouped, &model, batch))
                .join()
                .unwrap()
        });
        model = SgdConfig::new()
            .init()
            .step(0.1, model, stepped.unwrap().update);
    }
}

/// A batch that is held costs the wait for its losses; the last waits as a whole draw does.
#[test]
fn a_batch_that_is_held_waits_once() {
    let (model, batches) = (model(), batches(3));
    for (objective, last) in [(objectives()[1], 1), (objectives()[5], 2)] {
        let grouped = GroupedStep::new(objective()).with_accumulation(3);
        // The check before the first step waits by itself.
        let grouped = grouped.unverified();
        let waits = batches.iter().map(|batch| {
            let before = reads();
            called(&grouped, &model, batch).unwrap();
            reads() - before
        });
        assert_eq!(waits.collect::<Vec<_>>(), [1, 1, last]);
    }
}

/// Asks for standing examples as it is told to, and writes down which it is shown.
#[derive(Clone)]
struct Asks {
    wishes: Vec<Option<Standing>>,
    shown: Arc<Mutex<Vec<Vec<f32>>>>,
}

impl Grouping for Asks {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn wants(&self) -> Option<Standing> {
        self.wishes.first().copied().flatten()
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let losses = standing.losses().clone().into_data();
        let losses: Vec<f32> = losses.try_to_vec().unwrap();
        let roots = losses.into_iter().map(|loss| loss.sqrt().round());
        self.shown.lock().unwrap().push(roots.collect());
        Ok(())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        self.wishes.remove(0);
        Ok(Groups::one(draw.num_examples(), &draw.device()))
    }
}

/// Examples whose losses are the squares of these numbers, whatever the model is.
fn numbered(numbers: impl Iterator<Item = usize>) -> Tensor<2> {
    let rows: Vec<f32> = numbers.map(|number| number as f32).collect();
    let n = rows.len();
    Tensor::from_data(TensorData::new(rows, [n, 1]), &Device::flex())
}

fn numbers(model: &Model, batch: &Tensor<2>) -> Tensor<1> {
    let [n, _] = batch.dims();
    let zero = model.layer.tap(batch.clone().expand([n, 3])) * 1e-6;
    (zero + batch.clone()).powi_scalar(2).reshape([n])
}

/// Fresh ones take the places of the oldest, and all others are shown again, in their order.
#[test]
fn standing_examples_come_go_and_stay() {
    let wishes = vec![
        Some(Standing::Fresh(4)),
        None,
        Some(Standing::Again),
        Some(Standing::Replace(3)),
        Some(Standing::Replace(3)),
        Some(Standing::Again),
        Some(Standing::Fresh(2)),
        None,
    ];
    let expected: [&[f32]; 6] = [
        &[1.0, 2.0, 3.0, 4.0],
        &[1.0, 2.0, 3.0, 4.0],
        &[4.0, 5.0, 6.0, 7.0],
        &[7.0, 8.0, 9.0, 10.0],
        &[7.0, 8.0, 9.0, 10.0],
        &[11.0, 12.0],
    ];
    for calls in [1, 2] {
        let shown = Arc::new(Mutex::new(Vec::new()));
        let asks = Asks {
            wishes: wishes.clone(),
            shown: Arc::clone(&shown),
        };
        let mut next = 1;
        let grouped = GroupedStep::new(Objective::new(asks, Mean))
            .with_accumulation(calls)
            .with_standing_from(move |n| {
                next += n;
                numbered(next - n..next)
            })
            .with_still_model();
        let model = model();
        for _ in 0..8 * calls {
            grouped
                .step(&model, None, &numbered(0..2), numbers)
                .unwrap();
        }
        assert_eq!(*shown.lock().unwrap(), expected);
    }
}

#[test]
fn standing_examples_that_nobody_can_give_are_named() {
    let grouped = |wishes: &[Standing]| {
        let asks = Asks {
            wishes: wishes.iter().copied().map(Some).collect(),
            shown: Arc::default(),
        };
        GroupedStep::new(Objective::new(asks, Mean)).with_still_model()
    };
    let message = |grouped: &GroupedStep<Tensor<2>>| {
        let stepped = grouped.step(&model(), None, &numbered(0..2), numbers);
        stepped.map(drop).map_err(|error| error.to_string())
    };
    // Fixed ones stand for every draw, but are replaced by none.
    let fixed = grouped(&[Standing::Fresh(4), Standing::Again, Standing::Replace(2)]);
    let fixed = fixed.with_standing(numbered(0..4));
    assert_eq!(message(&fixed), Ok(()));
    assert_eq!(message(&fixed), Ok(()));
    let refused = message(&fixed).unwrap_err();
    assert!(
        refused.contains("wants 2 of them replaced by fresh ones"),
        "{refused}"
    );
    assert!(refused.contains("`with_standing_from`"), "{refused}");
    // Too few, and none to show again.
    let few = grouped(&[Standing::Fresh(4)]).with_standing_from(|n| numbered(0..n - 1));
    assert_eq!(
        message(&few).unwrap_err(),
        "standing examples: 4 were asked for, and there are 3 losses"
    );
    let none = grouped(&[Standing::Again]).with_standing_from(|n| numbered(0..n));
    assert!(message(&none).unwrap_err().contains("has drawn none"));
}

/// Landmarks that change, and groups that form anew, in a loop of somebody else's.
#[test]
fn landmarks_and_centroids_train() {
    let landmarks = || {
        let landmarks = Landmarks::new(2, Metric::euclidean(), 7)
            .with_examples(8)
            .unwrap()
            .with_every(2)
            .unwrap();
        Objective::new(landmarks.with_refresh(0.5).unwrap(), SumOfSquares)
    };
    let centroids = || {
        Centroids::new(2, Metric::euclidean(), 7)
            .with_examples(8)
            .unwrap()
            .with_every(2)
            .unwrap()
    };
    let mut at = 0;
    let mut draw = move |n: usize| {
        at += n;
        let inputs: Vec<f32> = (0..3 * n)
            .map(|j| ((3 * at + j) as f32 * 0.37).sin())
            .collect();
        Tensor::<2>::from_data(TensorData::new(inputs, [n, 3]), &Device::flex())
    };
    let refused = GroupedStep::new(landmarks()).with_standing(draw(8));
    let refused = epoch(&refused, model(), &batches(6), None, 0.1).map(drop);
    assert!(
        matches!(refused, Err(TrainError::Standing { .. })),
        "{refused:?}"
    );
    for objective in [landmarks(), Objective::new(centroids(), SumOfSquares)] {
        let grouped = GroupedStep::new(objective).with_standing_from(draw);
        epoch(&grouped, model(), &batches(6), None, 0.1).unwrap();
    }
    let fixed = GroupedStep::new(Objective::new(centroids(), SumOfSquares)).with_standing(draw(8));
    epoch(&fixed, model(), &batches(6), None, 0.1).unwrap();
}

/// Its examples carry no label; a draw of such batches alone has none.
#[test]
fn a_batch_that_nobody_named() {
    let model = model();
    let sizes = [4, 3, 5];
    let (inputs, _) = whole(&batches(3));
    let from = |at: usize| sizes[..at].iter().sum();
    let batches: Vec<_> = (0..3)
        .map(|at| inputs.clone().narrow(0, from(at), sizes[at]))
        .collect();
    let labels: [Option<Vec<Option<usize>>>; 3] = [
        Some(vec![Some(0), Some(1), None, Some(0)]),
        None,
        Some(vec![Some(1), Some(1), Some(0), None, Some(0)]),
    ];
    for order in [[0, 1, 2], [1, 0, 2], [0, 2, 1]] {
        let all_inputs = Tensor::cat(order.map(|at| batches[at].clone()).to_vec(), 0);
        let all: Vec<_> = order
            .iter()
            .flat_map(|&at| labels[at].clone().unwrap_or(vec![None; sizes[at]]))
            .collect();
        let made = || Objective::new(Labels::new(2), SumOfSquares);
        let expected = step(&model, &mut made(), Some(&all), |m| m.losses(&all_inputs)).unwrap();
        let grouped = GroupedStep::new(made()).with_accumulation(3);
        let mut last = None;
        for at in order {
            last = Some(
                grouped
                    .step(&model, labels[at].as_deref(), &batches[at], |m, x| {
                        m.losses(x)
                    })
                    .unwrap(),
            );
        }
        let last = last.unwrap();
        assert!(close(&last.coefficients, &expected.coefficients));
        assert!(close(
            &gradient(&last.update, &model),
            &gradient(&expected.update, &model)
        ));
    }
    // No label at all.
    let grouped =
        GroupedStep::new(Objective::new(Labels::new(2), SumOfSquares)).with_accumulation(2);
    grouped
        .step(&model, None, &batches[0], |m, x| m.losses(x))
        .unwrap();
    let error = grouped
        .step(&model, None, &batches[1], |m, x| m.losses(x))
        .expect_err("no labels");
    assert!(error.to_string().contains("needs the labels"), "{error}");
}

/// A count of nothing is an error, and is not taken for one.
#[test]
fn counts_of_nothing_are_errors() {
    let model = crate::common::Model {
        layer: LinearConfig::new(3, 1).init(&Device::flex().autodiff()),
    };
    let x = Tensor::<2>::ones([4, 3], &Device::flex().autodiff());
    let grouped = || GroupedStep::new(Objective::new(OneGroup, Mean));
    for (grouped, said) in [
        (grouped().with_accumulation(0), "with_accumulation"),
        (grouped().with_epoch(0), "with_epoch"),
    ] {
        let stepped = grouped.step(&model, None, &x, |m, x| m.losses(x));
        let error = stepped.map(drop).unwrap_err();
        assert!(matches!(error, TrainError::Accumulation { .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    let config = TrainerConfig {
        every: 0,
        ..TrainerConfig::default()
    };
    let task = crate::common::Regression::new();
    let sgd = SgdConfig::new().init();
    let objective = Objective::new(OneGroup, Mean);
    let trainer = Trainer::new(&task, objective, sgd, &Device::flex(), config);
    let error = trainer.run().map(drop).unwrap_err();
    assert!(
        matches!(error, TrainError::Setting { name: "every", .. }),
        "{error}"
    );
}
