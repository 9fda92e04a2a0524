//! Matrices of inner products in column blocks, of which only what is needed is computed.

use burn::tensor::{DType, Tensor};

/// Rows that are too few for a copy of the other factor to pay.
const FEW: usize = 64;

/// Which inner products of two draws are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// The draws are one and the same: column blocks down to and including the diagonal.
    Upper,
    /// All pairs.
    Full,
}

/// A block of columns of an `[n, m]` matrix: rows `0..rows` of columns `start..end`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Block {
    pub(crate) rows: usize,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// An `[n, m]` matrix in blocks of columns. Under [`Span::Upper`] the matrix is symmetric and a block
/// ends with the diagonal.
#[derive(Debug, Clone)]
pub(crate) struct Products {
    blocks: Vec<Tensor<2>>,
    span: Span,
}

impl Products {
    /// A Bᵀ for A `[n, d]` and B `[m, d]`. Under [`Span::Upper`] the cost is (1 + 1/b)/2 of the full
    /// product's in b blocks.
    pub(crate) fn of(a: &Tensor<2>, b: &Tensor<2>, span: Span) -> Self {
        Self::from_blocks(
            a.dims()[0],
            b.dims()[0],
            span,
            |Block { rows, start, end }| {
                let columns = b.clone().narrow(0, start, end - start).transpose();
                let columns = match rows > FEW {
                    true => laid_out(columns),
                    false => columns,
                };
                a.clone().narrow(0, 0, rows).matmul(columns)
            },
        )
    }

    /// From a function that yields the blocks.
    pub(crate) fn from_blocks(
        n: usize,
        m: usize,
        span: Span,
        mut block: impl FnMut(Block) -> Tensor<2>,
    ) -> Self {
        let blocks = ranges(m).map(|(start, end)| match span {
            Span::Upper => block(Block {
                rows: end,
                start,
                end,
            }),
            Span::Full => block(Block {
                rows: n,
                start,
                end,
            }),
        });
        Self {
            blocks: blocks.collect(),
            span,
        }
    }

    /// Of a matrix that is there as a whole.
    pub(crate) fn whole(matrix: Tensor<2>, span: Span) -> Self {
        let [n, m] = matrix.dims();
        Self::from_blocks(n, m, span, |Block { rows, start, end }| {
            let columns = matrix.clone().narrow(1, start, end - start);
            columns.narrow(0, 0, rows)
        })
    }

    /// The same products in another precision.
    pub(crate) fn cast(self, to: DType) -> Self {
        let blocks = self.blocks.into_iter().map(|block| block.cast(to));
        Self {
            blocks: blocks.collect(),
            span: self.span,
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    /// The elementwise (Hadamard) product.
    pub(crate) fn hadamard(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    pub(crate) fn add_one(self) -> Self {
        let blocks = self
            .blocks
            .into_iter()
            .map(|block| block.add_scalar(1))
            .collect();
        Self {
            blocks,
            span: self.span,
        }
    }

    /// The whole matrix; the lower triangle of a symmetric one is mirrored from the upper.
    pub(crate) fn full(mut self) -> Tensor<2> {
        if self.blocks.len() == 1 {
            return self.blocks.remove(0);
        }
        if self.span == Span::Full {
            return Tensor::cat(self.blocks, 1);
        }
        let n = self.blocks.iter().map(|block| block.dims()[1]).sum();
        let rows = ranges(n).enumerate().map(|(b, (start, end))| {
            let right = self.blocks[b..]
                .iter()
                .map(|block| block.clone().narrow(0, start, end - start));
            let left = (start > 0).then(|| self.blocks[b].clone().narrow(0, 0, start).transpose());
            Tensor::cat(left.into_iter().chain(right).collect(), 1)
        });
        Tensor::cat(rows.collect(), 0)
    }

    fn zip(self, other: Self, f: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>) -> Self {
        let pairs = self.blocks.into_iter().zip(other.blocks);
        Self {
            blocks: pairs.map(|(a, b)| f(a, b)).collect(),
            span: self.span,
        }
    }
}

/// The same matrix with its rows contiguous in memory. Multiplying by a transposed view runs at half
/// the speed on a small block; the copy is a small price.
fn laid_out(matrix: Tensor<2>) -> Tensor<2> {
    let [rows, columns] = matrix.dims();
    matrix.reshape([rows * columns]).reshape([rows, columns])
}

/// The column ranges of the blocks: narrow enough to save nearly half of the products of a large
/// draw, wide enough that a matrix product runs at full speed.
fn ranges(m: usize) -> impl Iterator<Item = (usize, usize)> {
    let width = if m <= 1024 { 64 } else { 128 };
    (0..m)
        .step_by(width)
        .map(move |start| (start, (start + width).min(m)))
}
