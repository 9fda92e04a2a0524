//! Log-likelihoods of rows of logits.

use pulp::{Simd, WithSimd};

use super::exponential::exp;
use super::lanes;

/// The log-likelihood of each target, and ln Σ exp(z) of each row. `scratch` has room for a row.
pub(crate) struct Forward<'a> {
    pub(crate) logits: &'a [f32],
    pub(crate) targets: &'a [usize],
    pub(crate) scratch: &'a mut [f32],
    pub(crate) likelihoods: &'a mut [f32],
    pub(crate) normalisers: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        forward(
            self.logits,
            self.targets,
            self.scratch,
            self.likelihoods,
            self.normalisers,
        );
    }
}

#[inline(always)]
fn forward(
    logits: &[f32],
    targets: &[usize],
    scratch: &mut [f32],
    likelihoods: &mut [f32],
    normalisers: &mut [f32],
) {
    let rows = logits.chunks_exact(scratch.len()).zip(targets);
    let outputs = likelihoods.iter_mut().zip(normalisers);
    for ((row, &target), (likelihood, normaliser)) in rows.zip(outputs) {
        let largest = lanes::largest(row);
        for (to, &x) in scratch.iter_mut().zip(row) {
            *to = exp(x - largest);
        }
        let log = lanes::sum(scratch).ln();
        *normaliser = largest + log;
        // In this order the largest logit's own likelihood keeps its digits.
        *likelihood = (row[target] - largest) - log;
    }
}

/// Gradients of the logits: δ (1\[target\] − softmax(z)).
pub(crate) struct Backward<'a> {
    pub(crate) logits: &'a [f32],
    pub(crate) targets: &'a [usize],
    pub(crate) normalisers: &'a [f32],
    pub(crate) deltas: &'a [f32],
    pub(crate) into: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        backward(
            self.logits,
            self.targets,
            self.normalisers,
            self.deltas,
            self.into,
        );
    }
}

#[inline(always)]
fn backward(
    logits: &[f32],
    targets: &[usize],
    normalisers: &[f32],
    deltas: &[f32],
    into: &mut [f32],
) {
    let classes = logits.len() / targets.len().max(1);
    let rows = logits
        .chunks_exact(classes)
        .zip(into.chunks_exact_mut(classes));
    let each = targets.iter().zip(normalisers).zip(deltas);
    for ((row, into), ((&target, normaliser), delta)) in rows.zip(each) {
        for (to, &x) in into.iter_mut().zip(row) {
            *to = -delta * exp(x - normaliser);
        }
        into[target] += delta;
    }
}
