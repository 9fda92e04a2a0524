//! Layer norm of rows.

use pulp::{Simd, WithSimd};

use super::lanes;

/// The mean of a row, and one over the root of its variance and ε.
#[inline(always)]
fn moments(x: &[f32], epsilon: f32) -> (f32, f32) {
    let share = 1.0 / x.len() as f32;
    let mean = lanes::sum(x) * share;
    let variance = lanes::spread(x, mean) * share;
    (mean, 1.0 / (variance + epsilon).sqrt())
}

/// Rows of `x`, normalised, scaled and moved.
pub(crate) struct Forward<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) gamma: &'a [f32],
    pub(crate) beta: Option<&'a [f32]>,
    pub(crate) epsilon: f32,
    pub(crate) to: &'a mut [f32],
}

impl WithSimd for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        forward(self.x, self.gamma, self.beta, self.epsilon, self.to);
    }
}

#[inline(always)]
fn forward(x: &[f32], gamma: &[f32], beta: Option<&[f32]>, epsilon: f32, to: &mut [f32]) {
    let width = gamma.len();
    for (x, to) in x.chunks_exact(width).zip(to.chunks_exact_mut(width)) {
        let (mean, scale) = moments(x, epsilon);
        for ((to, &x), gamma) in to.iter_mut().zip(x).zip(gamma) {
            *to = (x - mean) * scale * gamma;
        }
        for (to, beta) in to.iter_mut().zip(beta.into_iter().flatten()) {
            *to += beta;
        }
    }
}

/// Gradients of rows, and of scales and shifts summed over rows (`sums`: first those of scales, then those of shifts), from those
/// of the output. With g = δ ∘ γ and x̂ the normalised row, dx = (g − mean(g) − x̂ mean(g ∘ x̂))/√(σ² + ε).
pub(crate) struct Backward<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) gamma: &'a [f32],
    pub(crate) deltas: &'a [f32],
    pub(crate) epsilon: f32,
    pub(crate) to: &'a mut [f32],
    pub(crate) sums: &'a mut [f32],
}

impl WithSimd for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        backward(
            self.x,
            self.gamma,
            self.deltas,
            self.epsilon,
            self.to,
            self.sums,
        );
    }
}

#[inline(always)]
fn backward(
    x: &[f32],
    gamma: &[f32],
    deltas: &[f32],
    epsilon: f32,
    into: &mut [f32],
    sums: &mut [f32],
) {
    let width = gamma.len();
    let share = 1.0 / width as f32;
    let (of_gamma, of_beta) = sums.split_at_mut(width);
    let (mut normalised, mut scaled) = (vec![0.0; width], vec![0.0; width]);
    let rows = x.chunks_exact(width).zip(deltas.chunks_exact(width));
    for (row, (x, deltas)) in rows.enumerate() {
        let (mean, scale) = moments(x, epsilon);
        for (to, &x) in normalised.iter_mut().zip(x) {
            *to = (x - mean) * scale;
        }
        let both = deltas.iter().zip(&normalised);
        for (sum, (delta, normalised)) in of_gamma.iter_mut().zip(both) {
            *sum += delta * normalised;
        }
        for (sum, delta) in of_beta.iter_mut().zip(deltas) {
            *sum += delta;
        }
        for ((to, delta), gamma) in scaled.iter_mut().zip(deltas).zip(gamma) {
            *to = delta * gamma;
        }
        let mean = lanes::sum(&scaled) * share;
        let along = lanes::dot(&scaled, &normalised) * share;
        let to = &mut into[row * width..(row + 1) * width];
        for ((to, g), normalised) in to.iter_mut().zip(&scaled).zip(&normalised) {
            *to = (g - mean - normalised * along) * scale;
        }
    }
}
