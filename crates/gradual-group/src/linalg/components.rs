//! The components of unit gradients on the singular directions, in double precision.

use burn::tensor::{DType, Tensor};
use faer::Mat;

use crate::error::GroupError;
use crate::linalg::eigen::{carried, eigen, inner_products, subspace};
use crate::linalg::eigenvalues::Eigenvalues;
use crate::read::{finite_rows, wide_gram};

const OPERATION: &str = "singular vectors";

/// A direction on which all unit gradients together have less than this squared is rounding.
const EMPTY: f64 = 1e-20;

/// α̂_ij = v_i · g_j / ‖g_j‖ for the singular directions v_i of G = U Σ Vᵀ.
///
/// # Steps
///
/// With D = diag(‖g_j‖) and Ĝ = D⁻¹G the unit gradients, C = Ĝ Ĝᵀ = D⁻¹ K D⁻¹ holds their cosines. A factor
/// C = B Bᵀ gives them coordinates, the rows of B, in which the singular directions are the eigenvectors Q of
/// Bᵀ D² B: α̂ᵀ = B Q and σ_i = ‖D (B Q)_i‖. Q is orthogonal, so that Σ_i α̂_ij² = ‖B_j‖² = 1 however small ‖g_j‖ is
/// against σ_1. Taking U from K and dividing σ_i U_ji by ‖g_j‖ would divide the rounding of U by it, too.
#[derive(Debug, Clone)]
pub(crate) struct Components {
    /// Singular values, largest first, `[k]`.
    pub(crate) sigma: Vec<f64>,
    /// α̂, a row for each direction, `[k][n]`. Zero gradients have none.
    pub(crate) rows: Vec<Vec<f64>>,
    /// The directions beyond these, if there are any.
    pub(crate) rest: Option<Remainder>,
    /// What is known of the eigenvalues σ² of K.
    pub(crate) eigenvalues: Eigenvalues,
}

/// The directions beyond the leading ones.
#[derive(Debug, Clone)]
pub(crate) struct Remainder {
    /// 1 − Σ_i α̂_ij² of every example, `[n]`.
    pub(crate) squares: Vec<f64>,
    /// Root mean square of the singular values left out.
    pub(crate) sigma: f64,
}

/// The Gram matrix of a draw, on the host.
struct Gram {
    products: Mat<f64>,
    norms: Vec<f64>,
    /// What a cosine is off by.
    rounding: f64,
}

impl Components {
    /// On all n directions of a Gram matrix `[n, n]`; those beyond its rank are empty, with σ = 0.
    pub(crate) fn of(gram: &Tensor<2>) -> Result<Self, GroupError> {
        Gram::read(gram)?.components()
    }

    /// On the `count` leading directions, by subspace iteration. `rank` is the largest that the gradients can have.
    pub(crate) fn leading(gram: &Tensor<2>, count: usize, rank: usize) -> Result<Self, GroupError> {
        let gram = Gram::read(gram)?;
        let n = gram.norms.len();
        let mut leading = match carried(count, n) {
            Some(carried) => gram.subspace(carried)?,
            None => gram.components()?,
        };
        leading.sigma.truncate(count);
        leading.rows.truncate(count);
        let squares = (0..n).map(|j| match gram.norms[j] > 0.0 {
            true => {
                let held: f64 = leading.rows.iter().map(|row| row[j] * row[j]).sum();
                (1.0 - held).max(0.0)
            }
            false => 0.0,
        });
        let values = leading.sigma.iter().map(|sigma| sigma * sigma);
        let held: f64 = values.clone().sum();
        let trace: f64 = gram.norms.iter().map(|norm| norm * norm).sum();
        let left_out = rank.saturating_sub(count).max(1);
        leading.rest = Some(Remainder {
            squares: squares.collect(),
            sigma: ((trace - held).max(0.0) / left_out as f64).sqrt(),
        });
        let entries = gram.products.col_iter().flat_map(|column| column.iter());
        let all = entries.map(|product| product * product).sum();
        leading.eigenvalues = Eigenvalues::from_leading(values, n, trace, all);
        Ok(leading)
    }

    /// On the m directions of the rows `[n, m]` themselves, or of a sketch of them.
    pub(crate) fn of_rows(rows: &Tensor<2>) -> Result<Self, GroupError> {
        let [n, m] = rows.dims();
        let entries: Vec<f64> = finite_rows(OPERATION, rows)?;
        let square = |j: usize| -> f64 { entries[j * m..][..m].iter().map(|x| x * x).sum() };
        let norms: Vec<f64> = (0..n).map(|j| norm(square(j))).collect();
        let unit = Mat::from_fn(n, m, |j, i| match norms[j] > 0.0 {
            true => entries[j * m + i] / norms[j],
            false => 0.0,
        });
        match m > n {
            // n rows lie in n directions, so that their coordinates in these are all there is.
            true => Self::of_unit(
                &unit.transpose().qr().thin_R().transpose().to_owned(),
                &norms,
                m,
            ),
            false => Self::of_unit(&unit, &norms, m),
        }
    }

