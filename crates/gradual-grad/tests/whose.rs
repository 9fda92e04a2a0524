//! Whose parameter is it? Only the traced model's own count; every other module is a plain forward pass.

use crate::common::{On, agree, close, device, double, filled, squares, values};
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::tensor::activation::{log_softmax, relu, sigmoid};
use burn::tensor::{Device, FloatDType, Int, Tensor};
use gradual_grad::{GradError, Tap, TiedReadout, frozen_copy, naive_rows, trace, verify};

#[derive(Module, Debug)]
struct Net {
    hidden: Linear,
    readout: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        double(filled(Self {
            hidden: LinearConfig::new(3, 5).init(device),
            readout: LinearConfig::new(5, 4).init(device),
        }))
    }

    fn scores(&self, x: &Tensor<2>) -> Tensor<2> {
        self.readout.tap(relu(self.hidden.tap(x.clone())))
    }
}

fn inputs() -> Tensor<2> {
    values([6, 3], 11, FloatDType::F64)
}

/// The same module with all weights changed a little; identities stay.
fn altered<M: Module>(model: M) -> M {
    struct Alter;
    impl ModuleMapper for Alter {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| (tensor.inner() * 1.3 + 0.05).autodiff().require_grad())
        }
    }
    model.map(&mut Alter)
}

/// −ln σ of how much more the model likes the first answer than a reference does.
fn preference(model: &Net, reference: &Net, x: &Tensor<2>) -> Tensor<1> {
    let gap = |net: &Net| {
        let scores = log_softmax(net.scores(x), 1);
        (scores.clone().narrow(1, 0, 1) - scores.narrow(1, 1, 1)).reshape([x.dims()[0]])
    };
    sigmoid(gap(model) - gap(reference)).log().neg()
}

#[test]
fn a_frozen_clone_as_reference() {
    let model = Net::new(&device());
    let x = inputs();
    for reference in [model.clone().no_grad(), model.valid(), frozen_copy(&model)] {
        let gradients = agree(&model, |m| preference(m, &reference, &x), 1e-9);
        assert!(
            crate::common::numbers(gradients.norms())
                .iter()
                .all(|norm| *norm > 0.01)
        );
        verify(&model, |m| preference(m, &reference, &x)).expect("right");
    }
}

/// A record that was loaded twice gives both models the same identities.
#[test]
fn a_reference_from_the_same_record() {
    let model = Net::new(&device());
    let x = inputs();
    let reference = Net::new(&device())
        .load_record(model.clone().into_record())
        .no_grad();
    agree(&model, |m| preference(m, &reference, &x), 1e-9);
}

#[test]
fn a_clone_made_inside_the_closure() {
    let model = Net::new(&device());
    let x = inputs();
    agree(&model, |m| preference(m, &m.clone().no_grad(), &x), 1e-9);
    // A clone that is not frozen is the model.
    let squared = |m: &Net| {
        let both = m.scores(&x) * m.clone().scores(&x);
        both.sum_dim(1).reshape([6])
    };
    agree(&model, squared, 1e-9);
}

#[test]
fn distillation_from_an_altered_copy() {
    let model = Net::new(&device());
    let x = inputs();
    let losses = |m: &Net, teacher: &Net| {
        let soft = log_softmax(teacher.scores(&x), 1).exp();
        let own = log_softmax(m.scores(&x), 1);
        (soft * own).sum_dim(1).neg().reshape([6])
    };
    for teacher in [
        altered(model.clone()).no_grad(),
        altered(model.clone()).valid(),
    ] {
        agree(&model, |m| losses(m, &teacher), 1e-9);
    }
    // A clone that is trained like the model, detached.
    let clone = model.clone();
    let detached = |m: &Net| {
        let gap = m.scores(&x) - clone.scores(&x).detach() * 0.5;
        gap.powi_scalar(2).sum_dim(1).reshape([6])
    };
    agree(&model, detached, 1e-9);
    verify(&model, detached).expect("right");
    let followed = |m: &Net| (m.scores(&x) - clone.scores(&x)).sum_dim(1).reshape([6]);
    assert!(matches!(
        trace(&model, followed),
        Err(GradError::Unseen { .. })
    ));
    // One with identities of its own, detached or not.
    let teacher = Net::new(&device());
    agree(&model, |m| losses(m, &teacher), 1e-9);
}

#[derive(Module, Debug)]
struct Averaged {
    student: Net,
    teacher: Net,
}

