//! Inner products of the rows.

use burn::tensor::Tensor;

use super::blocks::{Norms, in_blocks};
use super::ghost::{ghost, ghost_is_cheaper};
use super::lookups::Lookups;
use super::outer::Outer;
use super::{Factor, Tied};
use crate::gradients::products::{Block, Products, Span};

/// Elements of the per-example matrices of one parameter (4 MiB in `f32`) that are kept for the
/// weighted sum once the Gram matrix had to form them. To keep larger ones took as long as to sum
/// from the factors, and more than half as much memory again (decoder, draw 64).
const KEPT: usize = 1 << 20;

/// Up to this many operations, all pairs are faster than reading the indices of look-ups from the device and sorting
/// them.
const SOONER_DONE: f64 = 1e9;

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
    /// Inner products of positions with equal index, which are sorted for it.
    Index,
}

impl Factor {
    /// How inner products are taken. The rule is by counted operations; benchmarks confirm it.
    pub(crate) fn route(&self) -> Route {
        match self {
            Self::Rows(_) => Route::Rows,
            Self::Stack(parts) => parts.first().map_or(Route::Rows, Self::route),
            Self::Outer(outer) => outer.route(),
            Self::Tied(tied) => tied.outer.route(),
            Self::Scatter(lookups) => lookups.route(lookups),
        }
    }

    /// Inner products of the rows with those of another draw, or of this one. Both are in one precision, at least
    /// single.
    pub(crate) fn products(&self, other: &Self, span: Span) -> Products {
        let alike = self.sides().is_some() && self.sides() == other.sides();
        match (self, other) {
            (Self::Rows(a), Self::Rows(b)) => Products::of(a, b, span),
            (Self::Outer(a), Self::Outer(b)) if alike => a.products(b, span),
            (Self::Scatter(a), Self::Scatter(b)) if alike => a.products(b, span),
            (a, b) if alike => products_of_tied(a, b, span),
            (a, Self::Rows(rows)) if a.sides().is_some() => {
                Products::whole(a.with_rows(rows), span)
            }
            (Self::Rows(rows), b) if b.sides().is_some() => {
                Products::whole(b.with_rows(rows).transpose(), span)
            }
            (Self::Stack(a), Self::Stack(b)) if same_sizes(a, b) => a
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
            (Self::Outer(a), Self::Outer(b)) if a.positions() == 1 && b.positions() == 1 => {
                let inputs = Products::of(&flat(&a.left), &flat(&b.left), span).add_one();
                Some(inputs.hadamard(Products::of(&flat(&a.right), &flat(&b.right), span)))
            }
            _ => None,
        }
    }

    /// Squared norms of the rows, `[n]`, in at least single precision.
    pub(crate) fn squared_norms(&self) -> Tensor<1> {
        match self {
            Self::Rows(rows) => squares(rows.clone()),
            Self::Stack(parts) => {
                let norms = parts.iter().map(Self::squared_norms).reduce(|a, b| a + b);
                norms.unwrap_or_else(|| squares(self.rows()))
            }
            Self::Outer(outer) => outer.squared_norms(),
            Self::Scatter(lookups) => lookups.squared_norms(),
            Self::Tied(tied) if tied.outer.has_small_pairs() => {
                let Tied { lookups, outer, .. } = &**tied;
                let both = lookups.with_own_outer(outer).mul_scalar(2);
                lookups.squared_norms() + both + outer.squared_norms()
            }
            Self::Tied(tied) => {
                let Tied { lookups, outer, .. } = &**tied;
                in_blocks(lookups.deltas.dims()[0], outer.sides(), |(start, width)| {
                    let rows = lookups.block(start, width) + outer.block(start, width);
                    Norms(squares(rows))
                })
                .0
            }
        }
    }

    /// Inner products of matrices with plain rows `[m, p]`, `[n, m]`.
    fn with_rows(&self, rows: &Tensor<2>) -> Tensor<2> {
        match self {
            Self::Scatter(lookups) if lookups.route(lookups) == Route::Index => {
                lookups.with_rows(rows)
            }
            Self::Tied(tied) => {
                let outer = Self::Outer(tied.outer.clone());
                Self::Scatter(tied.lookups.clone()).with_rows(rows) + outer.with_rows(rows)
            }
            _ => {
                let (d, e) = self.sides().unwrap_or((self.size(), 1));
                let n = self.num_examples().max(rows.dims()[0]);
                let products = in_blocks(n, (d, e), |(start, width)| {
                    let rows = rows.clone().narrow(1, start * e, width * e);
                    Products::of(&self.block((start, width), e), &rows, Span::Full)
                });
                products.full()
            }
        }
    }

    /// Its look-ups and its outer products.
    fn parts(&self) -> (Option<&Lookups>, Option<&Outer>) {
        match self {
            Self::Outer(outer) => (None, Some(outer)),
            Self::Scatter(lookups) => (Some(lookups), None),
            Self::Tied(tied) => (Some(&tied.lookups), Some(&tied.outer)),
            Self::Stack(_) | Self::Rows(_) => (None, None),
        }
    }

    /// The per-example matrices, kept from now on; None where they are too large to be kept.
    fn formed(&self) -> Option<Tensor<2>> {
        let formed = match self {
            Self::Outer(outer) => &outer.formed,
            Self::Tied(tied) => &tied.formed,
            _ => return None,
        };
        let small = self.num_examples() * self.size() <= KEPT;
        small.then(|| formed.or_form(|| self.whole()))
    }
}

