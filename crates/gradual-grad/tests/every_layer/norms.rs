use burn::module::{Module, Param};
use burn::nn::norm::{InstanceNorm, InstanceNormConfig, Normalization, NormalizationConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, GroupNorm, GroupNormConfig, LayerNorm, LayerNormConfig,
    RmsNormConfig,
};
use burn::tensor::{Device, Tensor};
use gradual_grad::{GradError, Tap, trace};
use proptest::prelude::*;

use crate::common::squares;
use crate::support::{After, device, exact, values};

/// A batch norm that has seen something and is in its evaluation form.
fn evaluated(channels: usize) -> BatchNorm {
    let norm = BatchNormConfig::new(channels).init(&device());
    norm.forward(values::<3>([4, channels, 3], 8));
    BatchNorm {
        training: Param::from_bool(false),
        ..norm
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn layer_norm(n in 1usize..5, t in 1usize..4, d in 2usize..6, bias: bool) {
        let layer = LayerNormConfig::new(d).with_bias(bias).init(&device());
        exact(3, d, layer, n, |m: &After<LayerNorm>, n, seed| {
            m.layer.tap(m.before.tap(values([n, t + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn group_norm(n in 1usize..5, t in 2usize..5, groups in 1usize..4) {
        let layer = GroupNormConfig::new(groups, 2 * groups).init(&device());
        exact(3, t, layer, n, |m: &After<GroupNorm>, n, seed| {
            m.layer.tap(m.before.tap(values([n, 2 * groups, 2, 3], seed)))
        });
    }

    #[test]
    fn instance_norm(n in 1usize..5, channels in 1usize..5, height in 1usize..4, width in 3usize..6) {
        let layer = InstanceNormConfig::new(channels).init(&device());
        exact(3, width, layer, n, |m: &After<InstanceNorm>, n, seed| {
            m.layer.tap(m.before.tap(values([n, channels, height + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn batch_norm_in_evaluation_form(n in 1usize..5, channels in 1usize..5, t in 1usize..4) {
        exact(3, channels, evaluated(channels), n, |m: &After<BatchNorm>, n, seed| {
            let x = m.before.tap(values([n, t + seed as usize - 1, 3], seed));
            let sequence: Tensor<2> = m.layer.tap(x.clone().swap_dims(1, 2)).reshape([n as i32, -1]);
            // Without positions, too.
            let mean = x.mean_dim(1).reshape([n, channels]);
            Tensor::cat(vec![sequence, m.layer.tap(mean)], 1)
        });
    }

    #[test]
    fn any_norm(n in 1usize..4, t in 2usize..4, which in 0usize..4) {
        let config: NormalizationConfig = match which {
            0 => GroupNormConfig::new(2, 4).into(),
            1 => InstanceNormConfig::new(4).into(),
            2 => LayerNormConfig::new(4).into(),
            _ => BatchNormConfig::new(4).into(),
        };
        let layer = match config.init(&device()) {
            Normalization::Batch(_) => Normalization::Batch(evaluated(4)),
            layer => layer,
        };
        exact(3, 4, layer, n, |m: &After<Normalization>, n, seed| {
            let x = m.before.tap(values([n, 4, t, 3], seed));
            m.layer.tap(x)
        });
    }
}

/// Burn computes its root mean square in single precision, whatever its input.
#[test]
fn any_norm_that_is_a_root_mean_square() {
    let layer: Normalization = RmsNormConfig::new(4).init(&device()).into();
    let model = After {
        before: burn::nn::LinearConfig::new(3, 4).init(&device()),
        layer,
    };
    let losses =
        |m: &After<Normalization>| squares(m.layer.tap(m.before.tap(values([3, 2, 3], 1))));
    crate::common::agree(&model, losses, 1e-5);
}

fn model(device: &Device) -> After<BatchNorm> {
    After {
        before: burn::nn::LinearConfig::new(3, 4).init(device),
        layer: BatchNormConfig::new(4).init(device),
    }
}

fn losses(m: &After<BatchNorm>) -> Tensor<1> {
    squares(m.layer.tap(m.before.tap(values([5, 3], 1))))
}

/// The training form mixes the examples, also where its own parameters are frozen and it is merely on the way.
#[test]
fn batch_norm_in_training_form_is_refused() {
    let trained = model(&device());
    let mut on_the_way = trained.clone();
    on_the_way.layer = on_the_way.layer.no_grad();
    for model in [trained.clone(), on_the_way] {
        let error = trace(&model, losses).expect_err("a batch norm in training form");
        assert!(matches!(error, GradError::Input { .. }), "{error:?}");
        let message = error.to_string();
        assert!(
            message.contains("layer.gamma is a batch norm, which mixes the examples"),
            "{message}"
        );
        assert!(message.contains("freeze()"), "{message}");
        // A refused pass leaves the running mean as it was.
        let mean = crate::common::numbers(model.layer.running_mean.value_sync());
        assert_eq!(mean, [0.0; 4]);
    }
    let mut cured = trained;
    cured.layer = cured.layer.freeze();
    trace(&cured, losses).expect("the evaluation form");
}
