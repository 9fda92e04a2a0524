//! Products of a linear layer, through faer.

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use pulp::{Simd, WithSimd};

/// A matrix in a slice, one row after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rows<'a> {
    numbers: &'a [f32],
    columns: usize,
}

impl<'a> Rows<'a> {
    pub(crate) fn new(numbers: &'a [f32], columns: usize) -> Self {
        Self { numbers, columns }
    }

    pub(crate) fn matrix(self) -> MatRef<'a, f32> {
        let rows = self.numbers.len() / self.columns;
        MatRef::from_row_major_slice(self.numbers, rows, self.columns)
    }

    /// Some rows.
    pub(crate) fn part(self, rows: std::ops::Range<usize>) -> Self {
        let columns = self.columns;
        Self::new(
            &self.numbers[rows.start * columns..rows.end * columns],
            columns,
        )
    }
}

/// A B in the place of what was in `into`, or added to it.
pub(crate) fn product(into: &mut [f32], how: Accum, a: MatRef<'_, f32>, b: MatRef<'_, f32>) {
    let into = MatMut::from_row_major_slice_mut(into, a.nrows(), b.ncols());
    matmul(into, how, a, b, 1.0, Par::Seq);
}

/// Σ of the rows of `rows`, each as long as `sums`.
pub(crate) struct ColumnSums<'a> {
    pub(crate) rows: &'a [f32],
    pub(crate) sums: &'a mut [f32],
}

impl WithSimd for ColumnSums<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let width = self.sums.len();
        let fours = self.rows.chunks_exact(4 * width);
        let rest = fours.remainder();
        for four in fours {
            let (one, other) = four.split_at(2 * width);
            let ((a, b), (c, d)) = (one.split_at(width), other.split_at(width));
            for ((((sum, a), b), c), d) in self.sums.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *sum += (a + b) + (c + d);
            }
        }
        for row in rest.chunks_exact(width) {
            for (sum, number) in self.sums.iter_mut().zip(row) {
                *sum += number;
            }
        }
    }
}
