//! Random projections of the gradients.

use burn::tensor::Tensor;

use super::ExampleGradients;
use super::factor::Factor;
use super::products::{Products, Span};
use super::random::Projections;

impl ExampleGradients {
    /// A random projection S `[n, dim]` of the gradients: S Sᵀ is K in expectation over seeds.
    ///
    /// The projection is applied to the factors. An entry is uᵀ g_j v / √dim with random signs u and
    /// v and g_j the `[d, e]` gradient of a weight, summed over parameters. Entries come in fours,
    /// u and v each one of two, so that a side is multiplied by `dim`/2 vectors only: about
    /// n t (d + e) `dim` operations and no array of parameter size. Equal seeds give equal
    /// projections for equal paths, so sketches of different draws and steps can be compared.
    ///
    /// Error: for gradients g and h an inner product is off by at most about 4 ‖g‖‖h‖ / √dim in
    /// standard deviation, and by ‖g‖‖h‖ / √dim where both sides are orthogonal. (For one entry
    /// E(uᵀg v uᵀh v)² ≤ 9 ‖g‖²‖h‖², as E(uᵀa)⁴ ≤ 3 ‖a‖⁴ on either side; two entries of a four that
    /// share u or v have E ≤ 3 ‖g‖²‖h‖², two that share none (g·h)²; so the mean of a four has a
    /// variance of at most 15/4 ‖g‖²‖h‖².)
    pub fn sketch(&self, dim: usize, seed: u64) -> Tensor<2> {
        if dim == 0 {
            return self.nothing([self.num_examples(), 0]);
        }
        let precision = self.precision();
        let with_bias = self.biases(|factor| matches!(factor, Factor::Outer(_)));
        let sketches = self
            .parameters
            .iter()
            .enumerate()
            .filter(|(index, _)| !with_bias.contains(&Some(*index)))
            .filter_map(|(index, each)| {
                let factor = each.wide()?;
                let like = (factor.device(), factor.dtype());
                let mut projections = Projections::new(seed, &each.parameter.path, &like);
                let bias = with_bias[index].is_some();
                let mut project = |size, count| projections.next(size, count);
                Some(factor.sketch(dim, bias, &mut project).cast(precision))
            });
        let sum = sketches.reduce(|sum, part| sum + part);
        sum.unwrap_or_else(|| self.nothing([self.num_examples(), dim]))
            .div_scalar((dim as f64).sqrt())
    }

    /// The Gram matrix of a [`sketch`](Self::sketch), S Sᵀ `[n, n]`, which estimates
    /// [`gram`](Self::gram): n² `dim` operations on top of the sketch's.
    pub fn sketch_gram(&self, dim: usize, seed: u64) -> Tensor<2> {
        let sketch = self.sketch(dim, seed);
        Products::of(&sketch, &sketch, Span::Upper).full()
    }
}
