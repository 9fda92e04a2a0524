//! Steps on models with LoRA adapters, and under gradient checkpointing.

use burn::module::{Lora, Module, ModuleMapper, Param};
use burn::nn::LinearConfig;
use burn::optim::{AdamConfig, SgdConfig};
use burn::tensor::{Device, Tensor, TensorData};
use gradual_grad::Tap;
use gradual_group::{KMeans, Labels, SingularVectors};
use gradual_loss::{PcGrad, Scale, SumOfSquares};
use gradual_train::{GroupedStep, LabelSet, Objective, Stepped, Stepper, step, step_in_parts};

use crate::common::Model;

fn svd() -> Objective {
    Objective::new(SingularVectors::default(), SumOfSquares)
}

/// The same weights each time: tests that run side by side share the random numbers of the device.
fn linear() -> Model {
    let device = Device::flex().autodiff();
    let mut layer = LinearConfig::new(3, 1).init(&device);
    let weights = TensorData::new(vec![1.4f32, -0.7, 1.1], [3, 1]);
    layer.weight = Param::from_data(weights, &device);
    layer.bias = Some(Param::from_data([0.6f32], &device));
    Model { layer }
}

fn waves(n: usize, seed: usize) -> Tensor<2> {
    let values: Vec<f32> = (0..3 * n)
        .map(|i| ((i + 31 * seed) as f32 * 0.7).sin())
        .collect();
    Tensor::from_data(TensorData::new(values, [n, 3]), &Device::flex())
}

#[test]
fn adapters_in_a_grouped_loop() {
    for (name, objective) in [
        ("labels", Objective::new(Labels::new(2), SumOfSquares)),
        ("kmeans", Objective::new(KMeans::new(2, 1), SumOfSquares)),
        ("svd", svd()),
        (
            "norm",
            Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::MatchNorm),
        ),
    ] {
        let base = linear();
        let before: Vec<f32> = base.layer.weight.val().into_data().try_to_vec().unwrap();
        let mut model = base.apply_lora(Lora::new(2, 4.0));
        let x = waves(8, 0);
        let labels: Vec<_> = (0..8).map(|j| Some(j % 2)).collect();
        let grouped = GroupedStep::new(objective).with_accumulation(2);
        let mut adam = AdamConfig::new().init();
        let mut seen = Vec::new();
        for at in 0..400 {
            let stepped = grouped
                .step(&model, Some(&labels), &x, |m, x| m.losses(x))
                .unwrap_or_else(|error| panic!("{name} {at}: {error}"));
            seen.push(stepped.losses.iter().sum::<f32>());
            if at % 2 == 1 {
                model = adam.step(0.01, model, stepped.update);
            }
        }
        // The last call of a draw has the losses of both batches. The published loss unlearns some examples.
        assert!(seen[399] < 2.0 * seen[0] || name == "svd", "{name}");
        let adapter = model.layer.weight.adapter().unwrap();
        assert!(adapter.b.val().abs().sum().into_scalar::<f32>() > 0.0);
        let base: Vec<f32> = model.layer.weight.base().into_data().try_to_vec().unwrap();
        assert_eq!(base, before, "{name}");
    }
}

#[test]
fn a_nan_beside_adapters() {
    let x = waves(6, 0);
    let model = linear().apply_lora(Lora::new(2, 4.0));
    let hole = Tensor::<1>::from_floats([0.0, 0.0, f32::NAN, 0.0, 0.0, 0.0], &Device::flex());
    let labels: Vec<_> = (0..6).map(|j| Some(j % 2)).collect();
    let kept = Tensor::cat(
        vec![x.clone().narrow(0, 0, 2), x.clone().narrow(0, 3, 3)],
        0,
    );
    let named: Vec<_> = [0, 1, 3, 4, 5].map(|j| Some(j % 2)).to_vec();
    for made in [
        (|| Objective::new(Labels::new(2), SumOfSquares)) as fn() -> Objective,
        || Objective::new(KMeans::new(2, 1), SumOfSquares),
        svd,
        || Objective::on_gradients(Labels::new(2), PcGrad::new(1)),
    ] {
        let losses = |m: &Model| m.losses(&x) * (hole.clone() + 1.0);
        let found = Stepper::default()
            .leaving_out()
            .step(&model, &mut made(), LabelSet::new(&labels), losses)
            .unwrap();
        let right = step(&model, &mut made(), Some(&named), |m| m.losses(&kept)).unwrap();
        assert_eq!(found.left_out, [2]);
        let mut coefficients = found.coefficients.clone();
        assert_eq!(coefficients.remove(2), 0.0);
        for (a, b) in coefficients.iter().zip(&right.coefficients) {
            assert!(
                (a - b).abs() < 1e-5,
                "{coefficients:?} {:?}",
                right.coefficients
            );
        }
        let b = model.layer.weight.adapter().unwrap().b.id;
        let of = |stepped: &Stepped| -> Vec<f32> {
            stepped
                .update
                .get::<2>(b)
                .unwrap()
                .into_data()
                .try_to_vec()
                .unwrap()
        };
        for (a, b) in of(&found).iter().zip(of(&right)) {
            assert!((a - b).abs() < 1e-4 * (1.0 + b.abs()));
        }
        assert!(step(&model, &mut made(), Some(&labels), losses).is_err());
    }
}

#[test]
fn checkpointing_in_a_grouped_loop() {
    struct On(Device);
    impl ModuleMapper for On {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let device = self.0.clone();
            param.map(|tensor| {
                let data = tensor.inner().into_data();
                let dtype = data.dtype();
                Tensor::from_data(data, (&device, dtype)).require_grad()
            })
        }
    }
    let checkpointing = Device::flex().autodiff().gradient_checkpointing();
    let plain = linear();
    let x = waves(8, 0);
    let on = Tensor::<2>::from_data(x.clone().into_data(), &checkpointing);
    let labels: Vec<_> = (0..8).map(|j| Some(j % 2)).collect();
    let model = plain.clone().map(&mut On(checkpointing));
    let made: [fn() -> Objective; 4] = [
        || Objective::new(Labels::new(2), SumOfSquares),
        || Objective::new(KMeans::new(2, 1), SumOfSquares),
        svd,
        || Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::MatchNorm),
    ];
    let losses = |m: &Model, x: &Tensor<2>| {
        let n = x.dims()[0];
        (m.layer.tap(x.clone()) - 1.0).powi_scalar(2).reshape([n])
    };
    for made in made {
        let expected = GroupedStep::new(made())
            .step(&plain, Some(&labels), &x, losses)
            .unwrap();
        let found = GroupedStep::new(made())
            .step(&model, Some(&labels), &on, losses)
            .unwrap();
        for (a, b) in found.coefficients.iter().zip(&expected.coefficients) {
            assert!((a - b).abs() < 1e-5);
        }
        let parts = [on.clone().narrow(0, 0, 3), on.clone().narrow(0, 3, 5)];
        let found = step_in_parts(&model, &mut made(), Some(&labels), &parts, losses).unwrap();
        for (a, b) in found.coefficients.iter().zip(&expected.coefficients) {
            assert!((a - b).abs() < 1e-5);
        }
        let _: Model = SgdConfig::new()
            .init()
            .step(0.1, model.clone(), found.update);
    }
}
