//! Losses in another precision than the model's: the step is that of the same losses in single precision.

mod common;

use burn::nn::LinearConfig;
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Tensor, TensorData};
use gradual_grad::Metric;
use gradual_group::{
    Centroids, Damped, EachExample, Hdbscan, InMetric, KMeans, Labels, Landmarks, OneGroup,
    RandomGroups, SingularVectors, Spectral, SphericalKMeans, Tracked,
};
use gradual_loss::{
    Cvar, Focal, GroupDro, LeaveOneOut, Mean, PowerMean, Scale, SumOfSquares, Tilted, UpGrad,
};
use gradual_train::{Objective, Stepped, stand, step, step_in_parts};

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

/// Twenty examples in clusters that no rounding of their losses moves.
fn of_twenty() -> (Model, Tensor<2>) {
    let (model, _) = setting();
    let values = (0..60).map(|i| ((i * i) as f32 * 0.37).sin());
    let x = TensorData::new(values.collect(), [20, 3]);
    (model, Tensor::from_data(x, &Device::flex()))
}

#[test]
fn so_do_objectives_on_gradients() {
    let (model, x) = of_twenty();
    let made: Vec<(&str, Made)> = vec![
        ("kmeans", || Objective::new(KMeans::new(3, 1), SumOfSquares)),
        ("spherical", || {
            Objective::new(SphericalKMeans::new(3, 1), SumOfSquares)
        }),
        ("spectral", || {
            Objective::new(Spectral::new(3, 1), SumOfSquares)
        }),
        ("hdbscan", || {
            Objective::new(Hdbscan::new(3).unwrap(), SumOfSquares)
        }),
        ("svd", || {
            Objective::new(SingularVectors::default(), SumOfSquares)
        }),
        ("svd squared", || {
            Objective::new(SingularVectors::squared(), SumOfSquares)
        }),
        ("svd leading", || {
            Objective::new(
                SingularVectors::squared().with_leading(2).unwrap(),
                SumOfSquares,
            )
        }),
        ("svd sketch", || {
            Objective::new(
                SingularVectors::default().with_sketch(16, 1).unwrap(),
                SumOfSquares,
            )
        }),
        ("centroids", || {
            Objective::new(
                Centroids::new(2, Metric::euclidean(), 1)
                    .with_examples(16)
                    .unwrap(),
                SumOfSquares,
            )
        }),
        ("landmarks", || {
            Objective::new(
                Landmarks::new(2, Metric::euclidean(), 1)
                    .with_examples(20)
                    .unwrap(),
                SumOfSquares,
            )
        }),
        ("in metric", || {
            Objective::new(
                InMetric::new(Metric::whitened(), KMeans::new(2, 1)),
                SumOfSquares,
            )
        }),
        ("in metric centroids", || {
            Objective::new(
                InMetric::new(
                    Metric::whitened(),
                    Centroids::new(2, Metric::euclidean(), 1)
                        .with_examples(16)
                        .unwrap(),
                ),
                SumOfSquares,
            )
        }),
        ("damped", || {
            Objective::new(Damped::new(Tracked::new(KMeans::new(2, 1))), SumOfSquares)
        }),
        ("upgrad", || {
            Objective::on_gradients(KMeans::new(3, 1), UpGrad)
        }),
        ("match norm", || {
            Objective::new(KMeans::new(3, 1), SumOfSquares).with_scale(Scale::MatchNorm)
        }),
    ];
    for (name, made) in made {
        let run = |to: DType| {
            let mut objective = made();
            let losses = |m: &Model| m.losses(&x).cast(to);
            if objective.wants().is_some() {
                stand(&model, &mut objective, losses)?;
            }
            step(&model, &mut objective, None, losses)
        };
        let right = run(DType::F32).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(right.coefficients.iter().any(|c| *c != 0.0));
        for to in [DType::F64, DType::F16, DType::BF16] {
            let found = run(to).unwrap_or_else(|error| panic!("{name} {to:?}: {error}"));
            let to = match to {
                DType::F64 => 1e-5,
                DType::F16 => 1e-3,
                _ => 1e-2,
            };
            near(&found.coefficients, &right.coefficients, to, name);
        }
    }
}
