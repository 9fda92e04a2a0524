//! Losses and norms that a step must not train on, and what it leaves as it was.

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::optim::{AdamConfig, SgdConfig};
use burn::tensor::{DType, Device, Distribution, Tensor, TensorData};
use gradual_grad::Tap;
use gradual_grad::host::reads;
use gradual_group::{KMeans, Labels, OneGroup, Tracked};
use gradual_loss::{
    GroupDro, LeaveOneOut, LossError, Mean, PowerMean, RunningMeans, Scale, Shifted, SumOfSquares,
    Tilted,
};
use gradual_train::{Objective, TrainError, step, step_in_parts};

#[derive(Module, Debug)]
struct Model {
    layer: Linear,
}

fn numbers(tensor: Tensor<1>) -> Vec<f32> {
    tensor
        .into_data()
        .convert::<f32>()
        .try_to_vec()
        .expect("numbers")
}

impl Model {
    fn new(inputs: usize) -> Self {
        let device = Device::flex().autodiff();
        Self {
            layer: LinearConfig::new(inputs, 1).init(&device),
        }
    }

    /// One loss for each of the values, which all depend on the weights, by nothing.
    fn losses(&self, values: &[f32]) -> Tensor<1> {
        let n = values.len();
        let device = Device::flex();
        let zero = self
            .layer
            .tap(Tensor::<2>::ones([n, 1], &device))
            .reshape([n]);
        zero.clone() - zero.detach() + Tensor::from_floats(values, &device)
    }

    fn weights(&self) -> Vec<f32> {
        numbers(self.layer.weight.val().flatten(0, 1))
    }
}

/// Group losses (−1, ½) made coefficients of 4e37 and broke the optimizer for good; now step, optimizer, rule and scale
/// are as they were, and the next draw goes on.
#[test]
fn a_negative_loss_leaves_all_as_it_was() {
    let labels = [Some(0), Some(1)];
    let objectives: [fn() -> Objective; 5] = [
        || Objective::new(Labels::new(2), SumOfSquares),
        || Objective::new(Labels::new(2), LeaveOneOut),
        || Objective::new(Labels::new(2), PowerMean::new(2.0).unwrap()),
        || {
            Objective::new(
                Labels::new(2),
                RunningMeans::new(SumOfSquares, 0.5).unwrap(),
            )
        },
        || Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::RunningSum(0.9)),
    ];
    for objective in objectives {
        let model = Model::new(1);
        let (mut whole, mut spoilt) = (objective(), objective());
        let good = |objective: &mut Objective| {
            let stepped = step(&model, objective, Some(&labels), |m| m.losses(&[1.0, 3.0]));
            stepped.unwrap().coefficients
        };
        assert_eq!(good(&mut whole), good(&mut spoilt));
        let before = spoilt.state().unwrap();
        let waited = reads();
        let bad = step(&model, &mut spoilt, Some(&labels), |m| {
            m.losses(&[-1.0, 0.5])
        });
        // One wait, and one before it where the group losses are state.
        assert!(reads() - waited <= 2);
        let error = bad.map(drop).unwrap_err();
        let Some(TrainError::Loss(LossError::Negative { group, value, .. })) = Some(&error) else {
            panic!("{error}");
        };
        assert_eq!((*group, *value), (0, -1.0));
        let parts = [[-1.0], [0.5]];
        let bad = step_in_parts(&model, &mut spoilt, Some(&labels), &parts, |m, part| {
            m.losses(part)
        });
        assert!(matches!(
            bad,
            Err(TrainError::Loss(LossError::Negative { .. }))
        ));
        assert_eq!(spoilt.state().unwrap(), before);
        assert_eq!(good(&mut whole), good(&mut spoilt));
    }
}

