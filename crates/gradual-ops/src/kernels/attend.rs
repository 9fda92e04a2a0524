//! Weights times values, for one example at a time.

use pulp::{Simd, WithSimd};

use super::product::{Panel, Target};
use super::weights::Sizes;

/// Makes the context of an example from its weights and values.
pub(crate) struct Forward<'a> {
    pub(crate) sizes: Sizes,
    pub(crate) weights: &'a [f32],
    pub(crate) value: &'a [f32],
    pub(crate) panel: &'a mut Panel,
    pub(crate) context: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sizes { t, s, d, .. } = self.sizes;
        for (head, weights) in self.weights.chunks_exact(t * s).enumerate() {
            let value = self.sizes.head(self.value, s, head);
            let into = Target {
                data: &mut self.context[head * d..],
                row: self.sizes.width(),
            };
            self.panel
                .multiply(simd, self.sizes.pairs(weights), value, 1.0, into);
        }
    }
}

/// Gradients of weights and values of an example from those of its context C: dW = dC Vᵀ and dV = Wᵀ dC.
pub(crate) struct Backward<'a> {
    pub(crate) sizes: Sizes,
    pub(crate) weights: &'a [f32],
    pub(crate) value: &'a [f32],
    pub(crate) deltas: &'a [f32],
    pub(crate) panel: &'a mut Panel,
    pub(crate) into_weights: &'a mut [f32],
    pub(crate) into_value: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sizes { t, s, heads, d } = self.sizes;
        for head in 0..heads {
            let deltas = self.sizes.head(self.deltas, t, head);
            let pairs = head * t * s..(head + 1) * t * s;
            let value = self.sizes.head(self.value, s, head).transposed();
            let into = Target {
                data: &mut self.into_weights[pairs.clone()],
                row: s,
            };
            self.panel.multiply(simd, deltas, value, 1.0, into);
            let weights = self.sizes.pairs(&self.weights[pairs]).transposed();
            let into = Target {
                data: &mut self.into_value[head * d..],
                row: self.sizes.width(),
            };
            self.panel.multiply(simd, weights, deltas, 1.0, into);
        }
    }
}