    /// From unit gradients in any coordinates, B `[n, r]`, and their norms; `count` directions.
    fn of_unit(unit: &Mat<f64>, norms: &[f64], count: usize) -> Result<Self, GroupError> {
        let n = norms.len();
        let scaled = Mat::from_fn(n, unit.ncols(), |j, i| norms[j] * unit[(j, i)]);
        let vectors = match is_graded(norms) {
            true => {
                let found = scaled.thin_svd();
                let found = found.map_err(|_| GroupError::Eigen { examples: n })?;
                found.V().to_owned()
            }
            false => eigen(&inner_products(&scaled))?.1,
        };
        let alpha = unit * vectors;
        let columns = alpha.col_iter().rev();
        let rows = columns.map(|column| column.iter().copied().collect());
        let mut found = Self::sorted(rows.collect(), norms);
        found.sigma.resize(count, 0.0);
        found.rows.resize(count, vec![0.0; n]);
        Ok(found)
    }

    /// Orders directions by σ_i = ‖D α̂_i‖ and empties those that are rounding.
    fn sorted(rows: Vec<Vec<f64>>, norms: &[f64]) -> Self {
        let sigma = |row: &Vec<f64>| {
            let parts = row.iter().zip(norms).map(|(alpha, norm)| alpha * norm);
            parts.map(|part| part * part).sum::<f64>().sqrt()
        };
        let mut found: Vec<(f64, Vec<f64>)> = rows
            .into_iter()
            .map(
                |row| match row.iter().map(|alpha| alpha * alpha).sum::<f64>() < EMPTY {
                    true => (0.0, vec![0.0; row.len()]),
                    false => (sigma(&row), row),
                },
            )
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let (sigma, rows): (Vec<f64>, _) = found.into_iter().unzip();
        Self {
            eigenvalues: Eigenvalues::from_all(sigma.iter().map(|sigma| sigma * sigma)),
            sigma,
            rows,
            rest: None,
        }
    }
}

impl Gram {
    fn read(gram: &Tensor<2>) -> Result<Self, GroupError> {
        let [n, _] = gram.dims();
        let entries = wide_gram(OPERATION, gram)?;
        let single = gram.dtype() != DType::F64;
        Ok(Self {
            norms: (0..n).map(|j| norm(entries[j * n + j])).collect(),
            products: Mat::from_fn(n, n, |i, j| entries[i * n + j]),
            // A few units of the last place of the products, or of what the factorisation makes of them.
            rounding: if single {
                8.0 * f64::from(f32::EPSILON)
            } else {
                1e-13
            },
        })
    }

    fn components(&self) -> Result<Components, GroupError> {
        Components::of_unit(&self.factor(), &self.norms, self.norms.len())
    }

    /// On the leading directions alone: α̂_ij = (K u_i)_j / (σ_i ‖g_j‖) with σ_i² = u_iᵀ K u_i, both of which are as
    /// exact for a small gradient as for a large one.
    fn subspace(&self, carried: usize) -> Result<Components, GroupError> {
        let (_, vectors) = subspace(&self.products, carried)?;
        let images = &self.products * &vectors;
        let row = |(image, vector): (faer::ColRef<'_, f64>, faer::ColRef<'_, f64>)| {
            let square: f64 = image.iter().zip(vector.iter()).map(|(k, u)| k * u).sum();
            let sigma = square.max(0.0).sqrt();
            let alpha = |(&k, &norm): (&f64, &f64)| match norm > 0.0 && sigma > 0.0 {
                // Rounding may leave more than a unit gradient has.
                true => (k / sigma / norm).clamp(-1.0, 1.0),
                false => 0.0,
            };
            image.iter().zip(&self.norms).map(alpha).collect()
        };
        let rows = images.col_iter().zip(vectors.col_iter()).map(row);
        Ok(Components::sorted(rows.collect(), &self.norms))
    }

