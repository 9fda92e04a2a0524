//! Every form of factor, however it came about, against its plain rows.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::blocks::BLOCK;
use super::*;
use crate::gradients::products::{Products, Span};

/// Rows and columns of the matrix that a parameter is.
const SIDES: (usize, usize) = (6, 4);

struct Random(ChaCha8Rng);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        (self.0.next_u32() as usize) % end
    }

    fn tensor<const D: usize>(&mut self, dims: [usize; D]) -> Tensor<D> {
        let size = dims.iter().product::<usize>();
        let mut value = || f64::from(self.0.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0;
        let values: Vec<f64> = (0..size).map(|_| value()).collect();
        Tensor::from_data(TensorData::new(values, dims), (&Device::flex(), DType::F64))
    }

    fn indices(&mut self, n: usize, t: usize, rows: usize) -> Tensor<2, Int> {
        let values: Vec<i64> = (0..n * t).map(|_| self.below(rows) as i64).collect();
        Tensor::from_data(TensorData::new(values, [n, t]), &Device::flex())
    }

    /// A use of the parameter by n examples, at one to five positions.
    fn one(&mut self, n: usize) -> Factor {
        let (t, (d, e)) = (1 + self.below(5), SIDES);
        let split = |of: usize, by: usize| (of / by, by);
        match self.below(5) {
            0 => Factor::scatter(self.indices(n, t, d), self.tensor([n, t, e]), d),
            1 => Factor::outer(self.tensor([n, t, d]), self.tensor([n, t, e])),
            2 => Factor::of_sides(
                self.tensor([n, t, d]),
                self.tensor([n, t, e]),
                Inputs::Right,
            ),
            3 => {
                let (each, parts) = split(d, 1 + self.below(3));
                let mut part = || Factor::outer(self.tensor([n, t, each]), self.tensor([n, t, e]));
                Factor::Stack((0..parts).map(|_| part()).collect())
            }
            _ => Factor::Rows(self.tensor([n, d * e])),
        }
    }

    /// A factor, and its rows, made in another way.
    fn factor(&mut self, n: usize, depth: usize) -> (Factor, Tensor<2>) {
        if depth == 0 {
            let factor = self.one(n);
            let rows = plain(&factor);
            return (factor, rows);
        }
        match self.below(6) {
            0 => self.factor(n, 0),
            1 | 2 => {
                let uses: Vec<_> = (0..2 + self.below(2))
                    .map(|_| self.factor(n, depth - 1))
                    .collect();
                let (uses, rows): (Vec<_>, Vec<_>) = uses.into_iter().unzip();
                let sum = rows.into_iter().reduce(|a, b| a + b).unwrap();
                (Factor::merge(uses).unwrap(), sum)
            }
            3 => {
                let first = self.below(n + 1);
                let sizes = [first, n - first].into_iter().filter(|size| *size > 0);
                let draws: Vec<_> = sizes
                    .collect::<Vec<_>>()
                    .into_iter()
                    .map(|size| match self.below(4) {
                        0 => {
                            let like = self.factor(1, depth - 1).0;
                            let zeros = Tensor::zeros(
                                [size, SIDES.0 * SIDES.1],
                                (&Device::flex(), DType::F64),
                            );
                            (like.zeros(size), zeros)
                        }
                        _ => self.factor(size, depth - 1),
                    })
                    .collect();
                let (draws, rows) = draws.into_iter().unzip();
                (Factor::concat(draws).unwrap(), Tensor::cat(rows, 0))
            }
            4 => {
                let m = n + self.below(3);
                let (factor, rows) = self.factor(m, depth - 1);
                let at: Vec<i64> = (0..n).map(|_| self.below(m) as i64).collect();
                let at = Tensor::from_data(TensorData::new(at, [n]), &Device::flex());
                (factor.choose(&at), rows.select(0, at))
            }
            _ => {
                let (factor, rows) = self.factor(n, depth - 1);
                let by = self.tensor([1]);
                let scaled = factor.scale(by.clone());
                (scaled.cast(DType::F64), rows * by.reshape([1, 1]))
            }
        }
    }
}

