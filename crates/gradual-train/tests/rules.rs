//! Compositions with state and rules on group gradients inside a step.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use gradual_grad::Tap;
use gradual_group::{EachExample, Labels};
use gradual_loss::{Focal, GroupDro, LossError, Mean, Mgda, PcGrad, Scale, SumOfSquares, UpGrad};
use gradual_train::{Objective, TrainError, step};

/// Loss x_j·w, so that the gradient of example j is x_j.
#[derive(Module, Debug)]
struct Model {
    layer: Linear,
}

/// Examples of three groups, of which the first two conflict.
const INPUTS: [[f32; 2]; 4] = [[2.0, 0.0], [0.0, 0.0], [-1.0, 1.0], [0.5, 3.0]];
const LABELS: [Option<usize>; 4] = [Some(0), Some(0), Some(1), Some(2)];

impl Model {
    fn new() -> Self {
        let device = Device::flex().autodiff();
        let mut layer = LinearConfig::new(2, 1).with_bias(false).init(&device);
        layer.weight =
            Param::from_tensor(Tensor::full([2, 1], 0.5, &device)).set_require_grad(true);
        Self { layer }
    }

    fn losses(&self) -> Tensor<1> {
        let inputs = Tensor::<2>::from_floats(INPUTS, &Device::flex());
        self.layer.tap(inputs).reshape([4])
    }

    fn direction(&self, update: &GradientsParams) -> Vec<f32> {
        let gradient = update.get::<2>(self.layer.weight.id).expect("a gradient");
        gradient.into_data().try_to_vec().expect("f32")
    }
}

fn stepped(objective: &mut Objective) -> (Vec<f32>, Vec<f32>) {
    let model = Model::new();
    let stepped = step(&model, objective, Some(&LABELS), Model::losses).unwrap();
    (model.direction(&stepped.update), stepped.coefficients)
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Group gradients (1, 0), (−1, 1) and (½, 3): the update follows each rule's promise.
#[test]
fn rules_on_gradients_take_a_step() {
    let groups = [[1.0, 0.0], [-1.0, 1.0], [0.5, 3.0]];
    let labels = || Labels::new(3);
    let mut upgrad = Objective::on_gradients(labels(), UpGrad);
    assert!(upgrad.needs_gradients() && upgrad.needs_gram() && upgrad.needs_labels());
    let (direction, coefficients) = stepped(&mut upgrad);
    assert!(
        groups
            .iter()
            .all(|group| product(&direction, group) >= -1e-4)
    );
    assert!(coefficients.iter().all(|&c| c > 0.0));

    // The hull's least norm lies between the first two: 0.6 (1, 0) + 0.4 (−1, 1).
    let (direction, coefficients) = stepped(&mut Objective::on_gradients(labels(), Mgda));
    let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4);
    assert!(near(&direction, &[0.2, 0.4]), "{direction:?}");
    assert!(
        near(&coefficients, &[0.3, 0.3, 0.4, 0.0]),
        "{coefficients:?}"
    );

    let mut pcgrad = Objective::on_gradients(labels(), PcGrad::new(0));
    let fresh = pcgrad.state().unwrap();
    stepped(&mut pcgrad);
    assert_ne!(
        pcgrad.state().unwrap(),
        fresh,
        "it draws another order each time"
    );
}

/// One Gram matrix serves the rule and the scale: the ERM gradient is (1.5, 4)/4.
#[test]
fn a_rule_and_a_matched_norm() {
    let rule = Objective::on_gradients(Labels::new(3), UpGrad);
    let (direction, _) = stepped(&mut rule.with_scale(Scale::MatchNorm));
    let erm = (1.5f32 * 1.5 + 16.0) / 16.0;
    assert!((product(&direction, &direction) - erm).abs() < 1e-4);
}

/// State goes with the objective, and one of another objective is refused.
#[test]
fn an_objective_remembers() {
    let dro = || Objective::new(Labels::new(3), GroupDro::new(0.5).unwrap());
    let (mut first, mut second) = (dro(), dro());
    assert!(!first.needs_gradients());
    stepped(&mut first);
    let state = first.state().unwrap();
    let device = Device::flex();
    second.restore(&state, &device).unwrap();
    assert_eq!(stepped(&mut first).1, stepped(&mut second).1);

    let mut mean = Objective::new(Labels::new(3), Mean);
    let own = mean.state().unwrap();
    mean.restore(&own, &device).unwrap();
    assert!(matches!(
        mean.restore(&state, &device),
        Err(TrainError::Loss(LossError::State { .. }))
    ));
}

/// Group losses of another count than the state's are refused before the state changes.
#[test]
fn groups_must_stay_the_same() {
    let mut objective = Objective::new(EachExample, GroupDro::new(0.5).unwrap());
    stepped(&mut objective);
    let before = objective.state().unwrap();
    let model = Model::new();
    let result = step(&model, &mut objective, None, |m| m.losses().narrow(0, 0, 3));
    let error = result.map(drop).unwrap_err();
    assert!(
        matches!(error, TrainError::Loss(LossError::Groups { .. })),
        "{error}"
    );
    assert_eq!(objective.state().unwrap(), before);
}

