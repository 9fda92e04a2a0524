//! Matrices of inner products in row blocks, of which only what is needed is computed.

use burn::tensor::Tensor;

/// Rows per block. Small enough to save nearly half of the products of a large draw, large enough
/// that a matrix product runs at full speed.
const ROWS: usize = 128;

/// Which inner products of two draws are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    /// The draws are one and the same: row blocks up to and including the diagonal.
    Lower,
    /// All pairs of the rows of one draw and the rows of another, with so many rows.
    Full(usize),
}

/// An `[n, m]` matrix in blocks of 128 rows. Under [`Span::Lower`] block b holds the columns
/// `[0, 128 b + r)` only, and the matrix is symmetric.
#[derive(Debug, Clone)]
pub(crate) struct Products {
    blocks: Vec<Tensor<2>>,
    span: Span,
}

impl Products {
    /// A Bᵀ for A `[n, d]` and B `[m, d]`. Under [`Span::Lower`] the cost is (1 + 1/b)/2 of the full
    /// product's in b blocks.
    pub(crate) fn of(a: &Tensor<2>, b: &Tensor<2>, span: Span) -> Self {
        let transposed = b.clone().transpose();
        Self::from_blocks(a.dims()[0], span, |start, end, columns| {
            let rows = a.clone().narrow(0, start, end - start);
            rows.matmul(transposed.clone().narrow(1, 0, columns))
        })
    }

    /// From a function that yields rows `start..end` and columns `0..columns` of the matrix.
    pub(crate) fn from_blocks(
        n: usize,
        span: Span,
        mut block: impl FnMut(usize, usize, usize) -> Tensor<2>,
    ) -> Self {
        let blocks = spans(n).map(|(start, end)| match span {
            Span::Lower => block(start, end, end),
            Span::Full(columns) => block(start, end, columns),
        });
        Self {
            blocks: blocks.collect(),
            span,
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

    /// The whole matrix; the upper triangle of a symmetric one is mirrored from the lower.
    pub(crate) fn full(mut self) -> Tensor<2> {
        if self.blocks.len() == 1 {
            return self.blocks.remove(0);
        }
        if self.span != Span::Lower {
            return Tensor::cat(self.blocks, 0);
        }
        let n = self.blocks.iter().map(|block| block.dims()[0]).sum();
        let rows = spans(n).enumerate().map(|(b, (start, end))| {
            let below = &self.blocks[b + 1..];
            let mirrored = below
                .iter()
                .map(|block| block.clone().narrow(1, start, end - start).transpose());
            Tensor::cat(
                std::iter::once(self.blocks[b].clone())
                    .chain(mirrored)
                    .collect(),
                1,
            )
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

/// The row ranges of the blocks.
fn spans(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n)
        .step_by(ROWS)
        .map(move |start| (start, (start + ROWS).min(n)))
}
