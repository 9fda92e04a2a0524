use burn::nn::activation::{
    Activation, ActivationConfig, PRelu, PReluConfig, SwiGlu, SwiGluConfig,
};
use burn::tensor::Tensor;
use gradual_grad::Tap;
use proptest::prelude::*;

use crate::support::{After, device, exact, values};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn prelu(n in 1usize..5, channels in 1usize..4, t in 1usize..4, single: bool) {
        let slopes = if single { 1 } else { channels };
        let layer = PReluConfig::new().with_num_parameters(slopes).init(&device());
        exact(3, t, layer, n, |m: &After<PRelu>, n, seed| {
            m.layer.tap(m.before.tap(values([n, channels, seed as usize, 3], seed)))
        });
    }

    #[test]
    fn prelu_of_scalars_and_vectors(n in 1usize..5, d in 1usize..4) {
        let layer = PReluConfig::new().init(&device());
        exact(3, d, layer, n, |m: &After<PRelu>, n, seed| {
            let x = m.before.tap(values([n, 3], seed));
            let scalars: Tensor<1> = m.layer.tap(x.clone().mean_dim(1).reshape([n]));
            Tensor::cat(vec![m.layer.tap(x), scalars.reshape([n, 1])], 1)
        });
    }

    #[test]
    fn swiglu(n in 1usize..5, t in 1usize..4, d in 1usize..4, e in 1usize..4, bias: bool) {
        let layer = SwiGluConfig::new(d, e).with_bias(bias).init(&device());
        exact(3, d, layer, n, |m: &After<SwiGlu>, n, seed| {
            m.layer.tap(m.before.tap(values([n, t + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn any_activation(n in 1usize..4, which in 0usize..3) {
        let config = match which {
            0 => ActivationConfig::PRelu(PReluConfig::new().with_num_parameters(2)),
            1 => ActivationConfig::SwiGlu(SwiGluConfig::new(4, 3)),
            _ => ActivationConfig::Gelu,
        };
        exact(3, 4, config.init(&device()), n, |m: &After<Activation>, n, seed| {
            m.layer.tap(m.before.tap(values([n, 2, 3], seed)))
        });
    }
}
