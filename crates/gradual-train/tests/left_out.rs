//! Examples without a loss: left out and counted, so that the step is that of the others.

use std::sync::{Arc, Mutex};

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{Bool, Device, Tensor, TensorData, s};
use gradual_grad::host::reads;
use gradual_grad::{Metric, Tap};
use gradual_group::{
    Draw, EachExample, GroupError, Grouping, Groups, KMeans, Labels, Landmarks, Needs, OneGroup,
    SingularVectors, Standing,
};
use gradual_loss::{GroupDro, Mean, PcGrad, PowerMean, Scale, SumOfSquares};
use gradual_runs::Evaluation;
use gradual_train::{
    CONTINUE, Capability, Drawn, Flow, GroupedStep, LabelSet, NotFinite, Objective, Observer,
    Score, SeenStep, Snapshot, Stepped, Stepper, Task, TrainError, Trainer, TrainerConfig, stand,
    step,
};
use rand_chacha::ChaCha8Rng;

use crate::common::Regression;

#[derive(Module, Debug)]
struct Model {
    hidden: Linear,
    readout: Linear,
}

/// Inputs `[n, 3]` and targets `[n, 2]`, of which those that are NaN are ignored.
#[derive(Clone)]
struct Batch {
    inputs: Tensor<2>,
    targets: Tensor<2>,
}

impl Model {
    fn new() -> Self {
        let device = Device::flex().autodiff();
        Self {
            hidden: LinearConfig::new(3, 4).init(&device),
            readout: LinearConfig::new(4, 2).init(&device),
        }
    }

    /// The mean over the targets that are not ignored: 0/0 without any, and so is its derivative.
    fn mean_over(output: Tensor<2>, targets: &Tensor<2>) -> Tensor<1> {
        let ignored: Tensor<2, Bool> = targets.clone().is_nan();
        let scored = ignored.clone().bool_not().float();
        let targets = targets.clone().mask_fill(ignored, 0.0);
        let errors = (output - targets).powi_scalar(2) * scored.clone();
        (errors.sum_dim(1) / scored.sum_dim(1)).squeeze_dim(1)
    }

    fn losses(&self, batch: &Batch) -> Tensor<1> {
        let hidden = tanh(self.hidden.tap(batch.inputs.clone()));
        Self::mean_over(self.readout.tap(hidden), &batch.targets)
    }

    fn untapped(&self, batch: &Batch) -> Tensor<1> {
        let hidden = tanh(self.hidden.forward(batch.inputs.clone()));
        Self::mean_over(self.readout.forward(hidden), &batch.targets)
    }

    /// The same with a NaN that has no derivative.
    fn masked(&self, batch: &Batch) -> Tensor<1> {
        let ignored = batch.targets.clone().is_nan();
        let targets = batch.targets.clone().mask_fill(ignored.clone(), 0.0);
        let hidden = tanh(self.hidden.forward(batch.inputs.clone()));
        let errors = (self.readout.forward(hidden) - targets).powi_scalar(2);
        let errors = errors
            .mask_fill(ignored.clone(), 0.0)
            .sum_dim(1)
            .squeeze_dim::<1>(1);
        errors.mask_fill(ignored.all_dim(1).squeeze_dim::<1>(1), f64::NAN)
    }
}

const N: usize = 8;
const LABELS: [Option<usize>; N] = [
    Some(0),
    Some(0),
    Some(1),
    Some(1),
    Some(2),
    Some(2),
    Some(2),
    None,
];
/// Group 1 has no example with a loss.
const IGNORED: [usize; 3] = [2, 3, 6];

fn batch(ignored: &[usize]) -> Batch {
    let wave = |by: f32| move |j: usize| (j as f32 * by).sin();
    let inputs: Vec<f32> = (0..3 * N).map(wave(0.7)).collect();
    let mut targets: Vec<f32> = (0..2 * N).map(wave(1.3)).collect();
    // One target of two is ignored, which is nothing special.
    targets[1] = f32::NAN;
    for at in ignored {
        targets[2 * at] = f32::NAN;
        targets[2 * at + 1] = f32::NAN;
    }
    let device = Device::flex();
    Batch {
        inputs: Tensor::from_data(TensorData::new(inputs, [N, 3]), &device),
        targets: Tensor::from_data(TensorData::new(targets, [N, 2]), &device),
    }
}

fn cut(batch: &Batch, from: usize, to: usize) -> Batch {
    Batch {
        inputs: batch.inputs.clone().slice(s![from..to]),
        targets: batch.targets.clone().slice(s![from..to]),
    }
}