/// Entry by entry, on the host.
fn plain(factor: &Factor) -> Tensor<2> {
    let numbers = |side: &Tensor<3>| side.clone().into_data().try_to_vec::<f64>().unwrap();
    let n = factor.num_examples();
    let of = |entries: Vec<f64>, p: usize| {
        Tensor::from_data(
            TensorData::new(entries, [n, p]),
            (&Device::flex(), DType::F64),
        )
    };
    match factor {
        Factor::Rows(rows) => rows.clone(),
        Factor::Stack(parts) => Tensor::cat(parts.iter().map(plain).collect(), 1),
        Factor::Outer(Outer { left, right, .. }) => {
            let ([_, t, d], e) = (left.dims(), right.dims()[2]);
            let (left, right) = (numbers(left), numbers(right));
            let mut rows = vec![0.0; n * d * e];
            for at in 0..n * t {
                for (i, j) in (0..d).flat_map(|i| (0..e).map(move |j| (i, j))) {
                    rows[(at / t * d + i) * e + j] += left[at * d + i] * right[at * e + j];
                }
            }
            of(rows, d * e)
        }
        Factor::Scatter(lookups) => {
            let ([_, t, e], d) = (lookups.deltas.dims(), lookups.rows);
            let indices = lookups.indices.clone().into_data().convert::<i64>();
            let indices = indices.try_to_vec::<i64>().unwrap();
            let deltas = numbers(&lookups.deltas);
            let mut rows = vec![0.0; n * d * e];
            for at in 0..n * t {
                for j in 0..e {
                    rows[(at / t * d + indices[at] as usize) * e + j] += deltas[at * e + j];
                }
            }
            of(rows, d * e)
        }
        Factor::Tied(tied) => {
            plain(&Factor::Scatter(tied.lookups.clone()))
                + plain(&Factor::Outer(tied.outer.clone()))
        }
    }
}

fn off<const D: usize>(found: Tensor<D>, expected: Tensor<D>) -> f64 {
    assert_eq!(found.dims(), expected.dims());
    assert_eq!(found.dtype(), DType::F64);
    let far: f64 = (found - expected).abs().max().into_scalar();
    far
}

fn inner(a: &Tensor<2>, b: &Tensor<2>) -> Tensor<2> {
    a.clone().matmul(b.clone().transpose())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_form_agrees_with_its_rows(seed: u64, n in 1usize..6, m in 1usize..6, depth in 0usize..4) {
        let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
        let (a, rows) = random.factor(n, depth);
        let (b, others) = random.factor(m, depth);
        prop_assert!(off(a.rows(), rows.clone()) < 1e-10);
        prop_assert_eq!((a.num_examples(), a.size()), (n, SIDES.0 * SIDES.1));
        prop_assert!(off(a.products(&a, Span::Upper).full(), inner(&rows, &rows)) < 1e-10);
        prop_assert!(off(a.products(&b, Span::Full).full(), inner(&rows, &others)) < 1e-10);
        prop_assert!(off(b.products(&a, Span::Full).full(), inner(&others, &rows)) < 1e-10);
        let norms = (rows.clone() * rows.clone()).sum_dim(1).reshape([n]);
        prop_assert!(off(a.squared_norms(), norms) < 1e-10);
        let coefficients = random.tensor([3, n]);
        let sums = coefficients.clone().matmul(rows.clone());
        prop_assert!(off(a.combine(&coefficients), sums.clone()) < 1e-10);
        // The full rank of the matrix, and enough rounds to find it.
        let condensed = a.condense(&coefficients, SIDES.1).rows();
        let rest = (condensed - sums.clone()).powi_scalar(2).sum().into_scalar::<f64>().sqrt();
        let whole = sums.powi_scalar(2).sum().into_scalar::<f64>().sqrt();
        prop_assert!(rest <= 1e-2 * whole + 1e-10, "{rest} of {whole}");
    }

    /// The ways that small look-ups don't take.
    #[test]
    fn look_ups_meet_by_index(
        seed: u64, n in 1usize..40, m in 1usize..40, t in 1usize..9, s in 1usize..9, rows in 1usize..60,
    ) {
        let mut random = Random(ChaCha8Rng::seed_from_u64(seed));
        let mut lookups = |n, t| {
            let indices = random.indices(n, t, rows);
            Lookups::new(indices, random.tensor([n, t, 3]), rows)
        };
        let (a, b) = (lookups(n, t), lookups(m, s));
        let [own, others] = [&a, &b].map(|each| plain(&Factor::Scatter(each.clone())));
        prop_assert!(off(a.meet(None).unwrap(), inner(&own, &own)) < 1e-10);
        prop_assert!(off(a.meet(Some(&b)).unwrap(), inner(&own, &others)) < 1e-10);
        let norms = (own.clone() * own.clone()).sum_dim(1).reshape([n]);
        prop_assert!(off(a.squared_norms_by_index().unwrap(), norms.clone()) < 1e-10);
        prop_assert!(off(a.squared_norms_by_pairs(), norms) < 1e-10);
        prop_assert!(off(a.with_rows(&others), inner(&own, &others)) < 1e-10);
        for width in [1, rows] {
            let last = rows - width;
            let block = own.clone().reshape([n, rows, 3]).narrow(1, last, width);
            prop_assert!(off(a.block(last, width), block.reshape([n, width * 3])) < 1e-10);
        }
    }
}

