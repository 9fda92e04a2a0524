//! Weighted sums of the rows.

use burn::tensor::{IndexingUpdateOp, Tensor};

use super::Factor;

impl Factor {
    /// C G: one weighted sum of the rows for each row of `coefficients` `[m, n]`, as `[m, p]`.
    pub(crate) fn combine(&self, coefficients: &Tensor<2>) -> Tensor<2> {
        let [m, n] = coefficients.dims();
        match self {
            Self::Rows(rows) => coefficients.clone().matmul(rows.clone()),
            Self::Stack(parts) => Tensor::cat(
                parts
                    .iter()
                    .map(|part| part.combine(coefficients))
                    .collect(),
                1,
            ),
            Self::Outer { formed, .. } if formed.0.get().is_some() => {
                coefficients.clone().matmul(self.rows())
            }
            Self::Outer { left, right, .. } => {
                let [_, t, d] = left.dims();
                let e = right.dims()[2];
                let sums = (0..m).map(|row| {
                    let weights = coefficients.clone().narrow(0, row, 1).reshape([n, 1, 1]);
                    // The narrower side is the cheaper one to scale.
                    let (left, right) = match d < e {
                        true => (left.clone() * weights, right.clone()),
                        false => (left.clone(), right.clone() * weights),
                    };
                    left.reshape([n * t, d])
                        .transpose()
                        .matmul(right.reshape([n * t, e]))
                        .reshape([1, d * e])
                });
                cat_rows(sums)
            }
            Self::Scatter {
                indices,
                deltas,
                rows,
            } => {
                let [_, t, e] = deltas.dims();
                let at = indices.clone().reshape([n * t]);
                let sums = (0..m).map(|row| {
                    let weights = coefficients.clone().narrow(0, row, 1).reshape([n, 1, 1]);
                    let weighted = (deltas.clone() * weights).reshape([n * t, e]);
                    Tensor::<2>::zeros([*rows, e], (&deltas.device(), deltas.dtype()))
                        .select_assign(0, at.clone(), weighted, IndexingUpdateOp::Add)
                        .reshape([1, rows * e])
                });
                cat_rows(sums)
            }
        }
    }

    /// Weighted sums of the rows, one for each row of `coefficients` `[m, n]`, as m rows in the form
    /// of outer products over `rank` positions: the best such approximation of each sum of outer
    /// products. Plain rows are summed as they are.
    pub(crate) fn condense(&self, coefficients: &Tensor<2>, rank: usize) -> Self {
        let [m, _] = coefficients.dims();
        match self {
            Self::Outer {
                left,
                right,
                inputs,
                ..
            } => {
                let (d, e) = (left.dims()[2], right.dims()[2]);
                let sums = self.combine(coefficients).reshape([m, d, e]);
                let (left, right) = leading_pairs(sums, rank.min(d).min(e));
                Self::of_sides(left, right, *inputs)
            }
            Self::Stack(parts) => {
                let parts = parts.iter().map(|part| part.condense(coefficients, rank));
                Self::Stack(parts.collect())
            }
            Self::Scatter { .. } | Self::Rows(_) => Self::Rows(self.combine(coefficients)),
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
    let mut rest = matrices;
    let (mut lefts, mut rights) = (Vec::new(), Vec::new());
    for _ in 0..rank {
        let transposed = rest.clone().swap_dims(1, 2);
        // The row of the largest sum of squares is seldom orthogonal to the leading direction.
        let squares = (rest.clone() * rest.clone()).sum_dim(2);
        let weights = squares.clone().equal(squares.max_dim(1)).float();
        let start = transposed.clone().matmul(weights.cast(rest.dtype()));
        let mut right = unit(start);
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
