//! Steps on models some of whose layers a draw does not use.

mod common;

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::{GradError, Metric, Tap, Tracer};
use gradual_group::{KMeans, Labels, Landmarks, OneGroup, SingularVectors};
use gradual_loss::{Mean, PcGrad, Scale, SumOfSquares};
use gradual_train::{
    GroupedStep, LabelSet, Objective, Stepper, TrainError, stand, step, step_in_parts,
};

#[derive(Module, Debug)]
struct Experts {
    trunk: Linear,
    experts: Vec<Linear>,
}

const N: usize = 8;

impl Experts {
    fn new() -> Self {
        let device = Device::flex().autodiff();
        device.seed(7);
        Self {
            trunk: LinearConfig::new(3, 4).init(&device),
            experts: (0..4)
                .map(|_| LinearConfig::new(4, 1).init(&device))
                .collect(),
        }
    }

    fn losses(&self, draw: &Routed) -> Tensor<1> {
        let hidden = self.trunk.tap(draw.inputs.clone()).tanh();
        let n = draw.route.len();
        let mut output = Tensor::<2>::zeros([n, 1], &hidden.device());
        for (at, expert) in self.experts.iter().enumerate() {
            // A mixture of experts does not run those that nothing is routed to.
            if !draw.route.contains(&at) {
                continue;
            }
            let own: Vec<f32> = draw.route.iter().map(|&to| f32::from(to == at)).collect();
            let own = Tensor::from_data(TensorData::new(own, [n, 1]), &hidden.device());
            output = output + expert.tap(hidden.clone()) * own;
        }
        (output - 1.0).powi_scalar(2).reshape([n])
    }

    fn numbers(&self) -> Vec<f32> {
        let layers = std::iter::once(&self.trunk).chain(&self.experts);
        let numbers = layers.flat_map(|layer| {
            let bias = layer
                .bias
                .as_ref()
                .map(|bias| bias.val().into_data().try_to_vec().unwrap());
            let weight: Vec<f32> = layer.weight.val().into_data().try_to_vec().unwrap();
            weight.into_iter().chain(bias.unwrap_or_default())
        });
        numbers.collect()
    }
}

struct Routed {
    inputs: Tensor<2>,
    route: Vec<usize>,
    labels: Vec<Option<usize>>,
}

/// Draws that use some of the experts each; the last one is used by one draw alone.
fn draws() -> Vec<Routed> {
    let device = Device::flex().autodiff();
    let draw = |at: usize| {
        let values: Vec<f32> = (0..N * 3)
            .map(|i| ((i * 7 + at * 13) as f32).sin())
            .collect();
        let route = match at {
            5 => vec![3; N],
            _ => (0..N).map(|j| (j / 2 + at) % 2 + at % 2).collect(),
        };
        Routed {
            inputs: Tensor::from_data(TensorData::new(values, [N, 3]), &device),
            route,
            labels: (0..N).map(|j| Some(j % 2)).collect(),
        }
    };
    (0..10).map(draw).collect()
}

fn experts(objective: Objective) -> Objective {
    objective.with_tracer(Tracer::default().allow_unused("experts.*"))
}

fn objectives() -> Vec<fn() -> Objective> {
    vec![
        || Objective::new(OneGroup, Mean),
        || Objective::new(Labels::new(2), SumOfSquares),
        || Objective::new(Labels::new(2), SumOfSquares).through_trace(),
        || Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::MatchNorm),
        || Objective::on_gradients(Labels::new(2), PcGrad::new(3)),
        || Objective::new(KMeans::new(2, 1), SumOfSquares),
        || Objective::new(SingularVectors::squared(), SumOfSquares),
    ]
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() < 2e-5 * (1.0 + b.abs()))
}

/// Ten steps of Adam, whose moments tell a gradient of zero from none: whatever the objective, the weights are those of
/// Burn's own backward pass of Σ_j c_j ℓ_j.
#[test]
fn steps_are_those_of_the_plain_backward_pass() {
    for (at, objective) in objectives().into_iter().enumerate() {
        for parts in [1, 2] {
            let mut objective = experts(objective());
            let mut model = Experts::new();
            let _drawn = model.numbers();
            let mut plain = model.clone();
            let adam = || AdamConfig::new().with_epsilon(1e-8).init();
            let (mut optimizer, mut reference) = (adam(), adam());
            for draw in draws() {
                let labels = Some(draw.labels.as_slice());
                let cut = |from: usize, to: usize| Routed {
                    inputs: draw.inputs.clone().narrow(0, from, to - from),
                    route: draw.route[from..to].to_vec(),
                    labels: Vec::new(),
                };
                let stepped = match parts {
                    1 => step(&model, &mut objective, labels, |m| m.losses(&draw)),
                    _ => step_in_parts(
                        &model,
                        &mut objective,
                        labels,
                        &[cut(0, 2), cut(2, N)],
                        Experts::losses,
                    ),
                }
                .unwrap();
                let c = TensorData::new(stepped.coefficients, [N]);
                let c = Tensor::<1>::from_data(c, &Device::flex());
                let total = (plain.losses(&draw) * c).sum().backward();
                let update = GradientsParams::from_grads(total, &plain);
                plain = reference.step(0.05, plain, update);
                model = optimizer.step(0.05, model, stepped.update);
                assert!(
                    close(&model.numbers(), &plain.numbers()),
                    "objective {at} in {parts} parts: {:?} {:?}",
                    model.numbers(),
                    plain.numbers()
                );
            }
        }
    }
}

