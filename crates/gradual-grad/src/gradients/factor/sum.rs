//! Weighted sums of the rows.

use burn::tensor::Tensor;

use super::Factor;
use super::outer::Outer;
use crate::gradients::random::normal;

impl Factor {
    /// C G: one weighted sum of the rows for each row of `coefficients` `[m, n]`, as `[m, p]`. Both are in one
    /// precision, at least single.
    pub(crate) fn combine(&self, coefficients: &Tensor<2>) -> Tensor<2> {
        let [m, n] = coefficients.dims();
        let each = |sum: &dyn Fn(Tensor<1>) -> Tensor<2>| {
            let rows = (0..m).map(|row| coefficients.clone().narrow(0, row, 1).reshape([n]));
            cat_rows(rows.map(sum))
        };
        match self {
            Self::Rows(rows) => coefficients.clone().matmul(rows.clone()),
            Self::Stack(parts) => Tensor::cat(
                parts
                    .iter()
                    .map(|part| part.combine(coefficients))
                    .collect(),
                1,
            ),
            Self::Outer(Outer { formed, .. }) if formed.get().is_some() => {
                coefficients.clone().matmul(self.rows())
            }
            Self::Tied(tied) if tied.formed.get().is_some() => {
                coefficients.clone().matmul(self.rows())
            }
            Self::Outer(outer) => each(&|row| outer.combine(row)),
            Self::Scatter(lookups) => each(&|row| lookups.combine(&row)),
            Self::Tied(tied) => each(&|row| tied.lookups.combine(&row) + tied.outer.combine(row)),
        }
    }

    /// Weighted sums of the rows, one for each row of `coefficients` `[m, n]`, as m rows in the form
    /// of outer products over `rank` positions: the best such approximation of each sum of outer
    /// products. Plain rows and look-ups are summed as they are.
    pub(crate) fn condense(&self, coefficients: &Tensor<2>, rank: usize) -> Self {
        let [m, _] = coefficients.dims();
        let leading = |(d, e): (usize, usize), inputs| {
            let sums = self.combine(coefficients).reshape([m, d, e]);
            let (left, right) = leading_pairs(sums, rank.min(d).min(e));
            Self::of_sides(left, right, inputs)
        };
        match self {
            Self::Outer(outer) => leading(outer.sides(), outer.inputs),
            Self::Tied(tied) => leading(tied.outer.sides(), tied.inputs()),
            Self::Stack(parts) => {
                let parts = parts.iter().map(|part| part.condense(coefficients, rank));
                Self::Stack(parts.collect())
            }
            Self::Scatter(_) | Self::Rows(_) => Self::Rows(self.combine(coefficients)),
        }
    }
}

/// The leading singular pairs of m matrices `[m, d, e]`, σu as `[m, rank, d]` and v as
/// `[m, rank, e]`, by power iteration and deflation.
fn leading_pairs(matrices: Tensor<3>, rank: usize) -> (Tensor<3>, Tensor<3>) {
    /// Gaps of a tenth are resolved to a thousandth.
    const ROUNDS: usize = 12;
    let unit = |vectors: Tensor<3>| {
        let norm = (vectors.clone() * vectors.clone()).sum_dim(1).sqrt();
        let zero = norm.clone().lower_equal_elem(0.0);
        vectors * norm.recip().mask_fill(zero, 0.0)
    };
    // A sum of the rows with random weights has a share of the leading direction, whatever the rows. A sum with equal
    // weights has none where rows cancel, nor has the largest row where many smaller ones lead.
    let [m, d, _] = matrices.dims();
    let like = (matrices.device(), matrices.dtype());
    let weights = normal(d, &like).reshape([1, d, 1]).expand([m, d, 1]);
    let mut rest = matrices;
    let (mut lefts, mut rights) = (Vec::new(), Vec::new());
    for _ in 0..rank {
        let transposed = rest.clone().swap_dims(1, 2);
        let mut right = unit(transposed.clone().matmul(weights.clone()));
        for _ in 0..ROUNDS {
            right = unit(transposed.clone().matmul(rest.clone().matmul(right)));
        }
        let left = rest.clone().matmul(right.clone());
        rest = rest - left.clone().matmul(right.clone().swap_dims(1, 2));
        lefts.push(left.swap_dims(1, 2));
        rights.push(right.swap_dims(1, 2));
    }
    (Tensor::cat(lefts, 1), Tensor::cat(rights, 1))
}

/// Rows one below another; a single one as it is.
fn cat_rows(rows: impl Iterator<Item = Tensor<2>>) -> Tensor<2> {
    let mut rows: Vec<_> = rows.collect();
    match rows.len() {
        1 => rows.remove(0),
        _ => Tensor::cat(rows, 0),
    }
}