/// The examples that have a loss, by themselves.
fn present() -> (Vec<usize>, Batch, Vec<Option<usize>>) {
    let present: Vec<usize> = (0..N).filter(|at| !IGNORED.contains(at)).collect();
    let all = batch(&IGNORED);
    let each = |at: &usize| cut(&all, *at, at + 1);
    let (inputs, targets) = present
        .iter()
        .map(each)
        .map(|one| (one.inputs, one.targets))
        .unzip();
    let batch = Batch {
        inputs: Tensor::cat(inputs, 0),
        targets: Tensor::cat(targets, 0),
    };
    let labels = present.iter().map(|&at| LABELS[at]).collect();
    (present, batch, labels)
}

fn gradient(update: &GradientsParams, model: &Model) -> Vec<f32> {
    let flat = |layer: &Linear| {
        let gradient = update.get::<2>(layer.weight.id).expect("a gradient");
        let gradient: Vec<f32> = gradient.into_data().try_to_vec().expect("f32");
        gradient
    };
    [flat(&model.hidden), flat(&model.readout)].concat()
}

fn close(a: &[f32], b: &[f32]) -> bool {
    let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5 * (1.0 + b.abs());
    a.len() == b.len() && a.iter().zip(b).all(near)
}

fn objectives() -> [fn() -> Objective; 8] {
    [
        || Objective::new(OneGroup, Mean),
        || Objective::new(Labels::new(3), SumOfSquares),
        || Objective::new(Labels::new(3), SumOfSquares).with_scale(Scale::MatchNorm),
        || Objective::new(Labels::new(3), GroupDro::new(0.1).unwrap()),
        || Objective::new(EachExample, PowerMean::new(3.0).unwrap()),
        || Objective::new(KMeans::new(2, 7), SumOfSquares),
        || Objective::new(SingularVectors::default(), SumOfSquares),
        || Objective::on_gradients(Labels::new(3), PcGrad::new(1)),
    ]
}

/// The step of the others, with nothing for those that are left out.
fn agrees(stepped: &Stepped, objective: fn() -> Objective, model: &Model, what: &str) {
    let (present, others, labels) = present();
    let expected = step(model, &mut objective(), Some(&labels), |m| {
        m.losses(&others)
    })
    .unwrap();
    assert_eq!(stepped.left_out, IGNORED, "{what}");
    let of = |values: &[f32]| present.iter().map(|&at| values[at]).collect::<Vec<f32>>();
    assert!(close(&of(&stepped.losses), &expected.losses), "{what}");
    assert!(
        close(&of(&stepped.coefficients), &expected.coefficients),
        "{what}"
    );
    let (got, wanted) = (
        gradient(&stepped.update, model),
        gradient(&expected.update, model),
    );
    assert!(close(&got, &wanted), "{what}: {got:?} {wanted:?}");
    for at in IGNORED {
        assert_eq!(stepped.coefficients[at], 0.0, "{what}");
        assert!(!stepped.losses[at].is_finite(), "{what}");
    }
    let membership = |groups: &Groups| -> Vec<Vec<f32>> {
        let columns = groups.membership().clone().transpose().into_data();
        let all: Vec<f32> = columns.try_to_vec().unwrap();
        all.chunks(groups.num_groups())
            .map(<[f32]>::to_vec)
            .collect()
    };
    let (got, wanted) = (membership(&stepped.groups), membership(&expected.groups));
    assert_eq!(got.len(), N, "{what}");
    for (&at, wanted) in present.iter().zip(&wanted) {
        assert!(close(&got[at], wanted), "{what}");
    }
    assert!(
        IGNORED.iter().all(|&at| got[at].iter().all(|&m| m == 0.0)),
        "{what}"
    );
    assert_eq!(stepped.groups.sizes(), expected.groups.sizes(), "{what}");
    let wanted = expected.groups.assignment();
    assert_eq!(
        stepped.groups.assignment().is_some(),
        wanted.is_some(),
        "{what}"
    );
    if let (Some(got), Some(wanted)) = (stepped.groups.assignment(), wanted) {
        let of: Vec<_> = present.iter().map(|&at| got[at]).collect();
        assert_eq!((of.as_slice(), got[2]), (wanted, None), "{what}");
    }
}