impl Averaged {
    fn losses(&self, x: &Tensor<2>) -> Tensor<1> {
        let gap = self.student.scores(x) - self.teacher.scores(x).detach();
        let n = x.dims()[0];
        gap.powi_scalar(2).sum_dim(1).reshape([n])
    }
}

#[test]
fn student_and_teacher_in_one_module() {
    let student = Net::new(&device());
    let x = inputs();
    let clone = Averaged {
        teacher: altered(student.clone()).no_grad(),
        student: student.clone(),
    };
    let error = trace(&clone, |m| m.losses(&x)).expect_err("two things under one identity");
    let GradError::Identity { one, other, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!(
        (one.as_str(), other.as_str()),
        ("student.hidden.weight", "teacher.hidden.weight")
    );
    assert!(error.to_string().contains("frozen_copy"), "{error}");

    let both_trained = Averaged {
        teacher: altered(student.clone()),
        student: student.clone(),
    };
    let error = trace(&both_trained, |m| m.losses(&x)).expect_err("two values");
    assert!(error.to_string().contains("their values differ"), "{error}");

    let apart = Averaged {
        teacher: frozen_copy(&altered(student.clone())),
        student,
    };
    agree(&apart, |m| m.losses(&x), 1e-9);
    verify(&apart, |m| m.losses(&x)).expect("right");
}

#[derive(Module, Debug)]
struct Blocks {
    blocks: Vec<Linear>,
}

impl Blocks {
    fn losses(&self, x: &Tensor<2>) -> Tensor<1> {
        let n = x.dims()[0];
        let run = |x, block: &Linear| relu(block.tap(x)) + 0.1;
        self.blocks
            .iter()
            .fold(x.clone(), run)
            .powi_scalar(2)
            .sum_dim(1)
            .reshape([n])
    }
}

#[test]
fn cloned_blocks_are_named_as_shared() {
    let block = double(filled(LinearConfig::new(3, 3).init(&device())));
    let model = Blocks {
        blocks: vec![block; 3],
    };
    let x = inputs();
    let gradients = agree(&model, |m| m.losses(&x), 1e-9);
    let coverage = gradients.coverage();
    assert_eq!(
        coverage.covered()[0].shared,
        ["blocks.1.weight", "blocks.2.weight"]
    );
    let table = coverage.to_string();
    assert!(
        table.contains(
            "warning: blocks.0.weight and blocks.1.weight, blocks.2.weight are one parameter"
        ),
        "{table}"
    );
    let verified = verify(&model, |m| m.losses(&x)).expect("sums agree");
    assert_eq!(verified.warnings.len(), 2);
    assert!(
        verified.warnings[0]
            .to_string()
            .contains("an optimizer moves blocks.0.weight alone")
    );

    // After one step of an optimizer they are no longer one.
    let mut moved = model;
    moved.blocks[0] = altered(moved.blocks[0].clone());
    let error = trace(&moved, |m| m.losses(&x)).expect_err("two values under one identity");
    assert!(matches!(error, GradError::Identity { .. }), "{error}");
}

#[test]
fn a_closure_that_runs_another_model_than_the_given_one() {
    let model = Net::new(&device());
    let x = inputs();
    let outside = model.clone();
    let error = trace(&model, |_| preference(&outside, &frozen_copy(&outside), &x));
    let error = error.expect_err("taps of the wrong model");
    assert!(matches!(error, GradError::Bypassed), "{error}");
}

#[test]
fn nothing_to_train() {
    let model = Net::new(&device());
    let x = inputs();
    let losses = |m: &Net| m.scores(&x).sum_dim(1).reshape([6]);
    let frozen = trace(&model.clone().no_grad(), losses).expect_err("frozen");
    assert!(matches!(frozen, GradError::Untrained { .. }), "{frozen}");
    let none = gradual_grad::Tracer::default()
        .without("*")
        .trace(&model, losses);
    assert!(matches!(none, Err(GradError::Untrained { .. })));
}

/// Cast on an autodiff device, a parameter is the result of an operation.
#[test]
fn a_parameter_that_is_no_leaf() {
    struct Scaled;
    impl ModuleMapper for Scaled {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            param.map(|tensor| tensor * 0.5)
        }
    }
    let x = inputs();
    let model = Net::new(&device()).map(&mut Scaled);
    let error = trace(&model, |m| m.scores(&x).sum_dim(1).reshape([6]));
    let error = error.expect_err("no gradient would stay with it");
    assert!(
        matches!(&error, GradError::NoLeaf { path } if path == "hidden.weight"),
        "{error}"
    );
}