/// Products of two factors that are matrices of the same sides and not both of one kind: those of their parts, or
/// of the matrices where the outer products are better formed.
fn products_of_tied(a: &Factor, b: &Factor, span: Span) -> Products {
    let ((looked, outer), (looked2, outer2)) = (a.parts(), b.parts());
    let route = outer.or(outer2).map(Outer::route);
    if route == Some(Route::Matrices) {
        return by_matrices(a, b, span);
    }
    let with_outer = |a: Option<&Lookups>, b: Option<&Outer>| Some(a?.with_outer(b?));
    let cross = with_outer(looked, outer2);
    let back = match span {
        Span::Upper => cross.clone(),
        Span::Full => with_outer(looked2, outer),
    };
    let parts = [
        cross.map(|cross| Products::whole(cross, span)),
        back.map(|back| Products::whole(back.transpose(), span)),
        looked.zip(looked2).map(|(a, b)| a.products(b, span)),
        outer.zip(outer2).map(|(a, b)| a.products(b, span)),
    ];
    let sum = parts.into_iter().flatten().reduce(Products::add);
    sum.unwrap_or_else(|| by_matrices(a, b, span))
}

/// Products of per-example matrices of the same sides, in blocks, or at once where they are small enough to be kept.
pub(super) fn by_matrices(a: &Factor, b: &Factor, span: Span) -> Products {
    if let (Some(a), Some(b)) = (a.formed(), b.formed()) {
        return Products::of(&a, &b, span);
    }
    let sides = a.sides().unwrap_or((a.size(), 1));
    in_blocks(a.num_examples().max(b.num_examples()), sides, |at| {
        let left = a.block(at, sides.1);
        // One draw against itself: form its matrices once.
        let right = match span {
            Span::Upper => left.clone(),
            Span::Full => b.block(at, sides.1),
        };
        Products::of(&left, &right, span)
    })
}

impl Outer {
    fn route(&self) -> Route {
        let ([n, t, d], e) = (self.left.dims(), self.right.dims()[2]);
        match t {
            1 => Route::Product,
            _ if ghost_is_cheaper(n, t, d, e) => Route::Ghost,
            _ => Route::Matrices,
        }
    }

    fn products(&self, other: &Self, span: Span) -> Products {
        match self.route() {
            // (x_i ⊗ δ_i)·(x_j ⊗ δ_j) = (x_i·x_j)(δ_i·δ_j)
            Route::Product if other.positions() == 1 => Products::of(
                &flat(&self.left),
                &flat(&other.left),
                span,
            )
            .hadamard(Products::of(&flat(&self.right), &flat(&other.right), span)),
            Route::Product | Route::Ghost => {
                let inner = |a: &Tensor<3>, b: &Tensor<3>, of: Block| of.inner(a, b);
                ghost((&self.left, &other.left), span, |of| {
                    inner(&self.left, &other.left, of) * inner(&self.right, &other.right, of)
                })
            }
            _ => by_matrices(
                &Factor::Outer(self.clone()),
                &Factor::Outer(other.clone()),
                span,
            ),
        }
    }

    /// Whether all pairs of an example's positions take less than its matrix.
    fn has_small_pairs(&self) -> bool {
        let ((d, e), t) = (self.sides(), self.positions());
        t == 1 || t * (d + e) < d * e
    }

    fn squared_norms(&self) -> Tensor<1> {
        let [n, t, _] = self.left.dims();
        if t == 1 {
            squares(flat(&self.left)) * squares(flat(&self.right))
        } else if self.has_small_pairs() {
            (pairs(&self.left) * pairs(&self.right))
                .reshape([n, t * t])
                .sum_dim(1)
                .reshape([n])
        } else {
            in_blocks(n, self.sides(), |(start, width)| {
                Norms(squares(self.block(start, width)))
            })
            .0
        }
    }
}

impl Lookups {
    /// All pairs of positions take 2 n m t s e operations and matrices 2 n m rows e; positions of equal index at most
    /// a few times 2 n m t e, but their indices have to be read first.
    fn route(&self, other: &Self) -> Route {
        let ([n, t, e], [m, s, _]) = (self.deltas.dims(), other.deltas.dims());
        let at_once = (t * s).min(self.rows);
        let operations = 2.0 * (n * m) as f64 * (at_once * e.max(64)) as f64;
        match () {
            () if at_once > t.max(s) && operations > SOONER_DONE => Route::Index,
            () if t * s < self.rows => Route::Ghost,
            () => Route::Matrices,
        }
    }

    fn products(&self, other: &Self, span: Span) -> Products {
        let route = self.route(other);
        if route == Route::Ghost {
            return ghost((&self.deltas, &other.deltas), span, |of| {
                // Only pairs of positions with equal index meet.
                let apart = of.equal(&self.indices, &other.indices).bool_not();
                of.inner(&self.deltas, &other.deltas).mask_fill(apart, 0.0)
            });
        }
        let met = (route == Route::Index)
            .then(|| self.meet((span == Span::Full).then_some(other)))
            .flatten();
        match met {
            Some(products) => Products::whole(products, span),
            None => by_matrices(
                &Factor::Scatter(self.clone()),
                &Factor::Scatter(other.clone()),
                span,
            ),
        }
    }

    fn squared_norms(&self) -> Tensor<1> {
        let [n, t, e] = self.deltas.dims();
        let by_pairs = 2.0 * (n * t) as f64 * (t * e.max(64)) as f64;
        let by_index = (by_pairs > SOONER_DONE).then(|| self.squared_norms_by_index());
        by_index
            .flatten()
            .unwrap_or_else(|| self.squared_norms_by_pairs())
    }
}

fn same_sizes(a: &[Factor], b: &[Factor]) -> bool {
    let sizes = |parts: &[Factor]| parts.iter().map(Factor::size).collect::<Vec<_>>();
    sizes(a) == sizes(b)
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
