//! Several rows of a tapped input for each example.

use burn::tensor::{Int, Tensor};

use crate::error::GradError;
use crate::gradients::factor::Factor;
use crate::gradients::factor::lookups::Lookups;
use crate::gradients::factor::outer::Outer;

/// How the rows of a tapped input belong to examples, where each example has several: the crops of an image, both
/// sides of a Siamese net run in one pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Views {
    count: usize,
    stacked: bool,
}

impl Views {
    /// `count` whole draws one after another, as `cat` of them makes: row r belongs to example r mod n.
    ///
    /// # Errors
    ///
    /// [`GradError::Views`] for a count of 0.
    pub fn stacked(count: usize) -> Result<Self, GradError> {
        Self::of(count, true)
    }

    /// The `count` rows of an example stand together: row r belongs to example ⌊r / count⌋.
    ///
    /// # Errors
    ///
    /// [`GradError::Views`] for a count of 0.
    pub fn adjacent(count: usize) -> Result<Self, GradError> {
        Self::of(count, false)
    }

    fn of(count: usize, stacked: bool) -> Result<Self, GradError> {
        match count {
            0 => Err(GradError::Views),
            _ => Ok(Self { count, stacked }),
        }
    }

    /// Rows of each example.
    pub fn count(self) -> usize {
        self.count
    }

    /// The gradients of n examples from those of their `count`·n rows.
    pub(crate) fn fold(self, factor: Factor) -> Factor {
        let side = |side: Tensor<3>| {
            let [rows, t, d] = side.dims();
            let n = rows / self.count;
            self.ordered(side.reshape([rows, t * d]))
                .reshape([n, self.count * t, d])
        };
        let outer = |outer: Outer| Outer::new(side(outer.left), side(outer.right), outer.inputs);
        let lookups = |lookups: Lookups| {
            let [m, t] = lookups.indices.dims();
            let n = m / self.count;
            let indices: Tensor<2, Int> = match self.stacked {
                true => lookups
                    .indices
                    .reshape([self.count, n, t])
                    .swap_dims(0, 1)
                    .reshape([n, self.count * t]),
                false => lookups.indices.reshape([n, self.count * t]),
            };
            Lookups::new(indices, side(lookups.deltas), lookups.rows)
        };
        match factor {
            Factor::Rows(rows) => {
                let [m, p] = rows.dims();
                let n = m / self.count;
                let rows = self.ordered(rows).reshape([n, self.count, p]);
                Factor::Rows(rows.sum_dim(1).reshape([n, p]))
            }
            Factor::Outer(own) => Factor::Outer(outer(own)),
            Factor::Scatter(own) => Factor::Scatter(lookups(own)),
            Factor::Tied(tied) => Factor::tied(lookups(tied.lookups), outer(tied.outer)),
            Factor::Stack(parts) => {
                Factor::Stack(parts.into_iter().map(|part| self.fold(part)).collect())
            }
        }
    }

    /// One number for each example, the largest of its rows', from `[count · n]`.
    pub(crate) fn largest(self, rows: Tensor<1>) -> Tensor<1> {
        let [m] = rows.dims();
        let n = m / self.count;
        let rows = self.ordered(rows.reshape([m, 1]));
        rows.reshape([n, self.count]).max_dim(1).reshape([n])
    }

    /// The number of its example for each row, `[count · n]`, from `[n]`.
    pub(crate) fn spread(self, examples: Tensor<1>) -> Tensor<1> {
        let [n] = examples.dims();
        let all = match self.stacked {
            true => examples.reshape([1, n]).expand([self.count, n]),
            false => examples.reshape([n, 1]).expand([n, self.count]),
        };
        all.reshape([self.count * n])
    }

    /// `[count · n, d]` with the rows of an example together.
    fn ordered(self, rows: Tensor<2>) -> Tensor<2> {
        let [m, d] = rows.dims();
        match self.stacked {
            true => rows
                .reshape([self.count, m / self.count, d])
                .swap_dims(0, 1)
                .reshape([m, d]),
            false => rows,
        }
    }
}
