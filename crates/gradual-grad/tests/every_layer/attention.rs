use burn::nn::attention::{
    CrossAttention, CrossAttentionConfig, MultiHeadAttention, MultiHeadAttentionConfig,
};
use burn::nn::transformer::{
    PositionWiseFeedForward, PositionWiseFeedForwardConfig, TransformerDecoder,
    TransformerDecoderConfig, TransformerEncoder, TransformerEncoderConfig,
};
use burn::tensor::{Bool, Tensor, TensorData};
use gradual_grad::{AttentionInput, DecoderInput, EncoderInput, Tap};
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

    #[test]
    fn multi_head_attention(n in 1usize..4, t in 1usize..4, s in 1usize..4, heads in 1usize..3, quiet: bool) {
        let layer = MultiHeadAttentionConfig::new(2 * heads, heads).with_dropout(0.0)
            .with_quiet_softmax(quiet).init(&device());
        exact(3, 2 * heads, layer, n, |m: &After<MultiHeadAttention>, n, seed| {
            let s = s + seed as usize - 1;
            let query = m.before.tap(values([n, t, 3], seed));
            let memory = m.before.tap(values([n, s, 3], seed + 1));
            let input = AttentionInput::new(query, memory.clone(), memory).mask_pad(masked(n, s));
            m.layer.tap(input).context
        });
    }

    #[test]
    fn feed_forward(n in 1usize..4, t in 1usize..4) {
        let layer = PositionWiseFeedForwardConfig::new(4, 6).with_dropout(0.0).init(&device());
        exact(3, 4, layer, n, |m: &After<PositionWiseFeedForward>, n, seed| {
            m.layer.tap(m.before.tap(values([n, t + seed as usize - 1, 3], seed)))
        });
    }

    #[test]
    fn transformer_encoder(n in 1usize..4, t in 1usize..4, norm_first: bool, alone: bool) {
        let layer = TransformerEncoderConfig::new(4, 6, 2, if alone { 1 } else { 2 }).with_dropout(0.0)
            .with_norm_first(norm_first).init(&device());
        exact(3, 4, layer, n, |m: &After<TransformerEncoder>, n, seed| {
            let t = t + seed as usize - 1;
            let x = m.before.tap(values([n, t, 3], seed));
            let input = EncoderInput::new(x).mask_pad(masked(n, t));
            if alone { m.layer.layers[0].tap(input) } else { m.layer.tap(input) }
        });
    }

    #[test]
    fn transformer_decoder(n in 1usize..4, t in 1usize..4, s in 1usize..4, norm_first: bool) {
        let layer = TransformerDecoderConfig::new(4, 6, 2, 1).with_dropout(0.0)
            .with_norm_first(norm_first).init(&device());
        exact(3, 4, layer, n, |m: &After<TransformerDecoder>, n, seed| {
            let target = m.before.tap(values([n, t + seed as usize - 1, 3], seed));
            let memory = m.before.tap(values([n, s, 3], seed + 1));
            m.layer.tap(DecoderInput::new(target, memory).memory_mask_pad(masked(n, s)))
        });
    }
}
