//! Look-ups in a table: every position adds to one row of a matrix.

use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor};

use super::blocks::BLOCK;
use super::order::IndexOrder;
use super::outer::{Outer, lengthened};

/// g_j has deltas_jt `[n, t, e]` added to row indices_jt `[n, t]` of a `[rows, e]` matrix.
#[derive(Debug, Clone)]
pub(crate) struct Lookups {
    pub(crate) indices: Tensor<2, Int>,
    pub(crate) deltas: Tensor<3>,
    pub(crate) rows: usize,
    pub(super) order: IndexOrder,
}

impl Lookups {
    pub(crate) fn new(indices: Tensor<2, Int>, deltas: Tensor<3>, rows: usize) -> Self {
        // Narrower integers than the device's own don't count the rows of all examples.
        let own = indices.device().settings().int_dtype;
        Self {
            indices: indices.cast(own),
            deltas,
            rows,
            order: IndexOrder::default(),
        }
    }

    /// The same positions with other vectors.
    pub(crate) fn with_deltas(&self, deltas: Tensor<3>) -> Self {
        Self {
            deltas,
            ..self.clone()
        }
    }

    /// Rows and columns of the matrix.
    pub(crate) fn sides(&self) -> (usize, usize) {
        (self.rows, self.deltas.dims()[2])
    }

    pub(super) fn positions(&self) -> usize {
        self.indices.dims()[1]
    }

    /// The sum of several over the same examples: their positions one after another. None for an empty list.
    pub(super) fn sum(parts: Vec<Self>) -> Option<Self> {
        Self::joined(parts, 1)
    }

    /// The examples of several, one after another. None for an empty list.
    pub(super) fn concat(parts: Vec<Self>) -> Option<Self> {
        let t = parts.iter().map(Self::positions).max()?;
        let lengthen = |part: Self| {
            let [n, own] = part.indices.dims();
            if own == t {
                return part;
            }
            // Zeros can be added to any row; the example's last one keeps its frequency in proportion.
            let last = part.indices.clone().narrow(1, own - 1, 1);
            let more = last.expand([n, t - own]);
            let indices = Tensor::cat(vec![part.indices, more], 1);
            Self::new(indices, lengthened(part.deltas, t), part.rows)
        };
        Self::joined(parts.into_iter().map(lengthen).collect(), 0)
    }

    fn joined(mut parts: Vec<Self>, axis: usize) -> Option<Self> {
        if parts.len() < 2 {
            return parts.pop();
        }
        let rows = parts.first()?.rows;
        let (indices, deltas) = parts
            .into_iter()
            .map(|part| (part.indices, part.deltas))
            .unzip();
        Some(Self::new(
            Tensor::cat(indices, axis),
            Tensor::cat(deltas, axis),
            rows,
        ))
    }

    /// n rows of zeros in this table.
    pub(super) fn zeros(&self, n: usize) -> Self {
        let device = self.deltas.device();
        let (rows, e) = self.sides();
        let deltas = Tensor::zeros([n, 1, e], (&device, self.deltas.dtype()));
        Self::new(Tensor::zeros([n, 1], &device), deltas, rows)
    }

    pub(super) fn cast(self, to: DType) -> Self {
        Self {
            deltas: self.deltas.cast(to),
            ..self
        }
    }

    pub(super) fn choose(&self, examples: &Tensor<1, Int>) -> Self {
        let indices = self.indices.clone().select(0, examples.clone());
        let deltas = self.deltas.clone().select(0, examples.clone());
        Self::new(indices, deltas, self.rows)
    }

    /// Rows `start..start + width` of the matrices, `[n, width·e]`.
    pub(super) fn block(&self, start: usize, width: usize) -> Tensor<2> {
        let part = width < self.rows;
        let by_index = part.then(|| self.block_by_index(start, width)).flatten();
        by_index.unwrap_or_else(|| {
            let e = self.sides().1;
            self.matrices().narrow(1, start * e, width * e)
        })
    }

    /// The matrices, `[n, rows·e]`.
    fn matrices(&self) -> Tensor<2> {
        let [n, t, e] = self.deltas.dims();
        let device = self.deltas.device();
        let first = Tensor::<1, Int>::arange(0..n as i64, &device).mul_scalar(self.rows as i64);
        let at = self.indices.clone() + first.reshape([n, 1]);
        Tensor::<2>::zeros([n * self.rows, e], (&device, self.deltas.dtype()))
            .select_assign(
                0,
                at.reshape([n * t]),
                self.deltas.clone().reshape([n * t, e]),
                IndexingUpdateOp::Add,
            )
            .reshape([n, self.rows * e])
    }