/// A model on no autodiff device is traced all the same.
#[test]
fn models_without_autodiff() {
    let model = Net::new(&device());
    let x = inputs();
    let losses = |m: &Net| m.scores(&x).powi_scalar(2).sum_dim(1).reshape([6]);
    let reference = naive_rows(&model, losses);
    let plain = model.valid();
    let x = x.clone().inner();
    let losses = |m: &Net| m.scores(&x).powi_scalar(2).sum_dim(1).reshape([6]);
    let traced = trace(&plain, losses).expect("covered");
    close("rows", traced.gradients.rows(), reference.inner(), 1e-9);
    verify(&plain, losses).expect("right");
    let leaky = trace(&plain, |m| {
        losses(m) + m.readout.weight.val().powi_scalar(2).sum()
    });
    assert!(matches!(leaky, Err(GradError::Unseen { .. })));
}

/// Leaves take on the autodiff context of the model.
#[test]
fn gradient_checkpointing() {
    let device = Device::flex().autodiff().gradient_checkpointing();
    let plain = Net::new(&crate::common::device());
    let x = inputs();
    let losses = |m: &Net, x: &Tensor<2>| m.scores(x).powi_scalar(2).sum_dim(1).reshape([6]);
    let reference = trace(&plain, |m| losses(m, &x))
        .expect("covered")
        .gradients
        .rows();
    let model = plain.map(&mut On(device.clone()));
    let data = x.inner().into_data();
    let dtype = data.dtype();
    let x = Tensor::<2>::from_data(data, (&device, dtype));
    let traced = trace(&model, |m| losses(m, &x)).expect("covered");
    close("rows", traced.gradients.rows(), reference, 1e-12);
    verify(&model, |m| losses(m, &x)).expect("right");
}

#[derive(Module, Debug)]
struct SelfTaught {
    student: Linear,
    head: Linear,
    #[module(skip)]
    teacher: Option<Box<Linear>>,
}

#[test]
fn a_teacher_that_is_skipped() {
    let student: Linear = double(filled(LinearConfig::new(3, 4).init(&device())));
    let head: Linear = double(filled(LinearConfig::new(4, 4).init(&device())));
    let x = inputs();
    let losses = |m: &SelfTaught| {
        let t = m.teacher.as_ref().expect("one").tap(x.clone());
        squares(m.head.tap(m.student.tap(x.clone())) - t)
    };
    for teacher in [
        altered(student.clone()),
        altered(student.clone()).no_grad(),
        student.clone().valid(),
    ] {
        let model = SelfTaught {
            student: student.clone(),
            head: head.clone(),
            teacher: Some(Box::new(teacher)),
        };
        agree(&model, losses, 1e-9);
        verify(&model, losses).expect("right");
    }
    // Burn's own pass would reach the very leaf: an error, not another gradient.
    let model = SelfTaught {
        student: student.clone(),
        head,
        teacher: Some(Box::new(student)),
    };
    assert!(trace(&model, losses).is_err());
}

#[test]
fn a_frozen_look_up_with_a_trained_readout() {
    let embedding: Embedding = double(filled(EmbeddingConfig::new(7, 4).init(&device())));
    let words = Tensor::<2, Int>::from_ints([[1, 2, 6], [0, 0, 3], [5, 4, 4]], &device());
    for which in 0..2 {
        let losses = |m: &Embedding| {
            let h = match which {
                0 => m.forward(words.clone()).detach(),
                _ => m.clone().no_grad().tap(words.clone()),
            };
            squares(m.readout(h.tanh()))
        };
        agree(&embedding, losses, 1e-9);
        verify(&embedding, losses).expect("right");
    }
    // The whole table frozen, its read-out through another layer.
    #[derive(Module, Debug)]
    struct Frozen {
        table: Embedding,
        layer: Linear,
    }
    let model = Frozen {
        table: embedding.no_grad(),
        layer: double(filled(LinearConfig::new(4, 4).init(&device()))),
    };
    let losses = |m: &Frozen| squares(m.table.readout(m.layer.tap(m.table.tap(words.clone()))));
    let g = agree(&model, losses, 1e-9);
    assert_eq!(g.paths().count(), 2);
    verify(&model, losses).expect("right");
}
