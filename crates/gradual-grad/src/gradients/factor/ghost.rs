//! Inner products of all pairs of positions: the ghost product (Li et al. 2022, arXiv 2110.05679).

use burn::tensor::{Bool, Int, Tensor};

use crate::gradients::products::{Block, Products, Span};

/// Whether the n²t² inner products of positions cost less than n matrices `[d, e]`.
///
/// Ghost: 2 n²t²(d + e) operations. Matrices: 2 n t d e to form them and 2 n² d e to multiply.
pub(super) fn ghost_is_cheaper(n: usize, t: usize, d: usize, e: usize) -> bool {
    let [n, t, d, e] = [n, t, d, e].map(|size| size as f64);
    t * t * (d + e) < d * e * (1.0 + t / n)
}

impl Block {
    /// Inner products of all pairs of positions, `[rows t, (end − start) s]`.
    pub(super) fn inner(self, a: &Tensor<3>, b: &Tensor<3>) -> Tensor<2> {
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
    pub(super) fn equal(self, a: &Tensor<2, Int>, b: &Tensor<2, Int>) -> Tensor<2, Bool> {
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
pub(super) fn ghost(
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

#[cfg(test)]
mod tests {
    #![allow(clippy::print_stdout, reason = "prints a table when asked to")]

    use std::time::Instant;

    use burn::tensor::{Device, Distribution};

    use super::super::Factor;
    use super::super::blocks::in_blocks;
    use super::*;

    /// Both routes to one Gram matrix.
    fn routes(left: &Tensor<3>, right: &Tensor<3>) -> [Box<dyn Fn() -> Tensor<2>>; 2] {
        let [(a, b), (c, d)] = [(); 2].map(|()| (left.clone(), right.clone()));
        let by_ghost = move || {
            let products = |of: Block| of.inner(&a, &a) * of.inner(&b, &b);
            ghost((&a, &a), Span::Upper, products).full()
        };
        let factor = Factor::outer(c, d);
        let by_matrices = move || {
            let sides = factor.sides().unwrap();
            let products = in_blocks(factor.num_examples(), sides, |at| {
                let rows = factor.block(at, sides.1);
                Products::of(&rows, &rows, Span::Upper)
            });
            products.full()
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
    #[ignore = "measures times, for which the machine has to be quiet"]
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
