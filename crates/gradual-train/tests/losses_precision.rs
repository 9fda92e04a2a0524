//! Losses in another precision than the model's: the step is that of the same losses in single precision.

mod common;

use burn::nn::LinearConfig;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor};
use gradual_group::{EachExample, Labels, OneGroup, RandomGroups};
use gradual_loss::{
    Cvar, Focal, GroupDro, LeaveOneOut, Mean, PowerMean, Scale, SumOfSquares, Tilted,
};
use gradual_train::{Objective, Stepped, step, step_in_parts};

use common::Model;

type Made = fn() -> Objective;

/// Objectives that need no per-example gradients, with and without state.
const OBJECTIVES: [(&str, Made); 12] = [
    ("erm", || Objective::new(OneGroup, Mean)),
    ("labels", || Objective::new(Labels::new(2), SumOfSquares)),
    ("labels, raw", || {
        Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::Raw)
    }),
    ("random", || {
        Objective::new(RandomGroups::new(2, 0), SumOfSquares)
    }),
    ("each", || Objective::new(EachExample, SumOfSquares)),
    ("power", || {
        Objective::new(Labels::new(2), PowerMean::new(4.0).unwrap())
    }),
    ("rooted", || {
        Objective::new(Labels::new(2), PowerMean::new(3.0).unwrap().rooted())
    }),
    ("dro", || {
        Objective::new(Labels::new(2), GroupDro::new(0.1).unwrap())
    }),
    ("cvar", || {
        Objective::new(Labels::new(2), Cvar::new(0.5).unwrap())
    }),
    ("tilted", || {
        Objective::new(Labels::new(2), Tilted::new(2.0).unwrap())
    }),
    ("focal", || {
        Objective::new(EachExample, Focal::new(2.0).unwrap())
    }),
    ("leave one out", || {
        Objective::new(Labels::new(2), LeaveOneOut)
    }),
];

fn setting() -> (Model, Tensor<2>) {
    let device = Device::flex().autodiff();
    device.seed(1);
    let model = Model {
        layer: LinearConfig::new(3, 1).init(&device),
    };
    model.layer.weight.val();
    let rows = [
        [0.5, 1.0, 0.25],
        [1.0, -0.5, 0.5],
        [-0.25, 0.75, 1.0],
        [0.5, 0.5, -1.0],
        [1.0, 0.25, 0.75],
    ];
    (model, Tensor::from_floats(rows, &device.inner()))
}

fn weight(update: &GradientsParams, model: &Model) -> Vec<f32> {
    let gradient = update.get::<2>(model.layer.weight.id).expect("a gradient");
    gradient.into_data().try_to_vec().expect("f32")
}

fn near(found: &[f32], right: &[f32], to: f32, place: &str) {
    assert_eq!(found.len(), right.len(), "{place}");
    let size = right.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    for (a, b) in found.iter().zip(right) {
        assert!(
            (a - b).abs() <= to * size,
            "{place}: {found:?} against {right:?}"
        );
    }
}

#[test]
fn every_objective_takes_losses_of_every_precision() {
    let (model, inputs) = setting();
    let labels = [Some(0), Some(1), Some(1), Some(0), Some(1)];
    let stepped = |made: Made, precision: DType| -> Stepped {
        step(&model, &mut made(), Some(&labels), |m| {
            m.losses(&inputs).cast(precision)
        })
        .unwrap()
    };
    for (name, made) in OBJECTIVES {
        let right = stepped(made, DType::F32);
        // Half precision rounds the losses themselves; what comes of them must not be worse by much.
        for (precision, to) in [(DType::F64, 1e-5), (DType::F16, 1e-2), (DType::BF16, 6e-2)] {
            let place = format!("{name} in {precision:?}");
            let found = stepped(made, precision);
            near(&found.losses, &right.losses, to, &place);
            near(&found.coefficients, &right.coefficients, to, &place);
            near(
                &weight(&found.update, &model),
                &weight(&right.update, &model),
                to,
                &place,
            );
            let sum = |stepped: &Stepped| stepped.coefficients.iter().sum::<f32>();
            if (sum(&right) - 1.0).abs() < 1e-6 {
                assert!(
                    (sum(&found) - 1.0).abs() < 1e-5,
                    "{place}: coefficients sum to {}",
                    sum(&found)
                );
            }
        }
    }
}

#[test]
fn so_does_a_draw_in_parts() {
    let (model, inputs) = setting();
    let parts = [inputs.clone().narrow(0, 0, 2), inputs.narrow(0, 2, 3)];
    let labels = [Some(0), Some(1), Some(1), Some(0), Some(1)];
    for (name, made) in [OBJECTIVES[0], OBJECTIVES[1], OBJECTIVES[8]] {
        let stepped = |precision: DType| {
            step_in_parts(&model, &mut made(), Some(&labels), &parts, |m, part| {
                m.losses(part).cast(precision)
            })
            .unwrap()
        };
        let right = stepped(DType::F32);
        for (precision, to) in [(DType::F64, 1e-5), (DType::F16, 1e-2), (DType::BF16, 6e-2)] {
            let found = stepped(precision);
            let place = format!("{name} in {precision:?}");
            near(&found.coefficients, &right.coefficients, to, &place);
            near(
                &weight(&found.update, &model),
                &weight(&right.update, &model),
                to,
                &place,
            );
        }
    }
}
