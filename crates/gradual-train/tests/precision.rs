//! Models and losses in every float precision.

use burn::module::{Module, ModuleMapper, Param};
use burn::nn::LinearConfig;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{DType, Device, FloatDType, Tensor};
use gradual_group::{EachExample, Labels, OneGroup, SingularVectors};
use gradual_loss::{GroupDro, Mean, PowerMean, SumOfSquares};
use gradual_train::{Objective, TrainError, step, step_in_parts};

use crate::common::Model;

/// Casts every parameter, as one does to train in another precision.
struct Cast(FloatDType);

impl ModuleMapper for Cast {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|tensor| tensor.cast(self.0))
    }
}

fn inputs() -> Tensor<2> {
    let rows = [
        [1.0, 0.0, 1.0],
        [1.0, 1.0, 0.0],
        [0.5, -0.25, 0.125],
        [0.0, 1.0, 1.0],
        [-1.0, 0.5, 0.75],
        [0.25, 0.0, -0.5],
    ];
    Tensor::from_floats(rows, &Device::flex())
}

fn model() -> Model {
    let device = Device::flex().autodiff();
    Model {
        layer: LinearConfig::new(3, 1).init(&device),
    }
}

const LABELS: [Option<usize>; 6] = [Some(0), Some(0), Some(1), Some(1), Some(2), None];

fn objectives() -> [fn() -> Objective; 4] {
    [
        || Objective::new(OneGroup, Mean),
        || Objective::new(Labels::new(3), SumOfSquares),
        || Objective::new(EachExample, PowerMean::new(3.0).unwrap()),
        || Objective::new(Labels::new(3), GroupDro::new(0.1).unwrap()),
    ]
}

fn gradient(update: &GradientsParams, model: &Model) -> Vec<f32> {
    let gradient = update.get::<2>(model.layer.weight.id).expect("a gradient");
    assert_eq!(gradient.dtype(), model.layer.weight.val().dtype());
    gradient.cast(DType::F32).into_data().try_to_vec().unwrap()
}

fn close(a: &[f32], b: &[f32], tolerance: f32) -> bool {
    let most = b.iter().fold(0.0f32, |most, b| most.max(b.abs()));
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| (a - b).abs() <= tolerance * most)
}

