//! Floating-point operations of the MLP's steps, counted: the roofline of the plots.

/// Operations of one exact step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flops {
    /// What an ordinary step takes: forward, backward, weight gradients.
    pub(crate) ordinary: u64,
    /// The Gram matrix.
    pub(crate) gram: u64,
}

impl Flops {
    /// Of a multilayer perceptron with these `widths`, from inputs to classes, and a draw of `n`.
    ///
    /// Matrix products alone are counted, a multiplication and an addition as two; with d and e the widths
    /// beside each layer:
    ///
    /// | part | operations |
    /// |---|---|
    /// | forward X W | 2 n d e |
    /// | backward Δ Wᵀ, but for the first layer, whose inputs need no gradient | 2 n d e |
    /// | combined gradient Xᵀ (c ∘ Δ) | 2 n d e |
    /// | Gram matrix (X Xᵀ + 1) ∘ (Δ Δᵀ), each of its n (n + 1) / 2 pairs once | n (n + 1) (d + e) |
    ///
    /// The combined gradient takes the place of the ordinary step's weight gradients, so the exact step is
    /// the ordinary one and the Gram matrix. What is done element by element (activations, Adam, ∘) is
    /// left out: it grows with n Σ(d + e), n² or P, and the rate of a matrix product says nothing about
    /// it. The operations over that rate are therefore a bound that a step comes near to when it is large.
    pub(crate) fn of_mlp(widths: &[usize], n: usize) -> Self {
        let n = n as u64;
        let layers = || {
            widths
                .windows(2)
                .map(|pair| (pair[0] as u64, pair[1] as u64))
        };
        let weights: u64 = layers().map(|(d, e)| d * e).sum();
        let first = layers().next().map_or(0, |(d, e)| d * e);
        let sides: u64 = layers().map(|(d, e)| d + e).sum();
        Self {
            ordinary: 2 * n * (3 * weights - first),
            gram: n * (n + 1) * sides,
        }
    }

    /// Of the whole exact step.
    pub(crate) fn exact(self) -> u64 {
        self.ordinary + self.gram
    }
}

/// Parameters of such a perceptron, biases included: P.
pub(crate) fn parameters(widths: &[usize]) -> usize {
    widths.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tiny_model_counts_as_by_hand() {
        // Weights 2×3 and 3×1, four examples: forward 4·(6 + 3) multiplications and as many additions,
        // backward 4·3 of each, weight gradients 4·(6 + 3) of each.
        // Gram matrix: 10 pairs, inner products of 2, 3, 3 and 1 numbers.
        let flops = Flops::of_mlp(&[2, 3, 1], 4);
        assert_eq!(flops.ordinary, 2 * (36 + 12 + 36));
        assert_eq!(flops.gram, 2 * 10 * (2 + 3 + 3 + 1));
        assert_eq!(flops.exact(), 168 + 180);
        assert_eq!(parameters(&[2, 3, 1]), 6 + 3 + 3 + 1);
    }

    #[test]
    fn one_layer_has_no_backward_product() {
        assert_eq!(Flops::of_mlp(&[5, 7], 1).ordinary, 2 * 2 * 35);
    }
}
