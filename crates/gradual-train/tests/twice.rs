//! The second forward pass of a draw in parts: it must give the same losses, and leave the model as it was.

use std::cell::Cell;

use burn::module::Module;
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use gradual_group::{Labels, OneGroup};
use gradual_loss::{GroupDro, Mean, SumOfSquares};
use gradual_train::{Objective, TrainError, step, step_in_parts};

#[derive(Module, Debug)]
struct Model {
    norm: BatchNorm,
    dropout: Dropout,
    layer: Linear,
}

impl Model {
    fn new(dropout: f64) -> Self {
        let device = Device::flex().autodiff();
        let model = Self {
            norm: BatchNormConfig::new(2).init(&device),
            dropout: DropoutConfig::new(dropout).init(),
            layer: LinearConfig::new(2, 1).init(&device),
        };
        // Drawn: what lazy parameters do is another matter.
        model.losses(&Tensor::ones([1, 2], &Device::flex()));
        model
    }

    fn losses(&self, inputs: &Tensor<2>) -> Tensor<1> {
        let h = self.norm.forward(inputs.clone());
        let output = self.layer.forward(self.dropout.forward(h));
        (output - 1.0).powi_scalar(2).squeeze_dim(1)
    }

    /// Running mean and variance, with what is pending.
    fn running(&self) -> Vec<f32> {
        let (mean, var) = (
            self.norm.running_mean.value_sync(),
            self.norm.running_var.value_sync(),
        );
        let values = Tensor::cat(vec![mean, var], 0).into_data();
        values.try_to_vec().unwrap()
    }
}

/// Parts of two examples each, with means 1, 2, …
fn parts(count: usize) -> Vec<Tensor<2>> {
    let device = Device::flex().autodiff();
    let part = |at: usize| {
        let mean = at as f32;
        Tensor::from_floats([[mean - 1.0, mean], [mean + 1.0, mean]], &device)
    };
    (1..=count).map(part).collect()
}

fn objectives() -> [Objective; 3] {
    [
        Objective::new(OneGroup, Mean),
        Objective::new(Labels::new(2), SumOfSquares),
        Objective::new(Labels::new(2), GroupDro::new(0.1).unwrap()),
    ]
}

/// A draw in parts leaves the running statistics that one ordinary pass over its parts leaves, whatever was pending.
#[test]
fn running_statistics_move_once() {
    for mut objective in objectives() {
        let (model, plain) = (Model::new(0.0), Model::new(0.0));
        let ones = |_: usize| Tensor::<2>::ones([2, 2], &Device::flex().autodiff());
        let ones: Vec<_> = (0..2).map(ones).collect();
        let labels = [0, 1, 0, 1].map(Some);
        step_in_parts(&model, &mut objective, Some(&labels), &ones, Model::losses).unwrap();
        let mean = model.running()[0];
        assert!((mean - 0.19).abs() < 1e-6, "{mean}");
        for part in &ones {
            plain.losses(part);
        }
        assert_eq!(model.running(), plain.running());

        // What an ordinary step left pending stays, and once more, and in another number of parts.
        for count in [1, 3, 2] {
            let draw = parts(count);
            let all = Tensor::cat(draw.clone(), 0);
            let labels: Vec<_> = (0..2 * count).map(|j| Some(j % 2)).collect();
            step(&model, &mut objective, Some(&labels), |m| m.losses(&all)).unwrap();
            step_in_parts(&model, &mut objective, Some(&labels), &draw, Model::losses).unwrap();
            plain.losses(&all);
            for part in &draw {
                plain.losses(part);
            }
        }
        assert_eq!(model.running(), plain.running());
    }
}

/// A refused step leaves what one pass over the parts leaves at most, never two.
#[test]
fn a_refused_step_does_not_move_them_in_secret() {
    let model = Model::new(0.0);
    let mut objective = Objective::new(Labels::new(2), SumOfSquares);
    let too_few = [Some(0)];
    step_in_parts(
        &model,
        &mut objective,
        Some(&too_few),
        &parts(2),
        Model::losses,
    )
    .unwrap_err();
    assert_eq!(model.running(), [0.0, 0.0, 1.0, 1.0]);
}

/// With parts whose statistics differ the update is that of the same passes in a loop of Burn's own.
#[test]
fn the_update_is_that_of_the_parts() {
    let model = Model::new(0.0);
    let stepped = step_in_parts(
        &model,
        &mut Objective::new(OneGroup, Mean),
        None,
        &parts(2),
        Model::losses,
    )
    .unwrap();
    let sum = parts(2)
        .into_iter()
        .map(|part| model.losses(&part).sum() / 4.0);
    let expected = sum.reduce(|a, b| a + b).unwrap().backward();
    let expected = model.layer.weight.grad(&expected).unwrap();
    let got = stepped.update.get::<2>(model.layer.weight.id).unwrap();
    let difference = (got - expected).abs().max().into_scalar::<f32>();
    assert!(difference < 1e-6, "{difference}");
}

/// Dropout draws other masks the second time: no step goes on from the coefficients of other losses.
#[test]
fn other_losses_the_second_time_are_refused() {
    for mut objective in objectives() {
        let labels = [0, 1, 0, 1].map(Some);
        let model = Model::new(0.5);
        // Some masks may be the same by chance, those of ten steps are not.
        let refused = (0..10).find_map(|_| {
            let stepped = step_in_parts(
                &model,
                &mut objective,
                Some(&labels),
                &parts(2),
                Model::losses,
            );
            stepped.err()
        });
        let error = refused.expect("dropout is random");
        assert!(matches!(error, TrainError::Changed { .. }), "{error}");
        let message = error.to_string();
        assert!(
            message.contains("Take dropout and other random numbers out of the model"),
            "{message}"
        );
        // Without the second pass there is nothing to disagree.
        let all = Tensor::cat(parts(2), 0);
        step(&model, &mut objective, Some(&labels), |m| m.losses(&all)).unwrap();
        step_in_parts(&model, &mut objective, Some(&labels), &[all], Model::losses).unwrap();
    }

    // Random numbers of the host, in one example alone.
    let (model, calls) = (Model::new(0.0), Cell::new(0));
    let mut erm = Objective::new(OneGroup, Mean);
    let stepped = step_in_parts(&model, &mut erm, None, &parts(2), |m, part| {
        calls.set(calls.get() + 1);
        let more = if calls.get() == 4 { 0.5 } else { 0.0 };
        m.losses(part) + Tensor::from_floats([0.0, more], &Device::flex())
    });
    let error = stepped.map(drop).unwrap_err();
    assert!(
        matches!(error, TrainError::Changed { example: 3, .. }),
        "{error}"
    );

    // Another number of examples, and losses that are none the second time.
    for second in [
        (|losses: Tensor<1>| losses.narrow(0, 0, 1)) as fn(Tensor<1>) -> Tensor<1>,
        |losses| losses * f64::NAN,
    ] {
        calls.set(0);
        let stepped = step_in_parts(&model, &mut erm, None, &parts(2), |m, part| {
            calls.set(calls.get() + 1);
            let losses = m.losses(part);
            if calls.get() > 2 {
                second(losses)
            } else {
                losses
            }
        });
        assert!(stepped.is_err());
    }

    // Rounding is no other loss.
    calls.set(0);
    step_in_parts(&model, &mut erm, None, &parts(2), |m, part| {
        calls.set(calls.get() + 1);
        m.losses(part) * (1.0 + 1e-5 * f64::from(calls.get()))
    })
    .unwrap();
}
