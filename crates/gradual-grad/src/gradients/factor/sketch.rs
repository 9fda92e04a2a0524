//! Random projections of the rows.

use burn::tensor::Tensor;

use super::lookups::Lookups;
use super::outer::{Outer, per_example};
use super::{Factor, Tied};

impl Factor {
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
        match self {
            Self::Rows(rows) => rows.clone().matmul(project(rows.dims()[1], dim)),
            Self::Stack(parts) => {
                let sum = parts
                    .iter()
                    .map(|part| part.sketch(dim, false, project))
                    .reduce(|a, b| a + b);
                sum.unwrap_or_else(|| self.rows())
            }
            Self::Outer(Outer { left, right, .. }) => {
                let [u, v] = [left, right].map(|side| project(side.dims()[2], vectors(dim)));
                let one = bias.then(|| project(1, vectors(dim)));
                left_and_right(left, right, dim, &u, &v, one)
            }
            Self::Scatter(lookups) => {
                let (d, e) = lookups.sides();
                let (u, v) = (project(d, vectors(dim)), project(e, vectors(dim)));
                looked_up(lookups, dim, &u, &v)
            }
            Self::Tied(tied) => {
                let Tied { lookups, outer, .. } = &**tied;
                let (d, e) = lookups.sides();
                let (u, v) = (project(d, vectors(dim)), project(e, vectors(dim)));
                looked_up(lookups, dim, &u, &v)
                    + left_and_right(&outer.left, &outer.right, dim, &u, &v, None)
            }
        }
    }
}

/// How many random vectors a side is multiplied by.
fn vectors(dim: usize) -> usize {
    2 * dim.div_ceil(4)
}

fn left_and_right(
    left: &Tensor<3>,
    right: &Tensor<3>,
    dim: usize,
    u: &Tensor<2>,
    v: &Tensor<2>,
    one: Option<Tensor<2>>,
) -> Tensor<2> {
    let ([n, t, d], e, vectors) = (left.dims(), right.dims()[2], vectors(dim));
    let one = one.map(|one| one.reshape([1, 1, vectors]));
    if d * e * (t + vectors) + d * vectors < t * (d + e) * vectors {
        // Many positions and a small matrix: form the matrices, then project those.
        let matrices = per_example(left, right).reshape([n, d, e]);
        let u = u.clone().reshape([1, d, vectors]);
        let weight = fours(u, projected(&matrices, v), dim);
        return match one {
            None => weight,
            Some(one) => weight + fours(one, projected(&right.clone().sum_dim(1), v), dim),
        };
    }
    let inputs = projected(left, u);
    let inputs = match one {
        None => inputs,
        Some(one) => inputs + one,
    };
    fours(inputs, projected(right, v), dim)
}

fn looked_up(lookups: &Lookups, dim: usize, u: &Tensor<2>, v: &Tensor<2>) -> Tensor<2> {
    let [n, t, _] = lookups.deltas.dims();
    let indices = lookups.indices.clone().reshape([n * t]);
    let chosen = u.clone().select(0, indices);
    fours(
        chosen.reshape([n, t, vectors(dim)]),
        projected(&lookups.deltas, v),
        dim,
    )
}

/// A side `[n, t, d]` times vectors `[d, k]`.
fn projected(side: &Tensor<3>, vectors: &Tensor<2>) -> Tensor<3> {
    let [n, t, d] = side.dims();
    let projected = side.clone().reshape([n * t, d]).matmul(vectors.clone());
    projected.reshape([n as i32, t as i32, -1])
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
