//! The gradient of one parameter for every example in factored form, and what is computed from the factors.

mod blocks;
mod ghost;
mod join;
pub(crate) mod lookups;
mod meeting;
mod order;
pub(crate) mod outer;
pub(crate) mod products;
pub(crate) mod rescale;
mod sketch;
mod sum;
#[cfg(test)]
mod tests;

use burn::tensor::{DType, Device, Int, Tensor};

use crate::precision::{at_least_single, widest, widest_of};
use lookups::Lookups;
use outer::{Inputs, KeptMatrices, Outer};

/// Row j of the gradients of one parameter, for all j.
#[derive(Debug, Clone)]
pub(crate) enum Factor {
    /// A weight between inputs and outputs.
    Outer(Outer),
    /// A table that is looked up, in one or in several places.
    Scatter(Lookups),
    /// The sum of both: a table that is looked up and read out.
    Tied(Box<Tied>),
    /// g_j is made of these, one after another.
    Stack(Vec<Factor>),
    /// g_j itself, `[n, p]`.
    Rows(Tensor<2>),
}

/// Look-ups and outer products with one matrix.
#[derive(Debug, Clone)]
pub(crate) struct Tied {
    pub(crate) lookups: Lookups,
    pub(crate) outer: Outer,
    formed: KeptMatrices,
}

impl Tied {
    fn in_precision(&self, dtype: DType) -> bool {
        let sides = [&self.lookups.deltas, &self.outer.left, &self.outer.right];
        sides.iter().all(|side| side.dtype() == dtype)
    }

    /// The side that holds inputs: that of the look-ups is the left one.
    pub(crate) fn inputs(&self) -> Inputs {
        Inputs::Left.and(self.outer.inputs)
    }
}

impl Factor {
    /// Inputs left, output-gradients right.
    pub(crate) fn outer(left: Tensor<3>, right: Tensor<3>) -> Self {
        Self::of_sides(left, right, Inputs::Left)
    }

    pub(crate) fn of_sides(left: Tensor<3>, right: Tensor<3>, inputs: Inputs) -> Self {
        Self::Outer(Outer::new(left, right, inputs))
    }

    /// Deltas `[n, t, e]` added to the rows at indices `[n, t]` of a `[rows, e]` matrix.
    pub(crate) fn scatter(indices: Tensor<2, Int>, deltas: Tensor<3>, rows: usize) -> Self {
        Self::Scatter(Lookups::new(indices, deltas, rows))
    }

    /// Look-ups and outer products with one matrix: their sum.
    pub(crate) fn tied(lookups: Lookups, outer: Outer) -> Self {
        Self::Tied(Box::new(Tied {
            lookups,
            outer,
            formed: KeptMatrices::default(),
        }))
    }

    /// Σ_t deltas_jt: the gradient of a bias, from `[n, t, e]`. Of half precision it is summed, and kept, in single.
    pub(crate) fn sum(deltas: Tensor<3>) -> Self {
        let [n, t, e] = deltas.dims();
        match t {
            1 => Self::Rows(deltas.reshape([n, e])),
            _ => {
                let wide = at_least_single(deltas.dtype());
                Self::Rows(deltas.cast(wide).sum_dim(1).reshape([n, e]))
            }
        }
    }

    /// n rows of zeros in the same form.
    pub(crate) fn zeros(&self, n: usize) -> Self {
        match self {
            Self::Outer(outer) => Self::Outer(outer.zeros(n)),
            Self::Scatter(lookups) => Self::Scatter(lookups.zeros(n)),
            Self::Tied(tied) => Self::tied(tied.lookups.zeros(n), tied.outer.zeros(n)),
            Self::Stack(parts) => Self::Stack(parts.iter().map(|part| part.zeros(n)).collect()),
            Self::Rows(rows) => {
                let like = (&rows.device(), rows.dtype());
                Self::Rows(Tensor::zeros([n, rows.dims()[1]], like))
            }
        }
    }

    /// The precision of its numbers, the widest where its parts differ.
    pub(crate) fn dtype(&self) -> DType {
        match self {
            Self::Outer(outer) => widest(outer.left.dtype(), outer.right.dtype()),
            Self::Scatter(lookups) => lookups.deltas.dtype(),
            Self::Tied(tied) => {
                let sides = [&tied.lookups.deltas, &tied.outer.left, &tied.outer.right];
                let dtypes = sides.map(|side| side.dtype());
                dtypes.into_iter().fold(dtypes[0], widest)
            }
            Self::Stack(parts) => {
                let dtypes = parts.iter().map(Self::dtype);
                dtypes.reduce(widest).unwrap_or(DType::F32)
            }
            Self::Rows(rows) => rows.dtype(),
        }
    }

    /// The same factor in another precision.
    pub(crate) fn cast(self, to: DType) -> Self {
        match self {
            Self::Rows(rows) => Self::Rows(rows.cast(to)),
            Self::Outer(outer) => Self::Outer(outer.cast(to)),
            Self::Scatter(lookups) => Self::Scatter(lookups.cast(to)),
            Self::Tied(tied) if tied.in_precision(to) => Self::Tied(tied),
            Self::Tied(tied) => Self::tied(tied.lookups.cast(to), tied.outer.cast(to)),
            Self::Stack(parts) => {
                Self::Stack(parts.into_iter().map(|part| part.cast(to)).collect())
            }
        }
    }

