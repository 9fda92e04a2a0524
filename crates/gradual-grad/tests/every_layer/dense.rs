use burn::module::Param;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig, RmsNorm, RmsNormConfig};
use burn::tensor::{Int, Tensor, TensorData};
use gradual_grad::{Tap, TiedReadout, per_example};
use proptest::prelude::*;

use crate::support::{After, device, exact, exact_to, values};

/// Token indices below `vocabulary`, with repetitions.
fn tokens(n: usize, t: usize, vocabulary: usize, seed: u64) -> Tensor<2, Int> {
    let token = |i: usize| (i * i / 2 + i * seed as usize) as i64 % vocabulary as i64;
    let data: Vec<i64> = (0..n * t).map(token).collect();
    Tensor::from_data(TensorData::new(data, [n, t]), &device())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn linear(n in 1usize..5, t in 1usize..4, d in 1usize..4, e in 1usize..4, bias: bool) {
        let layer = LinearConfig::new(d, e).with_bias(bias).init(&device());
        exact(3, d, layer, n, |m: &After<Linear>, n, seed| {
            m.layer.tap(m.before.tap(values([n, 2, t + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn embedding(n in 1usize..5, t in 1usize..4, vocabulary in 1usize..9, d in 1usize..4) {
        let layer = EmbeddingConfig::new(vocabulary, d).init(&device());
        exact(d, 3, layer, n, |m: &After<Embedding>, n, seed| {
            m.before.tap(m.layer.tap(tokens(n, t + seed as usize - 1, vocabulary, seed)))
        });
    }

    #[test]
    fn tied_embedding_and_readout(n in 1usize..5, t in 1usize..4, vocabulary in 1usize..9, d in 1usize..4) {
        let layer = EmbeddingConfig::new(vocabulary, d).init(&device());
        exact(d, d, layer, n, |m: &After<Embedding>, n, seed| {
            let x = m.layer.tap(tokens(n, t + seed as usize - 1, vocabulary, seed));
            m.layer.readout(m.before.tap(x))
        });
    }

    #[test]
    fn rms_norm(n in 1usize..5, t in 1usize..4, d in 1usize..5) {
        let layer = RmsNormConfig::new(d).init(&device());
        // Burn computes its root mean square in single precision, whatever its input.
        exact_to(1e-4, 3, d, layer, n, |m: &After<RmsNorm>, n, seed| {
            m.layer.tap(m.before.tap(values([n, t + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn expanded_parameter(n in 1usize..5, t in 1usize..4, d in 1usize..4) {
        let layer = Param::from_tensor(values([t, d], 5));
        exact(3, d, layer, n, |m: &After<Param<Tensor<2>>>, n, seed| {
            m.before.tap(values([n, t, 3], seed)) * per_example::<2, 3>(&m.layer, n)
        });
    }
}
