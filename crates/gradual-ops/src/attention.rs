//! The weights of an attention, and what they make of values.

use burn::tensor::Tensor;
use burn::tensor::activation::{quiet_softmax, softmax};

use crate::masks::AttentionMasks;

/// What turns scores into weights.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum AttentionSoftmax {
    /// exp(x)/Σ exp(x).
    #[default]
    Usual,
    /// exp(x)/(1 + Σ exp(x)), so that a head may attend to nothing (E. Miller 2023). Made of Burn's operations.
    Quiet,
}

/// The weights `[n, heads, t, s]` of a scaled dot-product attention: softmax(Q Kᵀ/√d) of each head, after masking.
///
/// `query` `[n, t, heads × d]` and `key` `[n, s, heads × d]` are what projections give: a head has d columns, side by side.
///
/// # Panics
///
/// Where shapes do not fit.
pub fn attention_weights(
    query: Tensor<3>,
    key: Tensor<3>,
    heads: usize,
    masks: &AttentionMasks,
    kind: AttentionSoftmax,
) -> Tensor<4> {
    let ([n, t, width], [m, s, other]) = (query.dims(), key.dims());
    assert!(
        heads > 0 && width % heads == 0 && n == m && width == other,
        "attention weights: queries [{n}, {t}, {width}] and keys [{m}, {s}, {other}] of {heads} heads do not fit"
    );
    #[cfg(feature = "flex")]
    if kind == AttentionSoftmax::Usual
        && let Some(weights) = crate::flex::weights::weights(&query, &key, heads, masks)
    {
        return weights;
    }
    let d = width / heads;
    let (query, key) = (of_heads(query, heads), of_heads(key, heads));
    let mut scores = query.matmul(key.transpose()).div_scalar((d as f32).sqrt());
    if let Some(mask) = &masks.padding {
        scores = scores.mask_fill(mask.clone().reshape([n, 1, 1, s]), masks.score);
    }
    if let Some(mask) = &masks.pairs {
        scores = scores.mask_fill(mask.clone().reshape([n, 1, t, s]), masks.score);
    }
    match kind {
        AttentionSoftmax::Usual => softmax(scores, 3),
        AttentionSoftmax::Quiet => quiet_softmax(scores, 3),
    }
}

/// Weights `[n, heads, t, s]` times values `[n, s, heads × d]`: `[n, t, heads × d]`.
///
/// # Panics
///
/// Where shapes do not fit.
pub fn attend(weights: Tensor<4>, value: Tensor<3>) -> Tensor<3> {
    let ([n, heads, t, s], [m, rows, width]) = (weights.dims(), value.dims());
    assert!(
        heads > 0 && width % heads == 0 && n == m && s == rows,
        "attend: weights [{n}, {heads}, {t}, {s}] and values [{m}, {rows}, {width}] do not fit"
    );
    #[cfg(feature = "flex")]
    if let Some(context) = crate::flex::attend::attend(&weights, &value) {
        return context;
    }
    weights
        .matmul(of_heads(value, heads))
        .swap_dims(1, 2)
        .reshape([n, t, width])
}

/// `[n, t, heads × d]` as `[n, heads, t, d]`.
fn of_heads(x: Tensor<3>, heads: usize) -> Tensor<4> {
    let [n, t, width] = x.dims();
    x.reshape([n, t, heads, width / heads]).swap_dims(1, 2)
}
