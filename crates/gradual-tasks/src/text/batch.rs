//! Lines side by side.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::encoded::Encoded;
use super::vocabulary::EDGE;
use crate::likelihood;

/// One draw: tokens, the tokens that follow, and which of those are learned, all `[n, t]`.
#[derive(Debug, Clone)]
pub struct TextBatch {
    pub(super) tokens: Tensor<2, Int>,
    pub(super) targets: Tensor<2, Int>,
    /// 1 where the target is learned, 0 elsewhere.
    pub(super) learned: Tensor<2>,
    /// The same lines on the host.
    pub(super) lines: Arc<[Encoded]>,
}

impl TextBatch {
    /// Lines side by side, padded to the longest.
    pub(super) fn new(lines: Vec<Encoded>, device: &Device) -> Self {
        let n = lines.len();
        let t = lines.iter().map(Encoded::length).max().unwrap_or(1);
        let (mut tokens, mut targets) = (Vec::with_capacity(n * t), Vec::with_capacity(n * t));
        let mut learned = Vec::with_capacity(n * t);
        for line in &lines {
            let ids = |from: usize| {
                let ids = line.tokens[from..from + line.length()].iter();
                ids.map(|&id| id as i32)
            };
            tokens.extend(ids(0));
            targets.extend(ids(1));
            learned.extend((1..=line.length()).map(|at| f32::from(u8::from(at >= line.learned))));
            let padded = tokens.len().next_multiple_of(t);
            tokens.resize(padded, EDGE as i32);
            targets.resize(padded, EDGE as i32);
            learned.resize(padded, 0.0);
        }
        Self {
            tokens: Tensor::from_data(TensorData::new(tokens, [n, t]), device),
            targets: Tensor::from_data(TensorData::new(targets, [n, t]), device),
            learned: Tensor::from_data(TensorData::new(learned, [n, t]), device),
            lines: lines.into(),
        }
    }

    /// The tokens that a model reads, `[n, t]`.
    #[must_use]
    pub fn tokens(&self) -> &Tensor<2, Int> {
        &self.tokens
    }

    /// Log-probability of the right next token where it is learned, else 0: `[n, t]`.
    pub(super) fn log_likelihoods(&self, logits: Tensor<3>) -> Tensor<2> {
        likelihood::of_tokens(logits, self.targets.clone()) * self.learned.clone()
    }
}
