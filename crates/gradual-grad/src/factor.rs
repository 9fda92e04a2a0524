//! The gradient of one parameter for every example, as factors, and what can be had from them.

mod inner;
mod sketch;
mod sum;

use std::sync::{Arc, OnceLock};

use burn::tensor::{DType, IndexingUpdateOp, Int, Tensor};
use serde::{Deserialize, Serialize};

pub(crate) use inner::Route;

/// Row j of the gradients of one parameter, for all j.
#[derive(Debug, Clone)]
pub(crate) enum Factor {
    /// g_j = Σ_t left_jt ⊗ right_jt, from left `[n, t, d]` and right `[n, t, e]`.
    Outer {
        left: Tensor<3>,
        right: Tensor<3>,
        /// Which side holds the inputs of the layer; the other has its output-gradients.
        inputs: Inputs,
        formed: Formed,
    },
    /// g_j has deltas_jt `[n, t, e]` added to row indices_jt `[n, t]` of a `[rows, e]` matrix.
    Scatter {
        indices: Tensor<2, Int>,
        deltas: Tensor<3>,
        rows: usize,
    },
    /// g_j is made of these, one after another.
    Stack(Vec<Factor>),
    /// g_j itself, `[n, p]`.
    Rows(Tensor<2>),
}

/// The side of an outer product that holds inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Inputs {
    Left,
    Right,
    /// Each side has both, at different positions: a weight that is tied to its own transpose.
    Mixed,
}

impl Inputs {
    fn and(self, other: Self) -> Self {
        if self == other { self } else { Self::Mixed }
    }
}

/// The rows of an outer product, kept once the Gram matrix had to form them, for the weighted sum.
#[derive(Debug, Clone, Default)]
pub(crate) struct Formed(Arc<OnceLock<Tensor<2>>>);

impl Factor {
    /// Inputs left, output-gradients right.
    pub(crate) fn outer(left: Tensor<3>, right: Tensor<3>) -> Self {
        Self::of_sides(left, right, Inputs::Left)
    }

    pub(crate) fn of_sides(left: Tensor<3>, right: Tensor<3>, inputs: Inputs) -> Self {
        Self::Outer {
            left,
            right,
            inputs,
            formed: Formed::default(),
        }
    }

    /// Σ_t deltas_jt: the gradient of a bias, from `[n, t, e]`.
    pub(crate) fn sum(deltas: Tensor<3>) -> Self {
        let [n, t, e] = deltas.dims();
        match t {
            1 => Self::Rows(deltas.reshape([n, e])),
            _ => Self::Rows(deltas.sum_dim(1).reshape([n, e])),
        }
    }

    /// The gradient over two uses of one parameter: uses are summed before any product.
    pub(crate) fn merge(self, other: Self) -> Self {
        match (self, other) {
            (
                Self::Outer {
                    left,
                    right,
                    inputs,
                    ..
                },
                Self::Outer {
                    left: left2,
                    right: right2,
                    inputs: inputs2,
                    ..
                },
            ) => Self::of_sides(
                Tensor::cat(vec![left, left2], 1),
                Tensor::cat(vec![right, right2], 1),
                inputs.and(inputs2),
            ),
            (Self::Rows(a), Self::Rows(b)) => Self::Rows(a + b),
            (Self::Stack(a), Self::Stack(b)) => {
                Self::Stack(a.into_iter().zip(b).map(|(a, b)| a.merge(b)).collect())
            }
            // An embedding whose weight is used once more, by another embedding or the read-out.
            (
                scatter @ Self::Scatter { .. },
                other @ (Self::Scatter { .. } | Self::Outer { .. }),
            )
            | (other @ Self::Outer { .. }, scatter @ Self::Scatter { .. }) => {
                scatter.dense().merge(other.dense())
            }
            (a, b) => Self::Rows(a.rows() + b.rows()),
        }
    }

    /// A scatter as an outer product with one-hot rows.
    fn dense(self) -> Self {
        let Self::Scatter {
            indices,
            deltas,
            rows,
        } = self
        else {
            return self;
        };
        let [n, t] = indices.dims();
        let classes = Tensor::<1, Int>::arange(0..rows as i64, &indices.device());
        let classes = classes.reshape([1, 1, rows]).expand([n, t, rows]);
        let hits = indices
            .reshape([n, t, 1])
            .expand([n, t, rows])
            .equal(classes);
        Self::outer(hits.float().cast(deltas.dtype()), deltas)
    }

    /// The same examples and those of `other`, one after another.
    pub(crate) fn concat(self, other: Self) -> Self {
        let cat = |a, b| Tensor::cat(vec![a, b], 0);
        match (self, other) {
            (Self::Rows(a), Self::Rows(b)) => Self::Rows(cat(a, b)),
            (
                Self::Outer {
                    left,
                    right,
                    inputs,
                    ..
                },
                Self::Outer {
                    left: left2,
                    right: right2,
                    inputs: inputs2,
                    ..
                },
            ) => {
                let t = left.dims()[1].max(left2.dims()[1]);
                let cat = |a: Tensor<3>, b: Tensor<3>| {
                    Tensor::cat(vec![lengthen(a, t), lengthen(b, t)], 0)
                };
                Self::of_sides(cat(left, left2), cat(right, right2), inputs.and(inputs2))
            }
            (Self::Stack(a), Self::Stack(b)) => {
                Self::Stack(a.into_iter().zip(b).map(|(a, b)| a.concat(b)).collect())
            }
            (a @ Self::Scatter { .. }, b @ (Self::Scatter { .. } | Self::Outer { .. }))
            | (a @ Self::Outer { .. }, b @ Self::Scatter { .. }) => a.dense().concat(b.dense()),
            (a, b) => Self::Rows(cat(a.rows(), b.rows())),
        }
    }