#[test]
fn the_step_is_that_of_the_others() {
    let (model, all) = (Model::new(), batch(&IGNORED));
    for (at, objective) in objectives().into_iter().enumerate() {
        let stepper = Stepper::default().leaving_out();
        let stepped = stepper.step(&model, &mut objective(), LabelSet::new(&LABELS), |m| {
            m.losses(&all)
        });
        agrees(
            &stepped.unwrap(),
            objective,
            &model,
            &format!("objective {at}"),
        );
        // In parts, one of which has no loss at all.
        for bounds in [&[0, 2, 4, 8][..], &[0, 5, 8], &[0, 1, 3, 4, 7, 8]] {
            let parts: Vec<Batch> = bounds.windows(2).map(|w| cut(&all, w[0], w[1])).collect();
            let stepped = stepper.step_in_parts(
                &model,
                &mut objective(),
                LabelSet::new(&LABELS),
                &parts,
                |m, part| m.losses(part),
            );
            let what = format!("objective {at} in {bounds:?}");
            agrees(&stepped.unwrap(), objective, &model, &what);
            let grouped = GroupedStep::new(objective())
                .leaving_out()
                .with_accumulation(parts.len());
            let mut last = None;
            for (part, w) in parts.iter().zip(bounds.windows(2)) {
                let labels = &LABELS[w[0]..w[1]];
                let stepped = grouped.step(&model, Some(labels), part, |m, x| m.losses(x));
                last = Some(stepped.unwrap());
            }
            agrees(
                &last.unwrap(),
                objective,
                &model,
                &format!("grouped, {what}"),
            );
        }
    }
    // A draw in which every example has a loss is the ordinary one, bit for bit.
    for objective in objectives() {
        let all = batch(&[]);
        let stepper = Stepper::default().leaving_out();
        let stepped = stepper.step(&model, &mut objective(), LabelSet::new(&LABELS), |m| {
            m.losses(&all)
        });
        let plain = step(&model, &mut objective(), Some(&LABELS), |m| m.losses(&all)).unwrap();
        let stepped = stepped.unwrap();
        assert!(stepped.left_out.is_empty());
        assert_eq!(stepped.coefficients, plain.coefficients);
        assert_eq!(
            gradient(&stepped.update, &model),
            gradient(&plain.update, &model)
        );
    }
}

