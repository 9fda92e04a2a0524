//! The gradient of one parameter for every example, as factors, and what can be had from them.

use std::sync::{Arc, OnceLock};

use burn::tensor::{Bool, DType, IndexingUpdateOp, Int, Tensor};
use serde::{Deserialize, Serialize};

use crate::products::{Block, Products, Span};

/// Elements of a block of per-example matrices (64 MiB in `f32`): what is materialised at a time.
const BLOCK: usize = 1 << 24;

/// Elements of the per-example matrices of one parameter (4 MiB in `f32`) that are kept for the
/// weighted sum once the Gram matrix had to form them. To keep larger ones took as long as to sum
/// from the factors, and more than half as much memory again (decoder, draw 64).
const KEPT: usize = 1 << 20;

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

/// How the Gram matrix of a factor is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Inner products of the rows as they are.
    Rows,
    /// (X Xᵀ) ∘ (Δ Δᵀ), at one position per example.
    Product,
    /// Inner products of all pairs of positions.
    Ghost,
    /// Per-example matrices, in blocks.
    Matrices,
}

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

    /// The per-example matrices of an outer product, kept from now on; None where they are too large
    /// to be kept.
    fn formed(&self) -> Option<Tensor<2>> {
        let Self::Outer {
            left,
            right,
            formed,
            ..
        } = self
        else {
            return None;
        };
        let [n, _, d] = left.dims();
        let small = n * d * right.dims()[2] <= KEPT;
        small.then(|| formed.0.get_or_init(|| per_example(left, right)).clone())
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

    /// How inner products are taken. The rule is by counted operations; benchmarks confirm it.
    pub(crate) fn route(&self) -> Route {
        match self {
            Self::Rows(_) => Route::Rows,
            Self::Stack(parts) => parts.first().map_or(Route::Rows, Self::route),
            Self::Outer { left, right, .. } => {
                let [n, t, d] = left.dims();
                let e = right.dims()[2];
                match t {
                    1 => Route::Product,
                    _ if ghost_is_cheaper(n, t, d, e) => Route::Ghost,
                    _ => Route::Matrices,
                }
            }
            // Ghost: 2 n²t² e operations. Matrices: 2 n² rows e.
            Self::Scatter { indices, rows, .. } => match indices.dims() {
                [_, t] if t * t < *rows => Route::Ghost,
                _ => Route::Matrices,
            },
        }
    }

    /// Inner products of the rows with those of another draw, or of this one.
    pub(crate) fn products(&self, other: &Self, span: Span) -> Products {
        match (self, other) {
            (
                Self::Outer { left, right, .. },
                Self::Outer {
                    left: left2,
                    right: right2,
                    ..
                },
            ) => {
                match self.route() {
                    // (x_i ⊗ δ_i)·(x_j ⊗ δ_j) = (x_i·x_j)(δ_i·δ_j)
                    Route::Product if left2.dims()[1] == 1 => Products::of(
                        &flat(left),
                        &flat(left2),
                        span,
                    )
                    .hadamard(Products::of(&flat(right), &flat(right2), span)),
                    Route::Product | Route::Ghost => {
                        let inner = |a: &Tensor<3>, b: &Tensor<3>, of: Block| of.inner(a, b);
                        ghost((left, left2), span, |of| {
                            inner(left, left2, of) * inner(right, right2, of)
                        })
                    }
                    _ => match (self.formed(), other.formed()) {
                        (Some(a), Some(b)) => Products::of(&a, &b, span),
                        _ => by_columns((left, left2), (right, right2), |a, b| {
                            Products::of(&a, &b, span)
                        }),
                    },
                }
            }
            (
                Self::Scatter {
                    indices, deltas, ..
                },
                Self::Scatter {
                    indices: indices2,
                    deltas: deltas2,
                    ..
                },
            ) if self.route() == Route::Ghost => ghost((deltas, deltas2), span, |of| {
                // Only pairs of positions with equal index meet.
                let hits = of.equal(indices, indices2).float().cast(deltas.dtype());
                hits * of.inner(deltas, deltas2)
            }),
            (Self::Stack(a), Self::Stack(b)) => a
                .iter()
                .zip(b)
                .map(|(a, b)| a.products(b, span))
                .reduce(Products::add)
                .unwrap_or_else(|| Products::of(&self.rows(), &other.rows(), span)),
            _ => Products::of(&self.rows(), &other.rows(), span),
        }
    }

    /// The products together with those of the bias of the same layer, which has the same
    /// output-gradients: (x_i·x_j + 1)(δ_i·δ_j). None unless both draws have one position each.
    pub(crate) fn products_with_bias(&self, other: &Self, span: Span) -> Option<Products> {
        match (self, other) {
            (
                Self::Outer { left, right, .. },
                Self::Outer {
                    left: left2,
                    right: right2,
                    ..
                },
            ) if left.dims()[1] == 1 && left2.dims()[1] == 1 => {
                let inputs = Products::of(&flat(left), &flat(left2), span).add_one();
                Some(inputs.hadamard(Products::of(&flat(right), &flat(right2), span)))
            }
            _ => None,
        }
    }

    /// Squared norms of the rows, `[n]`.
    pub(crate) fn squared_norms(&self) -> Tensor<1> {
        match self {
            Self::Rows(rows) => squares(rows.clone()),
            Self::Stack(parts) => {
                let norms = parts.iter().map(Self::squared_norms).reduce(|a, b| a + b);
                norms.unwrap_or_else(|| squares(self.rows()))
            }
            Self::Outer { left, right, .. } => {
                let [n, t, d] = left.dims();
                let e = right.dims()[2];
                if t == 1 {
                    squares(flat(left)) * squares(flat(right))
                } else if t * (d + e) < d * e {
                    (pairs(left) * pairs(right))
                        .reshape([n, t * t])
                        .sum_dim(1)
                        .reshape([n])
                } else {
                    by_columns((left, left), (right, right), |rows, _| Norms(squares(rows))).0
                }
            }
            Self::Scatter {
                indices, deltas, ..
            } => {
                let [n, t] = indices.dims();
                let row = indices.clone().reshape([n, t, 1]).expand([n, t, t]);
                let column = indices.clone().reshape([n, 1, t]).expand([n, t, t]);
                let hits = row.equal(column).float().cast(deltas.dtype());
                (hits * pairs(deltas))
                    .reshape([n, t * t])
                    .sum_dim(1)
                    .reshape([n])
            }
        }
    }

    /// C G: one weighted sum of the rows for each row of `coefficients` `[m, n]`, as `[m, p]`.
    pub(crate) fn combine(&self, coefficients: &Tensor<2>) -> Tensor<2> {
        let [m, n] = coefficients.dims();
        match self {
            Self::Rows(rows) => coefficients.clone().matmul(rows.clone()),
            Self::Stack(parts) => Tensor::cat(
                parts
                    .iter()
                    .map(|part| part.combine(coefficients))
                    .collect(),
                1,
            ),
            Self::Outer { formed, .. } if formed.0.get().is_some() => {
                coefficients.clone().matmul(self.rows())
            }
            Self::Outer { left, right, .. } => {
                let [_, t, d] = left.dims();
                let e = right.dims()[2];
                let sums = (0..m).map(|row| {
                    let weights = coefficients.clone().narrow(0, row, 1).reshape([n, 1, 1]);
                    // The narrower side is the cheaper one to scale.
                    let (left, right) = match d < e {
                        true => (left.clone() * weights, right.clone()),
                        false => (left.clone(), right.clone() * weights),
                    };
                    left.reshape([n * t, d])
                        .transpose()
                        .matmul(right.reshape([n * t, e]))
                        .reshape([1, d * e])
                });
                cat_rows(sums)
            }
            Self::Scatter {
                indices,
                deltas,
                rows,
            } => {
                let [_, t, e] = deltas.dims();
                let at = indices.clone().reshape([n * t]);
                let sums = (0..m).map(|row| {
                    let weights = coefficients.clone().narrow(0, row, 1).reshape([n, 1, 1]);
                    let weighted = (deltas.clone() * weights).reshape([n * t, e]);
                    Tensor::<2>::zeros([*rows, e], (&deltas.device(), deltas.dtype()))
                        .select_assign(0, at.clone(), weighted, IndexingUpdateOp::Add)
                        .reshape([1, rows * e])
                });
                cat_rows(sums)
            }
        }
    }

    /// Weighted sums of the rows, one for each row of `coefficients` `[m, n]`, as m rows in the form
    /// of outer products over `rank` positions: the best such approximation of each sum of outer
    /// products. Plain rows are summed as they are.
    pub(crate) fn condense(&self, coefficients: &Tensor<2>, rank: usize) -> Self {
        let [m, _] = coefficients.dims();
        match self {
            Self::Outer {
                left,
                right,
                inputs,
                ..
            } => {
                let (d, e) = (left.dims()[2], right.dims()[2]);
                let sums = self.combine(coefficients).reshape([m, d, e]);
                let (left, right) = leading_pairs(sums, rank.min(d).min(e));
                Self::of_sides(left, right, *inputs)
            }
            Self::Stack(parts) => {
                let parts = parts.iter().map(|part| part.condense(coefficients, rank));
                Self::Stack(parts.collect())
            }
            Self::Scatter { .. } | Self::Rows(_) => Self::Rows(self.combine(coefficients)),
        }
    }

    /// A random projection `[n, dim]`: entries uᵀ g_j v over random vectors u and v of ±1, which
    /// come in fours, from two vectors of either side, so that a side is multiplied by half as many.
    /// `project(size)` yields those of a side, as `[size, 2⌈dim/4⌉]`, and of plain rows as
    /// `[size, dim]`. With a bias of the same layer, whose gradient Σ_t δ_jt is that of a weight on
    /// one more input that is always 1.
    pub(crate) fn sketch(
        &self,
        dim: usize,
        bias: bool,
        project: &mut impl FnMut(usize, usize) -> Tensor<2>,
    ) -> Tensor<2> {
        let vectors = 2 * dim.div_ceil(4);
        let apply = |side: &Tensor<3>, vectors: &Tensor<2>| {
            let [n, t, d] = side.dims();
            let projected = side.clone().reshape([n * t, d]).matmul(vectors.clone());
            projected.reshape([n as i32, t as i32, -1])
        };
        match self {
            Self::Rows(rows) => rows.clone().matmul(project(rows.dims()[1], dim)),
            Self::Outer { left, right, .. } => {
                let [n, t, d] = left.dims();
                let e = right.dims()[2];
                let (u, v) = (project(d, vectors), project(e, vectors));
                let one = bias.then(|| project(1, vectors).reshape([1, 1, vectors]));
                if d * e * (t + vectors) + d * vectors < t * (d + e) * vectors {
                    // Many positions and a small matrix: form the matrices, then project those.
                    let matrices = per_example(left, right).reshape([n, d, e]);
                    let u = u.reshape([1, d, vectors]);
                    let weight = fours(u, apply(&matrices, &v), dim);
                    return match one {
                        None => weight,
                        Some(one) => weight + fours(one, apply(&right.clone().sum_dim(1), &v), dim),
                    };
                }
                let inputs = apply(left, &u);
                let inputs = match one {
                    None => inputs,
                    Some(one) => inputs + one,
                };
                fours(inputs, apply(right, &v), dim)
            }
            Self::Scatter {
                indices,
                deltas,
                rows,
            } => {
                let [n, t, _] = deltas.dims();
                let (u, v) = (project(*rows, vectors), project(deltas.dims()[2], vectors));
                let chosen = u.select(0, indices.clone().reshape([n * t]));
                fours(chosen.reshape([n, t, vectors]), apply(deltas, &v), dim)
            }
            Self::Stack(parts) => {
                let sum = parts
                    .iter()
                    .map(|part| part.sketch(dim, false, project))
                    .reduce(|a, b| a + b);
                sum.unwrap_or_else(|| self.rows())
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

/// Whether the n²t² inner products of positions cost less than n matrices `[d, e]`.
///
/// Ghost: 2 n²t²(d + e) operations. Matrices: 2 n t d e to form them and 2 n² d e to multiply.
fn ghost_is_cheaper(n: usize, t: usize, d: usize, e: usize) -> bool {
    let [n, t, d, e] = [n, t, d, e].map(|size| size as f64);
    t * t * (d + e) < d * e * (1.0 + t / n)
}

impl Block {
    /// Inner products of all pairs of positions, `[rows t, (end − start) s]`.
    fn inner(self, a: &Tensor<3>, b: &Tensor<3>) -> Tensor<2> {
        let ([_, t, width], [_, s, _]) = (a.dims(), b.dims());
        let columns = (self.end - self.start) * s;
        let a = a
            .clone()
            .narrow(0, 0, self.rows)
            .reshape([self.rows * t, width]);
        let b = b.clone().narrow(0, self.start, self.end - self.start);
        a.matmul(b.reshape([columns, width]).transpose())
    }

    /// Which pairs of positions have equal indices, `[rows t, (end − start) s]`.
    fn equal(self, a: &Tensor<2, Int>, b: &Tensor<2, Int>) -> Tensor<2, Bool> {
        let ([_, t], [_, s]) = (a.dims(), b.dims());
        let (rows, columns) = (self.rows * t, (self.end - self.start) * s);
        let a = a.clone().narrow(0, 0, self.rows).reshape([rows, 1]);
        let b = b
            .clone()
            .narrow(0, self.start, self.end - self.start)
            .reshape([1, columns]);
        a.expand([rows, columns]).equal(b.expand([rows, columns]))
    }
}

/// K_ij = Σ_ts of the products of positions t of example i and s of example j: the ghost product.
fn ghost(
    (a, b): (&Tensor<3>, &Tensor<3>),
    span: Span,
    products: impl Fn(Block) -> Tensor<2>,
) -> Products {
    let ([n, t, _], [m, s, _]) = (a.dims(), b.dims());
    Products::from_blocks(n, m, span, |block| {
        let (rows, columns) = (block.rows, block.end - block.start);
        let pairs = products(block).reshape([rows, t, columns, s]);
        pairs.sum_dim(3).sum_dim(1).reshape([rows, columns])
    })
}

/// Something that is summed over blocks of columns.
trait Total {
    fn plus(self, other: Self) -> Self;
}

impl Total for Products {
    fn plus(self, other: Self) -> Self {
        self.add(other)
    }
}

/// Squared norms.
struct Norms(Tensor<1>);

impl Total for Norms {
    fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// Sums over blocks `[n, d'·e]` of the per-example matrices of two draws, few enough columns of the
/// left side at a time that memory stays flat in d.
fn by_columns<O: Total>(
    left: (&Tensor<3>, &Tensor<3>),
    right: (&Tensor<3>, &Tensor<3>),
    each: impl Fn(Tensor<2>, Tensor<2>) -> O,
) -> O {
    let [n, _, d] = left.0.dims();
    let e = right.0.dims()[2];
    let columns = (BLOCK / (n * e).max(1)).max(1).min(d);
    let part = |start: usize| {
        let width = columns.min(d - start);
        let rows =
            |left: &Tensor<3>, right| per_example(&left.clone().narrow(2, start, width), right);
        // One draw against itself: form its matrices once.
        let a = rows(left.0, right.0);
        let same = std::ptr::eq(left.0, left.1) && std::ptr::eq(right.0, right.1);
        let b = if same {
            a.clone()
        } else {
            rows(left.1, right.1)
        };
        each(a, b)
    };
    let first = part(0);
    (1..d.div_ceil(columns.max(1))).fold(first, |sum, block| sum.plus(part(block * columns)))
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

/// Inner products of the positions of each example, `[n, t, t]`.
fn pairs(a: &Tensor<3>) -> Tensor<3> {
    a.clone().matmul(a.clone().swap_dims(1, 2))
}

/// The leading singular pairs of m matrices `[m, d, e]`, σu as `[m, rank, d]` and v as
/// `[m, rank, e]`, by power iteration and deflation.
fn leading_pairs(matrices: Tensor<3>, rank: usize) -> (Tensor<3>, Tensor<3>) {
    /// Gaps of a tenth are resolved to a thousandth.
    const ROUNDS: usize = 12;
    let unit = |vectors: Tensor<3>| {
        let norm = (vectors.clone() * vectors.clone()).sum_dim(1).sqrt();
        let zero = norm.clone().lower_equal_elem(0.0);
        vectors * norm.recip().mask_fill(zero, 0.0)
    };
    let mut rest = matrices;
    let (mut lefts, mut rights) = (Vec::new(), Vec::new());
    for _ in 0..rank {
        let transposed = rest.clone().swap_dims(1, 2);
        // The row of the largest sum of squares is seldom orthogonal to the leading direction.
        let squares = (rest.clone() * rest.clone()).sum_dim(2);
        let weights = squares.clone().equal(squares.max_dim(1)).float();
        let start = transposed.clone().matmul(weights.cast(rest.dtype()));
        let mut right = unit(start);
        for _ in 0..ROUNDS {
            right = unit(transposed.clone().matmul(rest.clone().matmul(right)));
        }
        let left = rest.clone().matmul(right.clone());
        rest = rest - left.clone().matmul(right.clone().swap_dims(1, 2));
        lefts.push(left.swap_dims(1, 2));
        rights.push(right.swap_dims(1, 2));
    }
    (Tensor::cat(lefts, 1), Tensor::cat(rights, 1))
}

/// For vectors (a, b) of the left and (c, d) of the right, halves of each: (ac, bd, bc, ad), summed
/// over positions, `[n, t, ·]` → `[n, dim]`. The left side may be the same for all examples,
/// `[1, t, ·]`.
fn fours(left: Tensor<3>, right: Tensor<3>, dim: usize) -> Tensor<2> {
    let [n, t, columns] = right.dims();
    let half = columns / 2;
    let total = |products: Tensor<3>| match t {
        1 => products.reshape([n, columns]),
        _ => products.sum_dim(1).reshape([n, columns]),
    };
    let (a, b) = (
        left.clone().narrow(2, 0, half),
        left.clone().narrow(2, half, half),
    );
    let swapped = Tensor::cat(vec![b, a], 2);
    let products = Tensor::cat(vec![total(left * right.clone()), total(swapped * right)], 1);
    match 2 * columns == dim {
        true => products,
        false => products.narrow(1, 0, dim),
    }
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

/// `[n, 1, d]` as `[n, d]`.
fn flat(a: &Tensor<3>) -> Tensor<2> {
    let [n, t, d] = a.dims();
    a.clone().reshape([n, t * d])
}

/// Squared norms of rows, `[n, d]` → `[n]`.
fn squares(a: Tensor<2>) -> Tensor<1> {
    let n = a.dims()[0];
    (a.clone() * a).sum_dim(1).reshape([n])
}

/// Rows one below another; a single one as it is.
fn cat_rows(rows: impl Iterator<Item = Tensor<2>>) -> Tensor<2> {
    let mut rows: Vec<_> = rows.collect();
    match rows.len() {
        1 => rows.remove(0),
        _ => Tensor::cat(rows, 0),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::print_stdout, reason = "prints a table when asked to")]

    use std::time::Instant;

    use burn::tensor::{Device, Distribution};

    use super::*;

    /// Both routes to one Gram matrix.
    fn routes(left: &Tensor<3>, right: &Tensor<3>) -> [Box<dyn Fn() -> Tensor<2>>; 2] {
        let [(a, b), (c, d)] = [(); 2].map(|()| (left.clone(), right.clone()));
        let by_ghost = move || {
            let products = |of: Block| of.inner(&a, &a) * of.inner(&b, &b);
            ghost((&a, &a), Span::Upper, products).full()
        };
        let by_matrices = move || {
            let products = |rows: Tensor<2>, _| Products::of(&rows, &rows, Span::Upper);
            by_columns((&c, &c), (&d, &d), products).full()
        };
        [Box::new(by_ghost), Box::new(by_matrices)]
    }

    /// Seconds of the fastest of a few calls.
    fn seconds(call: &dyn Fn() -> Tensor<2>) -> f64 {
        let once = |_| {
            let started = Instant::now();
            drop(call().into_data());
            started.elapsed().as_secs_f64()
        };
        (0..7).map(once).fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn both_routes_are_equal() {
        let device = Device::flex();
        let random = |d| Tensor::<3>::random([9, 5, d], Distribution::Default, &device);
        let [ghost, matrices] = routes(&random(7), &random(4)).map(|route| route());
        let off = (ghost - matrices).abs().max().into_scalar::<f32>();
        assert!(off < 1e-4, "{off}");
    }

    #[test]
    #[ignore = "takes times"]
    fn the_ghost_rule_against_the_clock() {
        let device = Device::flex();
        println!(
            "| n | t | d × e | ghost, ms | matrices, ms | faster | rule |\n|---|---|---|---|---|---|---|"
        );
        for (d, e) in [(32, 32), (128, 128), (128, 512), (512, 512)] {
            for (n, t) in [
                (16, 4),
                (64, 2),
                (64, 4),
                (64, 8),
                (64, 16),
                (64, 64),
                (256, 4),
                (256, 16),
            ] {
                let random = |d| Tensor::<3>::random([n, t, d], Distribution::Default, &device);
                let [ghost, matrices] =
                    routes(&random(d), &random(e)).map(|route| seconds(&*route) * 1e3);
                let name = |ghost| if ghost { "ghost" } else { "matrices" };
                println!(
                    "| {n} | {t} | {d} × {e} | {ghost:.2} | {matrices:.2} | {} | {} |",
                    name(ghost < matrices),
                    name(ghost_is_cheaper(n, t, d, e)),
                );
            }
        }
    }
}