    /// Σ_j c_j g_j, `[1, rows·e]`, for c `[n]`. Some of the examples are weighted at a time, so no
    /// second array of all positions is made.
    pub(super) fn combine(&self, coefficients: &Tensor<1>) -> Tensor<2> {
        let [n, t, e] = self.deltas.dims();
        let zeros = Tensor::<2>::zeros(
            [self.rows, e],
            (&self.deltas.device(), coefficients.dtype()),
        );
        let sum = pieces(n, t * e).fold(zeros, |sum, (start, count)| {
            let weights = coefficients.clone().narrow(0, start, count);
            let deltas = self.deltas.clone().narrow(0, start, count);
            let weighted = deltas.cast(weights.dtype()) * weights.reshape([count, 1, 1]);
            sum.select_assign(
                0,
                self.flat_indices(start, count),
                weighted.reshape([count * t, e]),
                IndexingUpdateOp::Add,
            )
        });
        sum.reshape([1, self.rows * e])
    }

    /// Indices of some of the examples, `[count·t]`.
    fn flat_indices(&self, start: usize, count: usize) -> Tensor<1, Int> {
        let t = self.positions();
        let indices = self.indices.clone().narrow(0, start, count);
        indices.reshape([count * t])
    }

    /// Inner products with plain rows `[m, rows·e]`, `[n, m]`: what a look-up meets is looked up.
    pub(super) fn with_rows(&self, rows: &Tensor<2>) -> Tensor<2> {
        let [n, t, e] = self.deltas.dims();
        let m = rows.dims()[0];
        let columns = (0..m).map(|j| {
            let matrix = rows.clone().narrow(0, j, 1).reshape([self.rows, e]);
            let parts = pieces(n, t * e).map(|(start, count)| {
                let met = matrix.clone().select(0, self.flat_indices(start, count));
                let deltas = self.deltas.clone().narrow(0, start, count);
                let products = deltas.reshape([count, t * e]) * met.reshape([count, t * e]);
                products.sum_dim(1)
            });
            Tensor::cat(parts.collect(), 0)
        });
        Tensor::cat(columns.collect(), 1)
    }

    /// Inner products with outer products of m examples at s positions, `[n, m]`:
    /// Σ_t Σ_s left_js[index_it] (right_js·δ_it). About 2 n t m s e operations.
    pub(super) fn with_outer(&self, outer: &Outer) -> Tensor<2> {
        let [n, t, e] = self.deltas.dims();
        let [m, s, _] = outer.left.dims();
        let all = self.flat_indices(0, n);
        let deltas = self.deltas.clone().reshape([n * t, e]).transpose();
        let columns = pieces(m, s * n * t).map(|(start, count)| {
            let side = |side: &Tensor<3>| {
                let width = side.dims()[2];
                let part = side.clone().narrow(0, start, count);
                part.reshape([count * s, width])
            };
            let met = side(&outer.left).select(1, all.clone());
            let products = met * side(&outer.right).matmul(deltas.clone());
            products
                .reshape([count, s, n, t])
                .sum_dim(3)
                .sum_dim(1)
                .reshape([count, n])
        });
        Tensor::cat(columns.collect(), 0).transpose()
    }

    /// Inner products of each example with an outer product of the same example, `[n]`.
    pub(super) fn with_own_outer(&self, outer: &Outer) -> Tensor<1> {
        let [n, t, _] = self.deltas.dims();
        let [_, s, _] = outer.left.dims();
        let parts = pieces(n, s * t).map(|(start, count)| {
            let of = |side: &Tensor<3>| side.clone().narrow(0, start, count);
            let at = self.indices.clone().narrow(0, start, count);
            let at = at.reshape([count, 1, t]).expand([count, s, t]);
            let met = of(&outer.left).gather(2, at);
            let products = met * of(&outer.right).matmul(of(&self.deltas).swap_dims(1, 2));
            products.reshape([count, s * t]).sum_dim(1).reshape([count])
        });
        Tensor::cat(parts.collect(), 0)
    }

    /// Squared norms by all pairs of an example's positions, `[n]`: 2 n t² e operations.
    pub(super) fn squared_norms_by_pairs(&self) -> Tensor<1> {
        let [n, t, _] = self.deltas.dims();
        let parts = pieces(n, t * t).map(|(start, count)| {
            let at = self.indices.clone().narrow(0, start, count);
            let row = at.clone().reshape([count, t, 1]).expand([count, t, t]);
            let column = at.reshape([count, 1, t]).expand([count, t, t]);
            let deltas = self.deltas.clone().narrow(0, start, count);
            let pairs = deltas.clone().matmul(deltas.swap_dims(1, 2));
            let met = pairs.mask_fill(row.not_equal(column), 0.0);
            met.reshape([count, t * t]).sum_dim(1).reshape([count])
        });
        Tensor::cat(parts.collect(), 0)
    }
}

/// Ranges (start, count) of n things of so many elements each that a range has [`BLOCK`] elements at most, or is one
/// thing.
fn pieces(n: usize, elements: usize) -> impl Iterator<Item = (usize, usize)> {
    let step = (BLOCK / elements.max(1)).clamp(1, n.max(1));
    (0..n)
        .step_by(step)
        .map(move |start| (start, step.min(n - start)))
}