fn agree(precisions: &[(FloatDType, f32)]) {
    let halves = [inputs().narrow(0, 0, 3), inputs().narrow(0, 3, 3)];
    for objective in objectives() {
        let single = model();
        let reference = step(&single, &mut objective(), Some(&LABELS), |m| {
            m.plain_losses(&inputs())
        });
        let expected = reference.unwrap();
        for &(dtype, tolerance) in precisions {
            // The model in another precision, whose losses are in the same, or in single precision.
            let cast = single.valid().map(&mut Cast(dtype)).train();
            let own = |m: &Model, x: &Tensor<2>| m.plain_losses(&x.clone().cast(dtype));
            let wide = |m: &Model, x: &Tensor<2>| own(m, x).cast(FloatDType::F32);
            // Losses alone in another precision.
            let narrow = |m: &Model, x: &Tensor<2>| m.plain_losses(x).cast(dtype);
            type Losses<'a> = &'a dyn Fn(&Model, &Tensor<2>) -> Tensor<1>;
            let cases: [(&Model, Losses<'_>); 3] =
                [(&cast, &own), (&cast, &wide), (&single, &narrow)];
            for (at, (model, losses)) in cases.into_iter().enumerate() {
                let whole = step(model, &mut objective(), Some(&LABELS), |m| {
                    losses(m, &inputs())
                });
                let parts = step_in_parts(
                    model,
                    &mut objective(),
                    Some(&LABELS),
                    &halves,
                    |m, part| losses(m, part),
                );
                for stepped in [whole.unwrap(), parts.unwrap()] {
                    let near = |a: &[f32], b: &[f32]| close(a, b, tolerance);
                    let got = gradient(&stepped.update, model);
                    let wanted = gradient(&expected.update, &single);
                    assert!(
                        near(&stepped.losses, &expected.losses),
                        "{dtype:?}, case {at}"
                    );
                    assert!(
                        near(&stepped.coefficients, &expected.coefficients),
                        "{dtype:?}, case {at}"
                    );
                    assert!(
                        near(&got, &wanted),
                        "{dtype:?}, case {at}: {got:?} {wanted:?}"
                    );
                    let mut adam = AdamConfig::new().init();
                    let moved = adam.step(0.01, model.clone(), stepped.update);
                    assert_eq!(
                        moved.layer.weight.val().dtype(),
                        model.layer.weight.val().dtype()
                    );
                }
            }
        }
    }
}

#[test]
fn half_precision() {
    agree(&[(FloatDType::F16, 1e-2), (FloatDType::BF16, 5e-2)]);
}

#[test]
fn double_precision() {
    agree(&[(FloatDType::F64, 1e-5)]);
}

/// What is cast with its graph is no parameter any more: its gradient would go to what it was cast from.
#[test]
fn a_cast_with_a_graph_is_named() {
    let cast = model().map(&mut Cast(FloatDType::F16));
    let parts = [inputs().narrow(0, 0, 3), inputs().narrow(0, 3, 3)];
    let losses = |m: &Model, x: &Tensor<2>| m.losses(&x.clone().cast(FloatDType::F16));
    for mut objective in [
        Objective::new(OneGroup, Mean),
        Objective::new(SingularVectors::default(), SumOfSquares),
    ] {
        let stepped = step(&cast, &mut objective, None, |m| losses(m, &inputs()));
        let in_parts = step_in_parts(&cast, &mut objective, None, &parts, losses);
        for stepped in [stepped, in_parts] {
            let message = stepped.map(drop).unwrap_err().to_string();
            assert!(
                message.starts_with("step: parameter layer.weight was computed from"),
                "{message}"
            );
            assert!(
                message.contains("model.valid().map(…).train()"),
                "{message}"
            );
        }
    }
}

/// One parameter, whose gradient is its input.
#[derive(Module, Debug)]
struct Long {
    weight: Param<Tensor<1>>,
}

impl Long {
    fn new(n: usize, dtype: FloatDType) -> Self {
        let device = Device::flex().autodiff();
        let weight = Tensor::<1>::zeros([n], (&device, DType::from(dtype)));
        Self {
            weight: Param::from_tensor(weight),
        }
    }

    /// The gradient of Σ w x + a √w_0, at w = 0.
    fn stepped(&self, inputs: &[f64], a: Option<f64>) -> Result<Vec<f64>, TrainError> {
        let dtype = self.weight.val().dtype();
        let inputs = Tensor::<1>::from_data(inputs, (&Device::flex(), DType::F64)).cast(dtype);
        let mut erm = Objective::new(OneGroup, Mean);
        // One example, so that its coefficient is one.
        let losses = |m: &Self| {
            let weight = m.weight.val();
            let losses = (weight.clone() * inputs.clone()).sum();
            let losses = match a {
                Some(a) => losses + weight.narrow(0, 0, 1).sqrt() * a,
                None => losses,
            };
            // Only the gradient is in question.
            losses.cast(DType::F32)
        };
        let stepped = step(self, &mut erm, None, losses)?;
        let gradient = stepped.update.get::<1>(self.weight.id).expect("a gradient");
        Ok(gradient.cast(DType::F64).into_data().try_to_vec().unwrap())
    }
}

/// A gradient is finite if its entries are, whatever they sum up to.
#[test]
fn sums_that_overflow_are_no_reason_to_refuse() {
    let ones = vec![1.0; 80_000];
    for dtype in [
        FloatDType::F16,
        FloatDType::BF16,
        FloatDType::F32,
        FloatDType::F64,
    ] {
        let got = Long::new(80_000, dtype).stepped(&ones, None).unwrap();
        assert_eq!(got, ones, "{dtype:?}");
    }
    for (dtype, most) in [
        (FloatDType::F16, 65_504.0),
        (FloatDType::F32, f64::from(f32::MAX)),
        (FloatDType::F64, 1e300),
    ] {
        let large = vec![most; 1_000];
        let model = Long::new(1_000, dtype);
        assert_eq!(model.stepped(&large, None).unwrap(), large, "{dtype:?}");
        for a in [1.0, -1.0, 0.0] {
            let error = model.stepped(&large, Some(a)).unwrap_err();
            assert_eq!(
                error.to_string(),
                "step: the gradient of parameter weight is not finite"
            );
        }
    }
}