/// What is no number makes no state, either: GroupDRO's weights after a draw whose gradient is infinite.
#[test]
fn a_refused_gradient_is_no_state() {
    let model = Model::new(1);
    let mut dro = Objective::new(Labels::new(2), GroupDro::new(1.0).unwrap());
    let before = dro.state().unwrap();
    let labels = [Some(0), Some(1)];
    let bad = step(&model, &mut dro, Some(&labels), |m| {
        // √0: no slope.
        let zero = m.losses(&[0.0, 0.0]) * 0.0;
        zero.sqrt() + Tensor::<1>::from_floats([1.0, 2.0], &Device::flex())
    });
    assert!(matches!(bad, Err(TrainError::Gradient { .. })));
    assert_eq!(dro.state().unwrap(), before);
}

/// Coefficients that cancel are named as such, and not as too large.
#[test]
fn a_sum_that_cancels_is_refused() {
    let model = Model::new(1);
    // Two of one group, whose weights by each other are ±: (1, −1) of mean 0.
    let mut pairs = Objective::new(OneGroup, LeaveOneOut);
    let bad = step(&model, &mut pairs, None, |m| m.losses(&[1.0, -0.9999]));
    let error = bad.map(drop).unwrap_err();
    assert!(
        matches!(error, TrainError::Loss(LossError::Sum { .. })),
        "{error}"
    );
    let mut pairs = pairs.with_scale(Scale::UnitAbsolute);
    let stepped = step(&model, &mut pairs, None, |m| m.losses(&[1.0, -0.9999])).unwrap();
    assert!((stepped.coefficients[1] - 0.5).abs() < 1e-3);
}

/// 4 000 steps of Adam under (−1, ½) left the weights unchanged to the bit. Above a floor they move.
#[test]
fn adam_moves_above_a_floor() {
    let mut model = Model::new(1);
    let mut optimizer = AdamConfig::new().init();
    let before = model.weights();
    let mut objective = Objective::new(Labels::new(2), Shifted::new(SumOfSquares, -2.0).unwrap());
    let labels = [Some(0), Some(1)];
    for _ in 0..10 {
        let stepped = step(&model, &mut objective, Some(&labels), |m| {
            m.losses(&[-1.0, 0.5])
        });
        let stepped = stepped.unwrap();
        assert!(
            (stepped.coefficients[0] - 2.0 / 7.0).abs() < 1e-6,
            "(1, 2.5) of 3.5"
        );
        model = optimizer.step(0.01, model, stepped.update);
    }
    let moved = (model.weights()[0] - before[0]).abs();
    assert!((moved - 0.1).abs() < 1e-3, "{moved}");
}

/// Coefficients of the running sum go on to the same bit from a state written down.
#[test]
fn a_running_sum_is_state_of_the_objective() {
    let objective = || {
        let priors = PowerMean::new(2.0).unwrap();
        Objective::new(Labels::new(2), priors).with_scale(Scale::RunningSum(0.9))
    };
    let (model, mut first) = (Model::new(1), objective());
    let draw = |objective: &mut Objective, losses: [f32; 2]| {
        let before = reads();
        let labels = [Some(0), Some(1)];
        let stepped = step(&model, objective, Some(&labels), |m| m.losses(&losses)).unwrap();
        assert_eq!(reads() - before, 1);
        stepped.coefficients
    };
    draw(&mut first, [1.0, 3.0]);
    draw(&mut first, [0.1, 0.7]);
    let state = first.state().unwrap();
    let mut second = objective();
    second.restore(&state, &Device::flex()).unwrap();
    for losses in [[0.3, 0.2], [5.0, 0.1]] {
        assert_eq!(draw(&mut first, losses), draw(&mut second, losses));
    }
    assert_eq!(first.state().unwrap(), second.state().unwrap());
    let mut other = Objective::new(Labels::new(2), Mean);
    assert!(other.restore(&state, &Device::flex()).is_err());
    // An objective from before scales had state has none to restore.
    let plain = other.state().unwrap();
    other.restore(&plain, &Device::flex()).unwrap();
}