/// A composition of single examples costs an ordinary step: no tap is needed.
#[test]
fn single_examples_need_no_gradients() {
    let mut focal = Objective::new(EachExample, Focal::new(2.0).unwrap());
    assert!(!focal.needs_gradients());
    let (_, coefficients) = stepped(&mut focal);
    assert!((coefficients.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(coefficients[1], 0.0, "its loss is zero");
}

/// A trunk that two groups share, and a head for each.
#[derive(Module, Debug)]
struct Heads {
    trunk: Linear,
    first: Linear,
    second: Linear,
}

/// Gradients on the trunk, of cosine −0.79, and of each group on its own head.
const TRUNK: [[f32; 2]; 2] = [[0.696, 0.0], [-1.437, 1.125]];
const HEADS: [[f32; 2]; 2] = [[2.015, 0.0], [0.0, 3.028]];

impl Heads {
    fn new() -> Self {
        let device = Device::flex().autodiff();
        let linear = |inputs| LinearConfig::new(inputs, 1).with_bias(false).init(&device);
        Self {
            trunk: linear(2),
            first: linear(1),
            second: linear(1),
        }
    }

    /// Example j belongs to group j; its loss is linear, so that its gradients are as above.
    fn losses(&self) -> Tensor<1> {
        let device = Device::flex();
        let heads = Tensor::<2>::from_floats(HEADS, &device);
        let column = |at| heads.clone().narrow(1, at, 1);
        let shared = self.trunk.tap(Tensor::<2>::from_floats(TRUNK, &device));
        let own = self.first.tap(column(0)) + self.second.tap(column(1));
        (shared + own).reshape([2])
    }
}

/// Coefficients, and the share of the update on the trunk.
fn heads(objective: Objective) -> Result<(Vec<f32>, Vec<f32>), TrainError> {
    let (model, mut objective) = (Heads::new(), objective);
    let labels = [Some(0), Some(1)];
    let stepped = step(&model, &mut objective, Some(&labels), Heads::losses)?;
    let gradient = stepped.update.get::<2>(model.trunk.weight.id);
    let gradient = gradient.expect("a gradient").into_data();
    Ok((stepped.coefficients, gradient.try_to_vec().expect("f32")))
}

/// With the heads in sight UPGrad's weights were 0.61 and 0.54, and its step hurt the first group on the trunk; the
/// trunk alone gives ½(1 + |a·b|/‖a‖²) = 1.53 and ½(1 + |a·b|/‖b‖²) = 0.65.
#[test]
fn a_rule_looks_at_the_shared_layers() {
    let rule = || Objective::on_gradients(Labels::new(2), UpGrad);
    let near = |a: &[f32], b: [f32; 2]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 0.01);
    let (all, hurting) = heads(rule()).unwrap();
    assert!(near(&all, [0.61, 0.54]), "{all:?}");
    assert!(product(&hurting, &TRUNK[0]) < -0.1, "{hurting:?}");

    let (shared, helping) = heads(rule().looking_at(&["trunk.*"])).unwrap();
    assert!(near(&shared, [1.53, 0.65]), "{shared:?}");
    for group in TRUNK {
        assert!(product(&helping, &group) > -1e-3, "{helping:?}");
    }
    for objective in [
        Objective::on_gradients(Labels::new(2), PcGrad::new(0)),
        Objective::on_gradients(Labels::new(2), Mgda),
    ] {
        let (_, helping) = heads(objective.looking_at(&["trunk.*"])).unwrap();
        for group in TRUNK {
            assert!(product(&helping, &group) > -1e-3, "{helping:?}");
        }
    }
    // Several globs show what any of them matches, once; all of them, what no glob shows.
    let some = heads(rule().looking_at(&["trunk.*", "first.*", "*.weight"])).unwrap();
    assert_eq!(some.0, all);
    let overlapping = heads(rule().looking_at(&["trunk.weight", "trunk.{weight,bias}"])).unwrap();
    assert_eq!(overlapping.0, shared);
}

/// A matched norm is that of all gradients, whatever the rule looks at.
#[test]
fn a_matched_norm_looks_at_everything() {
    let rule = Objective::on_gradients(Labels::new(2), UpGrad).looking_at(&["trunk.*"]);
    let (c, _) = heads(rule.with_scale(Scale::MatchNorm)).unwrap();
    assert!((c[0] / c[1] - 1.53 / 0.65).abs() < 0.02, "{c:?}");
    let norm = |c: [f32; 2]| {
        let sum = |at: usize, rows: [[f32; 2]; 2]| c[0] * rows[0][at] + c[1] * rows[1][at];
        [(0, TRUNK), (1, TRUNK), (0, HEADS), (1, HEADS)]
            .map(|(at, rows)| sum(at, rows).powi(2))
            .iter()
            .sum::<f32>()
    };
    assert!((norm([c[0], c[1]]) / norm([0.5, 0.5]) - 1.0).abs() < 1e-4);
}

#[test]
fn layers_that_are_not_there() {
    let rule = || Objective::on_gradients(Labels::new(2), UpGrad);
    for globs in [&["stem.*"][..], &["trunk.*", "stem.*"]] {
        let error = heads(rule().looking_at(globs)).unwrap_err().to_string();
        assert!(
            error.contains("stem.*") && error.contains("trunk.weight"),
            "{error}"
        );
    }
    let composed = Objective::new(Labels::new(2), SumOfSquares).looking_at(&["trunk.*"]);
    let error = heads(composed).unwrap_err().to_string();
    assert!(
        error.starts_with("objective: only a rule on group gradients looks at layers"),
        "{error}"
    );
}