/// A token that is in every example, often, beside those that are in few: runs of many lengths in one tile and in
/// several.
#[test]
fn runs_of_all_lengths_meet() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(5));
    let (n, t, rows) = (150, 12, 900);
    let values: Vec<i64> = (0..n * t)
        .map(|at| match at % t {
            0..4 => 0,
            4..8 => {
                let end = 1 + random.below(30);
                random.below(end) as i64
            }
            _ => random.below(rows) as i64,
        })
        .collect();
    let indices = Tensor::from_data(TensorData::new(values, [n, t]), &Device::flex());
    let lookups = Lookups::new(indices, random.tensor([n, t, 5]), rows);
    let own = Factor::Scatter(lookups.clone()).rows();
    assert!(off(lookups.meet(None).unwrap(), inner(&own, &own)) < 1e-10);
    let some = Lookups::new(
        lookups.indices.clone().narrow(0, 3, 9),
        random.tensor([9, t, 5]),
        rows,
    );
    let others = Factor::Scatter(some.clone()).rows();
    assert!(off(lookups.meet(Some(&some)).unwrap(), inner(&own, &others)) < 1e-10);
    assert!(off(some.meet(Some(&lookups)).unwrap(), inner(&others, &own)) < 1e-10);
}

/// Large enough that matrices are formed in several blocks.
#[test]
fn matrices_are_summed_over_blocks() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(7));
    let (n, t, d, e) = (3, 60, 7000, 900);
    assert!(n * d * e > BLOCK);
    let wide = |factor: Factor| factor.cast(DType::F32);
    let outer = wide(Factor::outer(
        random.tensor([n, t, d]),
        random.tensor([n, t, e]),
    ));
    let looked = wide(Factor::scatter(
        random.indices(n, 5, d),
        random.tensor([n, 5, e]),
        d,
    ));
    let tied = Factor::merge(vec![looked.clone(), outer.clone()]).unwrap();
    let plain = Factor::Rows(tied.rows());
    let expected = plain.products(&plain, Span::Upper).full();
    let close = |found: Tensor<2>| {
        let off: f32 = ((found - expected.clone()) / expected.clone().max().reshape([1, 1]))
            .abs()
            .max()
            .into_scalar();
        assert!(off < 1e-4, "{off}");
    };
    close(super::products::by_matrices(&tied, &tied, Span::Upper).full());
    close(tied.products(&tied, Span::Upper).full());
    close(tied.products(&plain, Span::Full).full());
    let parts = [&outer, &looked].map(|part| part.products(&tied, Span::Full));
    close(parts.into_iter().reduce(Products::add).unwrap().full());
}

/// The largest row is orthogonal to the leading direction, and the sum of rows is zero.
#[test]
fn leading_pairs_are_found_where_rows_cancel() {
    let numbers = |values: &[f64], n, d, e| {
        let data = TensorData::new(values.to_vec(), [n, d, e]);
        Tensor::<3>::from_data(data, (&Device::flex(), DType::F64))
    };
    for (rows, d) in [
        (vec![1.0, -2.0, -1.0, 2.0], 2),
        (vec![3.0, 0.0, 0.0, 2.5, 0.0, 2.5, 0.0, -2.5, 0.0, -2.5], 5),
    ] {
        let matrix = numbers(&rows, 1, d, 2);
        let identity: Vec<f64> = (0..d * d)
            .map(|at| if at % (d + 1) == 0 { 1.0 } else { 0.0 })
            .collect();
        let factor = Factor::outer(numbers(&identity, 1, d, d), matrix.clone());
        let coefficients = Tensor::<2>::from_data(
            TensorData::new(vec![1.0f64], [1, 1]),
            (&Device::flex(), DType::F64),
        );
        let condensed = factor.condense(&coefficients, 1);
        let norm = condensed.squared_norms().into_scalar::<f64>().sqrt();
        // σ₁: of (δ, −δ) √2 ‖δ‖, of the second matrix √4 · 2.5.
        let expected = [10f64.sqrt(), 5.0][usize::from(d == 5)];
        assert!(
            (norm - expected).abs() < 1e-3 * expected,
            "{norm}, not {expected}"
        );
    }
}