/// Without taps a NaN that has no derivative is left out as well; one that has is in the way of all others.
#[test]
fn layers_without_taps() {
    let (model, all) = (Model::new(), batch(&IGNORED));
    let halves = [cut(&all, 0, 4), cut(&all, 4, 8)];
    let stepper = Stepper::default().leaving_out();
    for objective in &objectives()[..2] {
        let stepped = stepper.step(&model, &mut objective(), LabelSet::new(&LABELS), |m| {
            m.masked(&all)
        });
        let in_parts = stepper.step_in_parts(
            &model,
            &mut objective(),
            LabelSet::new(&LABELS),
            &halves,
            Model::masked,
        );
        let (_, others, labels) = present();
        let expected = step(&model, &mut objective(), Some(&labels), |m| {
            m.masked(&others)
        })
        .unwrap();
        for stepped in [stepped.unwrap(), in_parts.unwrap()] {
            assert_eq!(stepped.left_out, IGNORED);
            let (got, wanted) = (
                gradient(&stepped.update, &model),
                gradient(&expected.update, &model),
            );
            assert!(close(&got, &wanted), "{got:?} {wanted:?}");
        }
        let stepped = stepper.step(&model, &mut objective(), LabelSet::new(&LABELS), |m| {
            m.untapped(&all)
        });
        let in_parts = stepper.step_in_parts(
            &model,
            &mut objective(),
            LabelSet::new(&LABELS),
            &halves,
            Model::untapped,
        );
        for stepped in [stepped, in_parts] {
            let error = stepped.map(drop).unwrap_err();
            let TrainError::LeftOut { examples, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(*examples, IGNORED);
            let message = error.to_string();
            assert!(message.contains("examples 2, 3, 6 left out"), "{message}");
            assert!(
                message.contains("Call `tap` instead of `forward`"),
                "{message}"
            );
        }
    }
}

#[test]
fn nothing_is_left_out_unasked_and_not_everything() {
    let (model, all) = (Model::new(), batch(&IGNORED));
    for objective in objectives() {
        let stepped = step(&model, &mut objective(), Some(&LABELS), |m| m.losses(&all));
        let error = stepped.map(drop).unwrap_err();
        assert!(
            matches!(
                error,
                TrainError::NotFinite {
                    what: "loss",
                    example: 2,
                    ..
                }
            ),
            "{error}"
        );
        let none = batch(&[0, 1, 2, 3, 4, 5, 6, 7]);
        let stepper = Stepper::default().leaving_out();
        let stepped = stepper.step(&model, &mut objective(), LabelSet::new(&LABELS), |m| {
            m.losses(&none)
        });
        let error = stepped.map(drop).unwrap_err();
        assert!(
            matches!(
                error,
                TrainError::NotFinite {
                    what: "loss",
                    example: 0,
                    ..
                }
            ),
            "{error}"
        );
        // Labels are still those of all examples.
        let few = &LABELS[..5];
        let mut labelled = Objective::new(Labels::new(3), SumOfSquares);
        let stepped = stepper.step(&model, &mut labelled, LabelSet::new(few), |m| {
            m.losses(&all)
        });
        let message = stepped.map(drop).unwrap_err().to_string();
        assert!(message.contains('8') && message.contains('5'), "{message}");
    }
}

/// Which examples have a loss must be known before they are grouped: one wait more.
#[test]
fn leaving_out_waits_once_more() {
    let model = Model::new();
    for ignored in [&[][..], &IGNORED] {
        let all = batch(ignored);
        for (objective, waits) in objectives().into_iter().zip([1, 1, 1, 2, 1, 2, 1, 2]) {
            let stepper = Stepper::default().leaving_out();
            let before = reads();
            stepper
                .step(&model, &mut objective(), LabelSet::new(&LABELS), |m| {
                    m.losses(&all)
                })
                .unwrap();
            assert_eq!(reads() - before, waits + 1);
        }
    }
}

/// A regression in which every fifth example of a draw has no target.
struct Holes(Regression);

impl Task for Holes {
    type Model = crate::common::Model;
    type Batch = (Tensor<2>, Tensor<1>);

    fn capabilities(&self) -> &[Capability] {
        self.0.capabilities()
    }

    fn model(&self, random: &mut ChaCha8Rng, device: &Device) -> crate::common::Model {
        self.0.model(random, device)
    }

    fn draw(
        &self,
        n: usize,
        random: &mut ChaCha8Rng,
        device: &Device,
    ) -> Result<Drawn<Self::Batch>, TrainError> {
        let Drawn {
            batch: (inputs, targets),
            labels,
            more_labels,
            ..
        } = self.0.draw(n, random, device)?;
        let holes: Vec<f32> = (0..n)
            .map(|at| if at % 5 == 1 { f32::NAN } else { 0.0 })
            .collect();
        let holes = Tensor::from_data(TensorData::new(holes, [n]), device);
        Ok(Drawn {
            batch: (inputs, targets + holes),
            labels,
            more_labels,
            items: Vec::new(),
        })
    }

    fn losses(&self, model: &crate::common::Model, batch: &Self::Batch) -> Tensor<1> {
        self.0.losses(model, batch)
    }

    fn evaluate(
        &self,
        model: &crate::common::Model,
        device: &Device,
    ) -> Result<Vec<Score>, TrainError> {
        self.0.evaluate(model, device)
    }
}

#[derive(Default)]
struct Kept {
    evaluations: Vec<Evaluation>,
    left_out: usize,
    losses: Vec<f64>,
    snapshot: Option<Snapshot>,
}

impl Observer for Kept {
    fn stepped(&mut self, seen: &SeenStep<'_>) -> Result<Flow, TrainError> {
        self.left_out += seen.left_out;
        self.losses.push(seen.loss);
        Ok(CONTINUE)
    }

    fn evaluated(&mut self, evaluation: &Evaluation, _seconds: f64) -> Result<Flow, TrainError> {
        self.evaluations.push(evaluation.clone());
        Ok(CONTINUE)
    }

    fn checkpoint_every(&self) -> Option<u64> {
        Some(33)
    }

    fn checkpoint(&mut self, snapshot: &Snapshot) -> Result<(), TrainError> {
        if snapshot.step == 33 {
            self.snapshot = Some(snapshot.clone());
        }
        Ok(())
    }
}

fn landmarks() -> Landmarks {
    let landmarks = Landmarks::new(2, Metric::euclidean(), 7);
    landmarks.with_examples(32).unwrap().with_every(10).unwrap()
}

/// Writes down the losses and norms that it is shown.
#[derive(Clone)]
struct Shown(Arc<Mutex<Vec<Vec<f32>>>>);

impl Grouping for Shown {
    fn needs(&self) -> Needs {
        Needs::Nothing
    }

    fn wants(&self) -> Option<Standing> {
        Some(Standing::Fresh(N))
    }

    fn stand(&mut self, standing: &Draw<'_>) -> Result<(), GroupError> {
        let losses = standing.losses().clone().into_data();
        self.0.lock().unwrap().push(losses.try_to_vec().unwrap());
        Ok(())
    }

    fn group(&mut self, draw: &Draw<'_>) -> Result<Groups, GroupError> {
        Ok(Groups::one(draw.num_examples(), &draw.device()))
    }
}

/// The number of standing examples stays: the nearest before it stands for one without a loss.
#[test]
fn standing_examples_without_a_loss_are_stood_for() {
    let (model, whole) = (Model::new(), batch(&[0, 3, 4]));
    let shown = Arc::new(Mutex::new(Vec::new()));
    let objective = || Objective::new(Shown(Arc::clone(&shown)), Mean);
    let stepper = Stepper::default().leaving_out();
    stepper
        .stand(&model, &mut objective(), |m| m.losses(&whole))
        .unwrap();
    for grouped in [
        GroupedStep::new(objective()).with_standing(whole.clone()),
        GroupedStep::new(objective()).with_standing_from(|_| batch(&[0, 3, 4])),
    ] {
        let grouped = grouped.leaving_out();
        grouped
            .step(&model, None, &whole, |m, x| m.losses(x))
            .unwrap();
    }
    let losses: Vec<f32> = model.losses(&batch(&[])).into_data().try_to_vec().unwrap();
    let expected: Vec<f32> = [1, 1, 2, 2, 2, 5, 6, 7]
        .map(|at: usize| losses[at])
        .to_vec();
    let shown = shown.lock().unwrap();
    assert_eq!(shown.len(), 3);
    assert!(
        shown.iter().all(|shown| close(shown, &expected)),
        "{shown:?} {expected:?}"
    );
    let refused = stand(&model, &mut objective(), |m| m.losses(&whole));
    assert!(matches!(
        refused,
        Err(TrainError::NotFinite { example: 0, .. })
    ));
}

#[test]
fn a_run_counts_what_it_leaves_out() {
    let task = Holes(Regression::new());
    for parts in [1, 2] {
        for objective in [
            (|| Objective::new(Labels::new(2), SumOfSquares)) as fn() -> Objective,
            || Objective::new(KMeans::new(2, 1), SumOfSquares),
            || Objective::new(landmarks(), SumOfSquares),
            || Objective::new(landmarks().with_refresh(0.5).unwrap(), SumOfSquares),
        ] {
            let run = |not_finite, from, kept: &mut Kept| {
                let config = TrainerConfig {
                    steps: 80,
                    draw: 16,
                    parts,
                    every: 40,
                    seed: 5,
                    not_finite,
                    verify: true,
                };
                let sgd = SgdConfig::new().init();
                let trainer = Trainer::new(&task, objective(), sgd, &Device::flex(), config);
                trainer.with_rate(0.1).resume(from).observe(kept).run()
            };
            let mut kept = Kept::default();
            let stopped = run(NotFinite::Stop, None, &mut kept).map(drop).unwrap_err();
            assert!(
                stopped.to_string().contains("the loss of example 1 is NaN"),
                "{stopped}"
            );

            let mut kept = Kept::default();
            let ended = run(NotFinite::LeaveOut, None, &mut kept).unwrap();
            // Of 16 examples those at 1, 6 and 11; of twice 8 those at 1 and 6.
            let each = [3, 4][parts - 1];
            assert_eq!(
                (ended.left_out, kept.left_out),
                (80 * each, 80 * each as usize)
            );
            let last = kept.evaluations.last().unwrap();
            assert_eq!((last.examples, last.left_out), (80 * 16, Some(80 * each)));
            assert_eq!(kept.evaluations[0].left_out, None);
            let mean = kept.losses[40..].iter().sum::<f64>() / 40.0;
            assert!((last.train_loss - mean).abs() < 1e-9, "{last:?} {mean}");
            assert!(last.mean_accuracy().unwrap() > 0.8, "{last:?}");

            let mut again = Kept::default();
            let resumed = run(NotFinite::LeaveOut, kept.snapshot.clone(), &mut again).unwrap();
            assert_eq!(resumed.left_out, ended.left_out);
            assert_eq!(again.evaluations.last(), kept.evaluations.last());
        }
    }
}