    /// B `[n, r]` with unit rows and B Bᵀ = C up to rounding: the Cholesky factor of the cosines, the example with the
    /// largest remainder first, until nothing but rounding remains.
    fn factor(&self) -> Mat<f64> {
        let n = self.norms.len();
        let present = |j: usize| self.norms[j] > 0.0;
        let mut left: Vec<f64> = (0..n).map(|j| f64::from(u8::from(present(j)))).collect();
        let mut columns: Vec<Vec<f64>> = Vec::new();
        while let Some((pivot, &most)) = left.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1))
            && most > self.rounding
        {
            let cosine = |j: usize| match present(j) {
                true => self.products[(j, pivot)] / self.norms[j] / self.norms[pivot],
                false => 0.0,
            };
            let mut column: Vec<f64> = (0..n).map(cosine).collect();
            column[pivot] = 1.0;
            for done in &columns {
                let share = done[pivot];
                let entries = column.iter_mut().zip(done);
                entries.for_each(|(entry, done)| *entry -= share * done);
            }
            let root = most.sqrt();
            for (entry, left) in column.iter_mut().zip(&mut left) {
                *entry /= root;
                *left -= *entry * *entry;
            }
            left[pivot] = 0.0;
            columns.push(column);
        }
        let lengths: Vec<f64> = (0..n)
            .map(|j| {
                columns
                    .iter()
                    .map(|column| column[j] * column[j])
                    .sum::<f64>()
                    .sqrt()
            })
            .collect();
        Mat::from_fn(n, columns.len(), |j, i| match present(j) {
            true => columns[i][j] / lengths[j],
            false => 0.0,
        })
    }
}

/// Whether lengths differ so much that the squares of the small ones are rounding beside those of the large ones: the eigenvectors of
/// Bᵀ D² B would mix their directions.
fn is_graded(norms: &[f64]) -> bool {
    const APART: f64 = 1e5;
    let there = || norms.iter().copied().filter(|norm| *norm > 0.0);
    let (least, most) = (
        there().fold(f64::INFINITY, f64::min),
        there().fold(0.0, f64::max),
    );
    most > APART * least
}

/// ‖g‖ from its square in single precision; 0 where that has lost its digits.
fn norm(square: f64) -> f64 {
    match square >= f64::from(f32::MIN_POSITIVE) {
        true => square.sqrt(),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// A gradient that is ten thousand million times as long as the others, and has nothing in common with them, leaves their directions as
    /// they are without it.
    #[test]
    fn one_long_gradient_does_not_hide_the_directions_of_the_others() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        let (n, m) = (7, 9);
        let options = (&Device::flex(), DType::F64);
        let short: Vec<f64> = (0..n * m).map(|_| random.random_range(-1.0..1.0)).collect();
        let alone = Tensor::<2>::from_data(TensorData::new(short.clone(), [n, m]), options);
        let expected = Components::of_rows(&alone).unwrap();
        let mut long = vec![0.0; m + 1];
        long[m] = 1e10;
        for row in short.chunks(m) {
            long.extend(row);
            long.push(0.0);
        }
        let rows = Tensor::<2>::from_data(TensorData::new(long, [n + 1, m + 1]), options);
        let found = Components::of_rows(&rows).unwrap();
        assert!((found.sigma[0] / 1e10 - 1.0).abs() < 1e-12);
        for at in 0..n {
            assert!(
                (found.sigma[at + 1] / expected.sigma[at] - 1.0).abs() < 1e-4,
                "{at}"
            );
            for j in 0..n {
                let (ours, theirs) = (found.rows[at + 1][j + 1], expected.rows[at][j]);
                assert!(
                    (ours.abs() - theirs.abs()).abs() < 1e-4,
                    "{at} {j}: {ours} for {theirs}"
                );
            }
        }
    }

    /// Rows of more entries than there are rows are taken in n directions, which give what the products of the rows do.
    #[test]
    fn few_rows_of_many_entries_have_the_components_of_their_products() {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let (n, m) = (6, 40);
        let entries: Vec<f64> = (0..n * m).map(|_| random.random_range(-1.0..1.0)).collect();
        let options = (&Device::flex(), DType::F64);
        let rows = Tensor::<2>::from_data(TensorData::new(entries, [n, m]), options);
        let found = Components::of_rows(&rows).unwrap();
        let products = rows.clone().matmul(rows.transpose());
        let expected = Gram::read(&products).unwrap().components().unwrap();
        assert_eq!((found.sigma.len(), found.rows.len()), (m, m));
        for at in 0..n {
            assert!((found.sigma[at] - expected.sigma[at]).abs() < 1e-9);
            // Up to the sign of a direction.
            let along: f64 = found.rows[at]
                .iter()
                .zip(&expected.rows[at])
                .map(|(a, b)| a * b)
                .sum();
            let square: f64 = expected.rows[at].iter().map(|a| a * a).sum();
            assert!((along.abs() - square).abs() < 1e-9, "{at}");
        }
        assert!(found.sigma[n..].iter().all(|&sigma| sigma == 0.0));
    }
}
