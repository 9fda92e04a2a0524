use burn::nn::attention::{CrossAttention, CrossAttentionConfig};
use burn::tensor::{Bool, Tensor, TensorData};
use gradual_grad::Tap;
use proptest::prelude::*;

use crate::support::{After, device, exact, values};

/// Masked positions: each example keeps at least one.
fn masked(n: usize, s: usize) -> Tensor<2, Bool> {
    let data: Vec<bool> = (0..n * s).map(|i| i % s > (i / s) % s).collect();
    Tensor::from_data(TensorData::new(data, [n, s]), &device())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn cross_attention(
        n in 1usize..4, t in 1usize..4, s in 1usize..4, d in 1usize..4, c in 1usize..4, kv in 1usize..3,
        repeat in 1usize..3, head in 1usize..4, quiet: bool, mask: bool,
    ) {
        let layer = CrossAttentionConfig::new(d, c, kv * repeat, kv, head).with_dropout(0.0)
            .with_quiet_softmax(quiet).init(&device());
        exact(3, d + c, layer, n, |m: &After<CrossAttention>, n, seed| {
            let s = s + seed as usize - 1;
            let query = m.before.tap(values([n, t, 3], seed)).narrow(2, 0, d);
            let context = m.before.tap(values([n, s, 3], seed + 1)).narrow(2, d, c);
            m.layer.tap((query, context, mask.then(|| masked(n, s))))
        });
    }
}
