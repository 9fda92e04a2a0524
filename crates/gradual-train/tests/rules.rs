//! Compositions with state and rules on group gradients inside a step.

use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use gradual_grad::Tap;
use gradual_group::{EachExample, Labels};
use gradual_loss::{Focal, GroupDro, LossError, Mean, Mgda, PcGrad, Scale, UpGrad};
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