/// The check before the first step, standing examples, accumulation and examples that are left out: all of them trace.
#[test]
fn everything_that_traces_knows_of_it() {
    let draws = draws();
    let model = Experts::new();
    let landmarks = || {
        let landmarks = Landmarks::new(2, Metric::euclidean(), 7)
            .with_examples(N)
            .unwrap();
        Objective::new(landmarks, SumOfSquares)
    };
    let refused = stand(&model, &mut landmarks(), |m| m.losses(&draws[0]));
    assert!(matches!(
        refused,
        Err(TrainError::Grad(GradError::Uncovered { .. }))
    ));
    let mut objective = experts(landmarks());
    stand(&model, &mut objective, |m| m.losses(&draws[0])).unwrap();
    step(&model, &mut objective, None, |m| m.losses(&draws[1])).unwrap();

    let refused = GroupedStep::new(Objective::new(KMeans::new(2, 1), SumOfSquares));
    let refused = refused.step(&model, None, &draws[0], |m, draw| m.losses(draw));
    assert!(matches!(
        refused,
        Err(TrainError::Grad(GradError::Uncovered { .. }))
    ));
    let grouped = GroupedStep::new(experts(Objective::new(KMeans::new(2, 1), SumOfSquares)));
    let grouped = grouped.with_accumulation(2);
    let mut stepped = None;
    for draw in &draws[..2] {
        stepped = Some(
            grouped
                .step(&model, None, draw, |m, draw| m.losses(draw))
                .unwrap(),
        );
    }
    assert_eq!(stepped.unwrap().coefficients.len(), 2 * N);

    let holes = |m: &Experts| {
        let hole: Vec<f32> = (0..N)
            .map(|j| if j == 3 { f32::NAN } else { 0.0 })
            .collect();
        m.losses(&draws[0]) + Tensor::from_data(TensorData::new(hole, [N]), &Device::flex())
    };
    for objective in objectives() {
        let stepper = Stepper::default().leaving_out();
        let labels = LabelSet::new(&draws[0].labels);
        let stepped = stepper
            .step(&model, &mut experts(objective()), labels, holes)
            .unwrap();
        assert_eq!(stepped.left_out, [3]);
    }
}

/// What traces leave out is not trained on Burn's own backward pass either.
#[test]
fn all_objectives_train_the_same_parameters() {
    let (model, draws) = (Experts::new(), draws());
    for objective in objectives() {
        let tracer = Tracer::default()
            .allow_unused("experts.*")
            .without("trunk.*");
        let mut objective = objective().with_tracer(tracer);
        let labels = Some(draws[0].labels.as_slice());
        for parts in [1, 2] {
            let half = Routed {
                inputs: draws[0].inputs.clone().narrow(0, 0, N / 2),
                route: draws[0].route[..N / 2].to_vec(),
                labels: Vec::new(),
            };
            let stepped = match parts {
                1 => step(&model, &mut objective, labels, |m| m.losses(&draws[0])),
                _ => {
                    let parts = [&half, &half];
                    step_in_parts(&model, &mut objective, labels, &parts, |m, part| {
                        m.losses(part)
                    })
                }
            };
            let update = stepped.unwrap().update;
            assert!(update.get::<2>(model.trunk.weight.id).is_none());
            assert!(
                update
                    .get::<1>(model.trunk.bias.as_ref().unwrap().id)
                    .is_none()
            );
            assert!(update.get::<2>(model.experts[0].weight.id).is_some());
        }
    }
}

/// A part without examples, whatever the objective.
#[test]
fn an_empty_part() {
    let (model, draws) = (Experts::new(), draws());
    for objective in objectives() {
        let none = Routed {
            inputs: draws[0].inputs.clone().slice(burn::tensor::s![0..0]),
            route: Vec::new(),
            labels: Vec::new(),
        };
        let labels = Some(draws[0].labels.as_slice());
        let mut objective = experts(objective());
        let losses = |m: &Experts, part: &&Routed| match part.route.len() {
            0 => m
                .losses(&draws[0])
                .narrow(0, 0, 1)
                .slice(burn::tensor::s![0..0]),
            _ => m.losses(part),
        };
        let error = step_in_parts(&model, &mut objective, labels, &[&draws[0], &none], losses)
            .map(drop)
            .unwrap_err();
        assert!(
            matches!(error, TrainError::EmptyPart { part: 1, parts: 2 }),
            "{error}"
        );
        assert!(error.to_string().contains("part 1 of 2"), "{error}");
        for parts in [&[&none][..], &[]] {
            let error = step_in_parts(&model, &mut objective, labels, parts, losses);
            let error = error.map(drop).unwrap_err();
            assert!(
                matches!(error, TrainError::Grad(GradError::EmptyDraw)),
                "{error}"
            );
        }
    }
}
