//! Weights of attention, for one example at a time.

use pulp::{Simd, WithSimd};

use super::exponential::exp;
use super::lanes;
use super::product::{Matrix, Panel, Target};

/// The sizes of an attention.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sizes {
    /// Positions that attend.
    pub(crate) t: usize,
    /// Positions that are attended to.
    pub(crate) s: usize,
    pub(crate) heads: usize,
    /// Columns of a head.
    pub(crate) d: usize,
}

impl Sizes {
    pub(crate) fn width(self) -> usize {
        self.heads * self.d
    }

    /// Numbers in the weights of an example.
    pub(crate) fn weights(self) -> usize {
        self.heads * self.t * self.s
    }

    /// One over the root of a head's columns.
    pub(crate) fn scale(self) -> f32 {
        1.0 / (self.d as f32).sqrt()
    }

    /// The columns of head `head` of `rows` rows.
    pub(crate) fn head(self, data: &[f32], rows: usize, head: usize) -> Matrix<'_> {
        Matrix {
            data: &data[head * self.d..],
            rows,
            columns: self.d,
            row: self.width(),
            column: 1,
        }
    }

    /// The weights, or what has their shape, of one head.
    pub(crate) fn pairs(self, data: &[f32]) -> Matrix<'_> {
        Matrix {
            data,
            rows: self.t,
            columns: self.s,
            row: self.s,
            column: 1,
        }
    }
}

/// What of an example is masked, `[t, s]`, and the score that stands there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Masked<'a> {
    pub(crate) pairs: &'a [bool],
    pub(crate) score: f32,
}

/// Makes the weights of an example from its queries and keys.
pub(crate) struct Forward<'a> {
    pub(crate) sizes: Sizes,
    pub(crate) query: &'a [f32],
    pub(crate) key: &'a [f32],
    pub(crate) masked: Option<Masked<'a>>,
    pub(crate) panel: &'a mut Panel,
    pub(crate) weights: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sizes { t, s, .. } = self.sizes;
        for (head, weights) in self.weights.chunks_exact_mut(t * s).enumerate() {
            let query = self.sizes.head(self.query, t, head);
            let key = self.sizes.head(self.key, s, head).transposed();
            let into = Target {
                data: weights,
                row: s,
            };
            self.panel
                .multiply(simd, query, key, self.sizes.scale(), into);
            for (i, row) in weights.chunks_exact_mut(s).enumerate() {
                if let Some(Masked { pairs, score }) = self.masked {
                    for (x, &masked) in row.iter_mut().zip(&pairs[i * s..]) {
                        *x = if masked { score } else { *x };
                    }
                }
                softmax(row);
            }
        }
    }
}

#[inline(always)]
fn softmax(row: &mut [f32]) {
    let largest = lanes::largest(row);
    for x in row.iter_mut() {
        *x = exp(*x - largest);
    }
    let share = 1.0 / lanes::sum(row);
    for x in row {
        *x *= share;
    }
}

/// Gradients of queries and keys of an example from those of its weights W: with dS = W ∘ (dW − rowsum(dW ∘ W)), zero where
/// masked, dQ = dS K/√d and dK = dSᵀ Q/√d.
pub(crate) struct Backward<'a> {
    pub(crate) sizes: Sizes,
    pub(crate) query: &'a [f32],
    pub(crate) key: &'a [f32],
    pub(crate) masked: Option<Masked<'a>>,
    pub(crate) weights: &'a [f32],
    pub(crate) deltas: &'a [f32],
    pub(crate) panel: &'a mut Panel,
    /// Of the scores, `[t, s]`: used again for every head.
    pub(crate) scores: &'a mut Vec<f32>,
    pub(crate) into_query: &'a mut [f32],
    pub(crate) into_key: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sizes { t, s, d, .. } = self.sizes;
        let (scale, row) = (self.sizes.scale(), self.sizes.width());
        self.scores.clear();
        self.scores.resize(t * s, 0.0);
        let heads = self
            .weights
            .chunks_exact(t * s)
            .zip(self.deltas.chunks_exact(t * s));
        for (head, (weights, deltas)) in heads.enumerate() {
            let rows = weights.chunks_exact(s).zip(deltas.chunks_exact(s));
            for (to, (weights, deltas)) in self.scores.chunks_exact_mut(s).zip(rows) {
                let mean = lanes::dot(weights, deltas);
                for ((to, weight), delta) in to.iter_mut().zip(weights).zip(deltas) {
                    *to = weight * (delta - mean);
                }
            }
            if let Some(Masked { pairs, .. }) = self.masked {
                for (x, &masked) in self.scores.iter_mut().zip(pairs) {
                    *x = if masked { 0.0 } else { *x };
                }
            }
            let scores = self.sizes.pairs(self.scores);
            let (query, key) = (
                &mut self.into_query[head * d..],
                &mut self.into_key[head * d..],
            );
            let into = Target { data: query, row };
            let keys = self.sizes.head(self.key, s, head);
            self.panel.multiply(simd, scores, keys, scale, into);
            let into = Target { data: key, row };
            let queries = self.sizes.head(self.query, t, head);
            self.panel
                .multiply(simd, scores.transposed(), queries, scale, into);
        }
    }
}
