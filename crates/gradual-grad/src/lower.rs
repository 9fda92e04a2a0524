//! Symmetric `[n, n]` matrices of which only the row blocks left of the diagonal are computed.

use burn::tensor::Tensor;

/// Rows per block. Small enough to save nearly half of the products of a large draw, large enough
/// that a matrix product runs at full speed.
const ROWS: usize = 128;

/// A symmetric matrix. Block b holds rows `[128 b, 128 b + r)` and columns `[0, 128 b + r)`.
#[derive(Debug, Clone)]
pub(crate) struct Lower {
    blocks: Vec<Tensor<2>>,
}

impl Lower {
    /// A Aᵀ for A `[n, d]`, at (1 + 1/b)/2 of the full product's cost in b blocks.
    pub(crate) fn product(a: &Tensor<2>) -> Self {
        let transposed = a.clone().transpose();
        Self {
            blocks: spans(a.dims()[0])
                .map(|(start, end)| {
                    let rows = a.clone().slice([start..end]);
                    rows.matmul(transposed.clone().narrow(1, 0, end))
                })
                .collect(),
        }
    }

    /// From a function that yields rows `start..end` and columns `0..end` of the matrix.
    pub(crate) fn from_blocks(n: usize, mut block: impl FnMut(usize, usize) -> Tensor<2>) -> Self {
        Self {
            blocks: spans(n).map(|(start, end)| block(start, end)).collect(),
        }
    }

    pub(crate) fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    /// The elementwise (Hadamard) product.
    pub(crate) fn hadamard(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    pub(crate) fn add_scalar(self, value: f32) -> Self {
        let blocks = self.blocks.into_iter().map(|block| block + value).collect();
        Self { blocks }
    }

    /// The whole matrix, the upper triangle mirrored from the lower.
    pub(crate) fn full(self) -> Tensor<2> {
        if let [only] = self.blocks.as_slice() {
            return only.clone();
        }
        let n = self.blocks.iter().map(|block| block.dims()[0]).sum();
        let rows = spans(n)
            .enumerate()
            .map(|(b, (start, end))| {
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
            })
            .collect();
        Tensor::cat(rows, 0)
    }

    fn zip(self, other: Self, f: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>) -> Self {
        let pairs = self.blocks.into_iter().zip(other.blocks);
        Self {
            blocks: pairs.map(|(a, b)| f(a, b)).collect(),
        }
    }
}

/// The row ranges of the blocks.
fn spans(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n)
        .step_by(ROWS)
        .map(move |start| (start, (start + ROWS).min(n)))
}
