//! The gradient of one parameter for every example, as factors, and what can be had from them.

use burn::tensor::Tensor;

use crate::lower::Lower;

/// Elements of a block of per-example matrices (64 MiB in `f32`): what is materialised at a time.
const BLOCK: usize = 1 << 24;

/// Row j of the gradients of one parameter, for all j.
#[derive(Debug, Clone)]
pub(crate) enum Factor {
    /// g_j = Σ_t left_jt ⊗ right_jt, from left `[n, t, d]` and right `[n, t, e]`.
    Outer { left: Tensor<3>, right: Tensor<3> },
    /// g_j itself, `[n, p]`.
    Rows(Tensor<2>),
}

impl Factor {
    pub(crate) fn outer(left: Tensor<3>, right: Tensor<3>) -> Self {
        Self::Outer { left, right }
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
                Self::Outer { left, right },
                Self::Outer {
                    left: left2,
                    right: right2,
                },
            ) => Self::Outer {
                left: Tensor::cat(vec![left, left2], 1),
                right: Tensor::cat(vec![right, right2], 1),
            },
            (a, b) => Self::Rows(a.rows() + b.rows()),
        }
    }

    /// The `[n, p]` matrix of gradients. Memory n·p.
    pub(crate) fn rows(&self) -> Tensor<2> {
        match self {
            Self::Rows(rows) => rows.clone(),
            Self::Outer { left, right } => per_example(left, right),
        }
    }

    /// Inner products of the rows.
    pub(crate) fn gram(&self) -> Lower {
        match self {
            Self::Rows(rows) => Lower::product(rows),
            Self::Outer { left, right } => {
                let [n, t, d] = left.dims();
                let e = right.dims()[2];
                if t == 1 {
                    // (x_i ⊗ δ_i)·(x_j ⊗ δ_j) = (x_i·x_j)(δ_i·δ_j)
                    Lower::product(&flat(left)).hadamard(Lower::product(&flat(right)))
                } else if ghost_is_cheaper(n, t, d, e) {
                    ghost(left, right)
                } else {
                    by_columns(left, right, |rows| Lower::product(&rows), Lower::add)
                }
            }
        }
    }

    /// The Gram matrix together with that of the bias of the same layer, which has the same
    /// output-gradients: (x_i·x_j + 1)(δ_i·δ_j). None where the layer was used more than once.
    pub(crate) fn gram_with_bias(&self) -> Option<Lower> {
        match self {
            Self::Outer { left, right } if left.dims()[1] == 1 => {
                let inputs = Lower::product(&flat(left)).add_scalar(1.0);
                Some(inputs.hadamard(Lower::product(&flat(right))))
            }
            _ => None,
        }
    }

    /// Squared norms of the rows, `[n]`.
    pub(crate) fn squared_norms(&self) -> Tensor<1> {
        match self {
            Self::Rows(rows) => squares(rows.clone()),
            Self::Outer { left, right } => {
                let [n, t, d] = left.dims();
                let e = right.dims()[2];
                if t == 1 {
                    squares(flat(left)) * squares(flat(right))
                } else if t * (d + e) < d * e {
                    let inner = |a: &Tensor<3>| a.clone().matmul(a.clone().swap_dims(1, 2));
                    let products = inner(left) * inner(right);
                    products.reshape([n, t * t]).sum_dim(1).reshape([n])
                } else {
                    by_columns(left, right, squares, |a, b| a + b)
                }
            }
        }
    }

    /// Gᵀc, the sum of the rows weighted by `coefficients` `[n]`, as a flat vector `[p]`.
    pub(crate) fn combine(&self, coefficients: &Tensor<1>) -> Tensor<1> {
        let n = coefficients.dims()[0];
        match self {
            Self::Rows(rows) => {
                let p = rows.dims()[1];
                coefficients
                    .clone()
                    .reshape([1, n])
                    .matmul(rows.clone())
                    .reshape([p])
            }
            Self::Outer { left, right } => {
                let [_, t, d] = left.dims();
                let e = right.dims()[2];
                let weighted = right.clone() * coefficients.clone().reshape([n, 1, 1]);
                let left = left.clone().reshape([n * t, d]).transpose();
                left.matmul(weighted.reshape([n * t, e])).reshape([d * e])
            }
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

/// K_ij = Σ_ts (left_it·left_js)(right_it·right_js): the ghost product.
fn ghost(left: &Tensor<3>, right: &Tensor<3>) -> Lower {
    let [n, t, _] = left.dims();
    Lower::from_blocks(n, |start, end| {
        let inner = |a: &Tensor<3>| {
            let width = a.dims()[2];
            let rows = a
                .clone()
                .narrow(0, start, end - start)
                .reshape([(end - start) * t, width]);
            let columns = a.clone().narrow(0, 0, end).reshape([end * t, width]);
            rows.matmul(columns.transpose())
        };
        let products = (inner(left) * inner(right)).reshape([end - start, t, end, t]);
        products.sum_dim(3).sum_dim(1).reshape([end - start, end])
    })
}

/// Folds over blocks `[n, d'·e]` of the per-example matrices, few enough columns of `left` at a
/// time that memory stays flat in d.
fn by_columns<O>(
    left: &Tensor<3>,
    right: &Tensor<3>,
    each: impl Fn(Tensor<2>) -> O,
    add: impl Fn(O, O) -> O,
) -> O {
    let [n, _, d] = left.dims();
    let e = right.dims()[2];
    let columns = (BLOCK / (n * e)).clamp(1, d);
    let mut total = None;
    for start in (0..d).step_by(columns) {
        let part = left.clone().narrow(2, start, columns.min(d - start));
        let value = each(per_example(&part, right));
        total = Some(match total {
            None => value,
            Some(sum) => add(sum, value),
        });
    }
    total.expect("a layer has at least one input")
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