    /// The same factor in another precision.
    pub(crate) fn cast(self, to: DType) -> Self {
        match self {
            Self::Rows(rows) => Self::Rows(rows.cast(to)),
            Self::Outer {
                left,
                right,
                inputs,
                ..
            } => Self::of_sides(left.cast(to), right.cast(to), inputs),
            Self::Stack(parts) => {
                Self::Stack(parts.into_iter().map(|part| part.cast(to)).collect())
            }
            Self::Scatter {
                indices,
                deltas,
                rows,
            } => Self::Scatter {
                indices,
                deltas: deltas.cast(to),
                rows,
            },
        }
    }

    /// The rows at `indices` `[m]`.
    pub(crate) fn choose(&self, indices: &Tensor<1, Int>) -> Self {
        let at = |side: &Tensor<3>| side.clone().select(0, indices.clone());
        match self {
            Self::Rows(rows) => Self::Rows(rows.clone().select(0, indices.clone())),
            Self::Outer {
                left,
                right,
                inputs,
                ..
            } => Self::of_sides(at(left), at(right), *inputs),
            Self::Stack(parts) => {
                Self::Stack(parts.iter().map(|part| part.choose(indices)).collect())
            }
            Self::Scatter {
                indices: positions,
                deltas,
                rows,
            } => Self::Scatter {
                indices: positions.clone().select(0, indices.clone()),
                deltas: at(deltas),
                rows: *rows,
            },
        }
    }

    /// The same factor times a number `[1]`.
    pub(crate) fn scale(self, by: Tensor<1>) -> Self {
        match self {
            Self::Rows(rows) => Self::Rows(rows * by.reshape([1, 1])),
            Self::Outer {
                left,
                right,
                inputs,
                ..
            } => Self::of_sides(left, right * by.reshape([1, 1, 1]), inputs),
            Self::Stack(parts) => Self::Stack(
                parts
                    .into_iter()
                    .map(|part| part.scale(by.clone()))
                    .collect(),
            ),
            Self::Scatter {
                indices,
                deltas,
                rows,
            } => Self::Scatter {
                indices,
                deltas: deltas * by.reshape([1, 1, 1]),
                rows,
            },
        }
    }

    /// n rows of zeros in the same form.
    pub(crate) fn zeros(n: usize, size: usize, like: &Tensor<1>) -> Self {
        Self::Rows(Tensor::zeros([n, size], (&like.device(), like.dtype())))
    }

    /// The `[n, p]` matrix of gradients. Memory n·p.
    pub(crate) fn rows(&self) -> Tensor<2> {
        match self {
            Self::Rows(rows) => rows.clone(),
            Self::Outer {
                left,
                right,
                formed,
                ..
            } => match formed.0.get() {
                Some(rows) => rows.clone(),
                None => per_example(left, right),
            },
            Self::Stack(parts) => Tensor::cat(parts.iter().map(Self::rows).collect(), 1),
            Self::Scatter {
                indices,
                deltas,
                rows,
            } => {
                let [n, t, e] = deltas.dims();
                let at = indices.clone().reshape([n, t, 1]).expand([n, t, e]);
                Tensor::<3>::zeros([n, *rows, e], (&deltas.device(), deltas.dtype()))
                    .scatter(1, at, deltas.clone(), IndexingUpdateOp::Add)
                    .reshape([n, rows * e])
            }
        }
    }

    /// Positions per example whose contributions are summed.
    pub(crate) fn positions(&self) -> usize {
        match self {
            Self::Rows(_) => 1,
            Self::Outer { left, .. } => left.dims()[1],
            Self::Scatter { indices, .. } => indices.dims()[1],
            Self::Stack(parts) => parts.first().map_or(1, Self::positions),
        }
    }
}

/// left_jᵀ right_j for every example j, `[n, d·e]`.
fn per_example(left: &Tensor<3>, right: &Tensor<3>) -> Tensor<2> {
    let [n, _, d] = left.dims();
    let e = right.dims()[2];
    left.clone()
        .swap_dims(1, 2)
        .matmul(right.clone())
        .reshape([n, d * e])
}

/// `[n, t, d]` with zeros up to `length` positions: a zero contributes nothing.
fn lengthen(a: Tensor<3>, length: usize) -> Tensor<3> {
    let [n, t, d] = a.dims();
    if t == length {
        return a;
    }
    let zeros = Tensor::<3>::zeros([n, length - t, d], (&a.device(), a.dtype()));
    Tensor::cat(vec![a, zeros], 1)
}