/// Losses in any precision, for a model in single precision.
#[test]
fn steps_in_every_precision() {
    let model = Model::new(1);
    let labels = [Some(0), Some(1), Some(1)];
    for dtype in [DType::F64, DType::F32, DType::F16, DType::BF16] {
        for mut objective in [
            Objective::new(OneGroup, Mean),
            Objective::new(Labels::new(2), SumOfSquares),
            Objective::new(Labels::new(2), Tilted::new(1.0).unwrap()),
            Objective::new(Labels::new(2), GroupDro::new(0.5).unwrap()),
            Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::RunningSum(0.9)),
        ] {
            let stepped = step(&model, &mut objective, Some(&labels), |m| {
                m.losses(&[1.0, 2.0, 2.0]).cast(dtype)
            });
            let coefficients = stepped.unwrap().coefficients;
            let sum = coefficients.iter().sum::<f32>();
            assert!((sum - 1.0).abs() < 1e-5, "{dtype:?}: {sum}");
        }
    }
}

/// Linear regression on two groups that want different slopes: convex, with a minimum at which Gᵀc cancels and the
/// norm of the mean loss's gradient does not vanish.
fn regression(seed: u64, lr: f64, steps: usize) -> (f32, f32) {
    const N: usize = 32;
    const DIM: usize = 3;
    let device = Device::flex();
    device.seed(seed);
    let inputs = Tensor::<2>::random([N, DIM], Distribution::Default, &device);
    let labels: Vec<Option<usize>> = (0..N).map(|j| Some(usize::from(j % 4 == 0))).collect();
    let slopes: Vec<f32> = labels
        .iter()
        .map(|label| [1.0, -2.0][label.unwrap_or(0)])
        .collect();
    let slopes = Tensor::<1>::from_data(TensorData::new(slopes, [N]), &device);
    let targets = inputs.clone().sum_dim(1).reshape([N]) * slopes;
    let mut model = Model::new(DIM);
    let mut optimizer = SgdConfig::new().init();
    let mut objective = Objective::new(Labels::new(2), SumOfSquares).with_scale(Scale::MatchNorm);
    let (mut largest, mut last) = (0f32, 0f32);
    for _ in 0..steps {
        let stepped = step(&model, &mut objective, Some(&labels), |m| {
            let errors = m.layer.tap(inputs.clone()).reshape([N]) - targets.clone();
            errors.clone() * errors
        });
        let stepped = stepped.expect("a step");
        largest = stepped
            .coefficients
            .iter()
            .fold(largest, |largest, c| largest.max(c.abs()));
        last = stepped.losses.iter().sum::<f32>() / N as f32;
        model = optimizer.step(lr, model, stepped.update);
    }
    (largest, last)
}

#[test]
fn a_matched_norm_stays_at_a_minimum() {
    for seed in 0..3 {
        for lr in [0.1, 0.01] {
            let (largest, loss) = regression(seed, lr, 3_000);
            assert!(
                largest < 1e4 && loss < 100.0,
                "seed {seed}, rate {lr}: |c| = {largest:e}, loss {loss}"
            );
        }
    }
}

/// Weights that a composition remembers would fall on whatever groups the next draw has by these numbers.
#[test]
fn what_remembers_groups_needs_groups_that_stay() {
    let remembering = || GroupDro::new(0.1).unwrap();
    let kmeans = || KMeans::new(3, 1);
    let refused = Objective::new(kmeans(), remembering()).check(12);
    let said = refused.unwrap_err().to_string();
    assert!(
        said.contains("the grouping finds them anew in each"),
        "{said}"
    );
    Objective::new(kmeans(), SumOfSquares).check(12).unwrap();
    let tracked = Objective::new(Tracked::new(kmeans()), remembering());
    tracked.check(12).unwrap();
    Objective::new(Labels::new(3), remembering())
        .check(12)
        .unwrap();
}