    /// The same factor in the precision that it is computed in: half precision in single.
    pub(crate) fn wide(&self) -> Self {
        let wide = at_least_single(self.dtype());
        self.clone().cast(wide)
    }

    /// The rows at `indices` `[m]`.
    pub(crate) fn choose(&self, indices: &Tensor<1, Int>) -> Self {
        match self {
            Self::Rows(rows) => Self::Rows(rows.clone().select(0, indices.clone())),
            Self::Outer(outer) => Self::Outer(outer.choose(indices)),
            Self::Scatter(lookups) => Self::Scatter(lookups.choose(indices)),
            Self::Tied(tied) => {
                Self::tied(tied.lookups.choose(indices), tied.outer.choose(indices))
            }
            Self::Stack(parts) => {
                Self::Stack(parts.iter().map(|part| part.choose(indices)).collect())
            }
        }
    }

    /// The same factor times a number `[1]`.
    pub(crate) fn scale(self, by: Tensor<1>) -> Self {
        let times = |side: Tensor<3>| {
            let by = by.clone().cast(side.dtype());
            side * by.reshape([1, 1, 1])
        };
        let outer = |outer: Outer| Outer::new(outer.left, times(outer.right), outer.inputs);
        let lookups = |lookups: Lookups| {
            let deltas = times(lookups.deltas.clone());
            lookups.with_deltas(deltas)
        };
        match self {
            Self::Rows(rows) => {
                let by = by.cast(rows.dtype());
                Self::Rows(rows * by.reshape([1, 1]))
            }
            Self::Outer(own) => Self::Outer(outer(own)),
            Self::Scatter(own) => Self::Scatter(lookups(own)),
            Self::Tied(tied) => Self::tied(lookups(tied.lookups), outer(tied.outer)),
            Self::Stack(parts) => Self::Stack(
                parts
                    .into_iter()
                    .map(|part| part.scale(by.clone()))
                    .collect(),
            ),
        }
    }

    /// The `[n, p]` matrix of gradients. Memory n·p.
    pub(crate) fn rows(&self) -> Tensor<2> {
        match self {
            Self::Rows(rows) => rows.clone(),
            Self::Stack(parts) => {
                let rows: Vec<_> = parts.iter().map(Self::rows).collect();
                let wide = widest_of(&rows).unwrap_or(DType::F32);
                Tensor::cat(rows.into_iter().map(|rows| rows.cast(wide)).collect(), 1)
            }
            Self::Outer(outer) => match outer.formed.get() {
                Some(rows) => rows,
                None => self.whole(),
            },
            Self::Tied(tied) => match tied.formed.get() {
                Some(rows) => rows,
                None => self.whole(),
            },
            Self::Scatter(_) => self.whole(),
        }
    }

    fn whole(&self) -> Tensor<2> {
        match self.sides() {
            Some((d, e)) => self.block((0, d), e),
            None => self.rows(),
        }
    }

    /// Rows and columns of the matrix that each g_j is; none of other forms.
    pub(crate) fn sides(&self) -> Option<(usize, usize)> {
        match self {
            Self::Outer(outer) => Some(outer.sides()),
            Self::Tied(tied) => Some(tied.outer.sides()),
            Self::Scatter(lookups) => Some(lookups.sides()),
            Self::Stack(_) | Self::Rows(_) => None,
        }
    }

    /// Rows (start, width) of the matrices `[d, e]` that the g_j are, as `[n, width·e]`.
    fn block(&self, (start, width): (usize, usize), e: usize) -> Tensor<2> {
        match self {
            Self::Outer(outer) => outer.block(start, width),
            Self::Scatter(lookups) => lookups.block(start, width),
            Self::Tied(tied) => tied.lookups.block(start, width) + tied.outer.block(start, width),
            Self::Rows(rows) => rows.clone().narrow(1, start * e, width * e),
            Self::Stack(_) => self.rows().narrow(1, start * e, width * e),
        }
    }

    /// Entries of a row.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.dims()[1],
            Self::Stack(parts) => parts.iter().map(Self::size).sum(),
            _ => self.sides().map_or(0, |(d, e)| d * e),
        }
    }

    /// Number of examples.
    pub(crate) fn num_examples(&self) -> usize {
        match self {
            Self::Rows(rows) => rows.dims()[0],
            Self::Outer(outer) => outer.left.dims()[0],
            Self::Scatter(lookups) => lookups.deltas.dims()[0],
            Self::Tied(tied) => tied.outer.left.dims()[0],
            Self::Stack(parts) => parts.first().map_or(0, Self::num_examples),
        }
    }

    pub(crate) fn device(&self) -> Device {
        match self {
            Self::Rows(rows) => rows.device(),
            Self::Outer(outer) => outer.left.device(),
            Self::Scatter(lookups) => lookups.deltas.device(),
            Self::Tied(tied) => tied.outer.left.device(),
            Self::Stack(parts) => parts.first().map(Self::device).unwrap_or_default(),
        }
    }

    /// Positions per example whose contributions are summed.
    pub(crate) fn positions(&self) -> usize {
        match self {
            Self::Rows(_) => 1,
            Self::Outer(outer) => outer.positions(),
            Self::Scatter(lookups) => lookups.positions(),
            Self::Tied(tied) => tied.lookups.positions() + tied.outer.positions(),
            Self::Stack(parts) => parts.first().map_or(1, Self::positions),
        }
    }
}
