//! Few of the rows of per-example matrices at a time, so that memory stays flat.

use burn::tensor::Tensor;

use crate::gradients::products::Products;

/// Elements of a block of per-example matrices (64 MiB in `f32`): what is materialised at a time.
pub(super) const BLOCK: usize = 1 << 24;

/// Something that is summed over blocks of columns.
pub(super) trait Total {
    fn plus(self, other: Self) -> Self;
}

impl Total for Products {
    fn plus(self, other: Self) -> Self {
        self.add(other)
    }
}

/// Squared norms.
pub(super) struct Norms(pub(super) Tensor<1>);

impl Total for Norms {
    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// Sums over blocks (start, width) of the rows of n matrices `[d, e]`, few enough of them at a time that memory stays
/// flat in d.
pub(super) fn in_blocks<O: Total>(
    n: usize,
    (d, e): (usize, usize),
    part: impl Fn((usize, usize)) -> O,
) -> O {
    let width = (BLOCK / (n * e).max(1)).max(1).min(d);
    let blocks = d.div_ceil(width.max(1));
    (1..blocks).fold(part((0, width)), |sum, block| {
        let start = block * width;
        sum.plus(part((start, width.min(d - start))))
    })
}
