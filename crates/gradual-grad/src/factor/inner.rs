//! Inner products of the rows.

use burn::tensor::{Bool, Int, Tensor};

use super::{Factor, per_example};
use crate::products::{Block, Products, Span};

/// Elements of a block of per-example matrices (64 MiB in `f32`): what is materialised at a time.
const BLOCK: usize = 1 << 24;

/// Elements of the per-example matrices of one parameter (4 MiB in `f32`) that are kept for the
/// weighted sum once the Gram matrix had to form them. To keep larger ones took as long as to sum
/// from the factors, and more than half as much memory again (decoder, draw 64).
const KEPT: usize = 1 << 20;

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

/// Inner products of the positions of each example, `[n, t, t]`.
fn pairs(a: &Tensor<3>) -> Tensor<3> {
    a.clone().matmul(a.clone().swap_dims(1, 2))
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
