//! Products of small matrices, such as those of one head of an attention.
//!
//! The right factor is copied once into a panel whose rows are filled up to whole registers. Eight rows of the left one at a
//! time are multiplied with a register's width of the panel, so that all sums stay in registers.

use pulp::Simd;

/// A panel's rows have a multiple of so many numbers: as many as the widest register holds.
const WIDEST: usize = 16;
/// Rows of the left factor at a time.
const ROWS: usize = 8;

/// A matrix in a slice, by its strides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Matrix<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    /// From a row to the next.
    pub(crate) row: usize,
    /// From a column to the next.
    pub(crate) column: usize,
}

impl Matrix<'_> {
    #[must_use]
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row: self.column,
            column: self.row,
            ..self
        }
    }
}

/// Memory that products of one thread use again and again.
#[derive(Debug, Default)]
pub(crate) struct Panel {
    right: Vec<f32>,
    left: Vec<f32>,
}

/// Where a product goes: rows of `columns` numbers that start `row` numbers apart.
#[derive(Debug)]
pub(crate) struct Target<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) row: usize,
}

impl Panel {
    /// `scale` times A `[m, k]` times B `[k, n]`, in the place of what was there.
    #[inline(always)]
    pub(crate) fn multiply<S: Simd>(
        &mut self,
        simd: S,
        a: Matrix<'_>,
        b: Matrix<'_>,
        scale: f32,
        into: Target<'_>,
    ) {
        let width = b.columns.next_multiple_of(WIDEST);
        self.right.clear();
        self.right.resize(b.rows * width, 0.0);
        for (k, row) in self.right.chunks_exact_mut(width).enumerate() {
            let from = &b.data[k * b.row..];
            match b.column {
                1 => row[..b.columns].copy_from_slice(&from[..b.columns]),
                stride => {
                    for (to, from) in row
                        .iter_mut()
                        .zip(from.iter().step_by(stride))
                        .take(b.columns)
                    {
                        *to = *from;
                    }
                }
            }
        }
        let (registers, _) = S::as_simd_f32s(&self.right);
        let lanes = size_of::<S::f32s>() / size_of::<f32>();
        let in_row = width / lanes;
        self.left.clear();
        self.left.resize(a.columns * ROWS, 0.0);
        for first in (0..a.rows).step_by(ROWS) {
            let rows = ROWS.min(a.rows - first);
            for (k, packed) in self.left.chunks_exact_mut(ROWS).enumerate() {
                for (r, to) in packed.iter_mut().take(rows).enumerate() {
                    *to = a.data[(first + r) * a.row + k * a.column];
                }
            }
            for at in 0..in_row {
                let left = b.columns.saturating_sub(at * lanes).min(lanes);
                if left == 0 {
                    break;
                }
                let mut sums = [simd.splat_f32s(0.0); ROWS];
                let column = registers.iter().skip(at).step_by(in_row);
                for (packed, &register) in self.left.chunks_exact(ROWS).zip(column) {
                    for r in 0..ROWS {
                        let factor = simd.splat_f32s(packed[r]);
                        sums[r] = simd.mul_add_f32s(factor, register, sums[r]);
                    }
                }
                let scale = simd.splat_f32s(scale);
                for (r, sum) in sums.into_iter().enumerate().take(rows) {
                    let scaled = [simd.mul_f32s(sum, scale)];
                    let numbers: &[f32] = bytemuck::cast_slice(&scaled);
                    let place = (first + r) * into.row + at * lanes;
                    into.data[place..place + left].copy_from_slice(&numbers[..left]);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use pulp::{Arch, WithSimd};

    struct Multiply<'a>(Matrix<'a>, Matrix<'a>, Target<'a>);

    impl WithSimd for Multiply<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            // Used before, for another size.
            let mut panel = Panel {
                right: vec![7.0; 100],
                left: vec![7.0; 100],
            };
            panel.multiply(simd, self.0, self.1, 0.5, self.2);
        }
    }

    proptest! {
        #[test]
        fn a_product_is_what_three_loops_give(
            m in 1usize..20, k in 1usize..20, n in 1usize..40, left: bool, right: bool, seed in 0u32..1000,
        ) {
            let number = |at: usize| ((at as u32 * 7 + seed) % 13) as f32 - 6.0;
            let a: Vec<f32> = (0..m * k).map(number).collect();
            let b: Vec<f32> = (0..k * n).map(|at| number(at + 3)).collect();
            let matrix = |data, rows, columns, transposed: bool| {
                let (row, column) = if transposed { (1, rows) } else { (columns, 1) };
                Matrix { data, rows, columns, row, column }
            };
            let (left, right) = (matrix(&a, m, k, left), matrix(&b, k, n, right));
            for arch in [Arch::new(), Arch::Scalar] {
                let mut out = vec![f32::NAN; m * (n + 1)];
                arch.dispatch(Multiply(left, right, Target { data: &mut out, row: n + 1 }));
                for i in 0..m {
                    for j in 0..n {
                        let at = |m: Matrix<'_>, i: usize, j: usize| m.data[i * m.row + j * m.column];
                        let exact: f32 = (0..k).map(|c| at(left, i, c) * at(right, c, j)).sum();
                        prop_assert_eq!(out[i * (n + 1) + j], exact / 2.0);
                    }
                    prop_assert!(out[i * (n + 1) + n].is_nan());
                }
            }
        }
    }
}
