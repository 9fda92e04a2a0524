//! Singular values and left singular vectors of the gradient matrix, from its Gram matrix.

use burn::tensor::Tensor;
use faer::Mat;

use crate::error::GroupError;
use crate::linalg::eigen::{carried, eigen, inner_products, subspace};
use crate::read::{finite_rows, host, not_finite};

/// G = U Σ Vᵀ, as far as the Gram matrix K = G Gᵀ = U Σ² Uᵀ tells: U and Σ.
///
/// # Steps and cost
///
/// [`from_gram`](Self::from_gram): the symmetric eigenproblem of K `[n, n]` in single precision, about 9n³
/// operations whatever the number of parameters. [`from_gram_leading`](Self::from_gram_leading): only the first m
/// directions, by randomised subspace iteration, about 10 n² m operations.
///
/// Eigenvalues that rounding made negative count as zero, so singular values below about √(n ε) σ_1
/// (1 % of the largest at n = 512) are noise: enough to cluster by. [`SingularVectors`](crate::SingularVectors), which
/// compares an example's components with its own norm, takes them in double precision. Where singular values are equal,
/// U within their subspace is one basis of many.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Singular values, largest first.
    sigma: Vec<f64>,
    /// Eigenvectors in columns, in the order that the solver gave them (smallest first).
    vectors: Mat<f32>,
}

impl Spectrum {
    /// All n directions of a Gram matrix `[n, n]`.
    ///
    /// # Errors
    ///
    /// [`GroupError::NotFinite`] naming the first example whose row holds NaN or infinity;
    /// [`GroupError::Eigen`] when the solver does not converge.
    pub fn from_gram(gram: &Tensor<2>) -> Result<Self, GroupError> {
        let [n, _] = gram.dims();
        Self::from_host(&host("spectrum", gram)?, n)
    }

    /// The `count` leading directions of a Gram matrix `[n, n]`, by randomised subspace iteration
    /// (Halko, Martinsson & Tropp 2011, algorithm 4.4) from a fixed random start. Directions whose
    /// singular values are far above those left out come out exactly; the last ones may be rotated
    /// among themselves.
    ///
    /// # Errors
    ///
    /// Those of [`from_gram`](Self::from_gram).
    pub fn from_gram_leading(gram: &Tensor<2>, count: usize) -> Result<Self, GroupError> {
        let [n, _] = gram.dims();
        Self::leading_host(&host("spectrum", gram)?, n, count)
    }

    /// Of the rows `[n, m]` themselves, or of a sketch of them, with m much smaller than n: the
    /// eigenproblem is that of the `[m, m]` matrix of inner products of columns, about 2 n m² + 9 m³
    /// operations. There are m directions; of fewer rows than that n, from their inner products.
    ///
    /// # Errors
    ///
    /// Those of [`from_gram`](Self::from_gram).
    pub fn from_rows(rows: &Tensor<2>) -> Result<Self, GroupError> {
        let [_, m] = rows.dims();
        Self::of_rows(&finite_rows::<f32>("spectrum", rows)?, m)
    }

    /// The same of finite rows of `width` numbers each on the host, row-major.
    pub(crate) fn of_rows(rows: &[f32], width: usize) -> Result<Self, GroupError> {
        let (n, m) = (rows.len() / width, width);
        let rows = Mat::from_fn(n, m, |i, j| rows[i * m + j]);
        if n <= m {
            return Self::solve(&(&rows * rows.transpose()));
        }
        let inner = inner_products(&rows);
        let columns = Self::solve(&inner)?;
        // U = G V Σ⁻¹
        let mut vectors = &rows * &columns.vectors;
        for (i, &sigma) in columns.sigma.iter().enumerate() {
            let inverse = if sigma > 0.0 { 1.0 / sigma as f32 } else { 0.0 };
            vectors
                .col_mut(m - 1 - i)
                .iter_mut()
                .for_each(|entry| *entry *= inverse);
        }
        Ok(Self {
            sigma: columns.sigma,
            vectors,
        })
    }

    /// Of a row-major Gram matrix on the host.
    pub(crate) fn from_host(gram: &[f32], n: usize) -> Result<Self, GroupError> {
        Self::solve(&matrix(gram, n)?)
    }

    /// The leading directions of a row-major Gram matrix on the host.
    pub(crate) fn leading_host(gram: &[f32], n: usize, count: usize) -> Result<Self, GroupError> {
        let Some(carried) = carried(count, n) else {
            let mut all = Self::from_host(gram, n)?;
            all.sigma.truncate(count);
            return Ok(all);
        };
        let (values, vectors) = subspace(&matrix(gram, n)?, carried)?;
        let mut sigma = roots(&values);
        sigma.truncate(count);
        Ok(Self { sigma, vectors })
    }

    /// The singular values of rows `[n, m]`, row-major on the host, largest first: from the inner
    /// products of the shorter side.
    pub(crate) fn singular_values_of_rows(rows: &[f32], n: usize) -> Result<Vec<f64>, GroupError> {
        let m = rows.len() / n.max(1);
        let rows = Mat::from_fn(n, m, |i, j| rows[i * m + j]);
        let gram = match n <= m {
            true => &rows * rows.transpose(),
            false => rows.transpose() * &rows,
        };
        Ok(Self::solve(&gram)?.sigma)
    }

    fn solve(gram: &Mat<f32>) -> Result<Self, GroupError> {
        let (values, vectors) = eigen(gram)?;
        Ok(Self {
            sigma: roots(&values),
            vectors,
        })
    }

    /// Singular values σ, largest first: `[n]`, or as many as were asked for.
    pub fn singular_values(&self) -> &[f64] {
        &self.sigma
    }

    /// U_ji for all examples j, `[n]`: the unit eigenvector of direction i.
    pub fn vector(&self, direction: usize) -> impl Iterator<Item = f64> {
        let column = self.vectors.col(self.vectors.ncols() - 1 - direction);
        column.iter().map(|&entry| f64::from(entry))
    }

    /// σ_i U_ji for all examples j, `[n]`: the components of their gradients on direction i.
    /// Squared and summed over i they are ‖g_j‖².
    pub fn components(&self, direction: usize) -> impl Iterator<Item = f64> {
        let sigma = self.sigma[direction];
        self.vector(direction).map(move |entry| sigma * entry)
    }
}

/// The roots of eigenvalues, smallest first, as singular values, largest first.
fn roots(eigenvalues: &[f32]) -> Vec<f64> {
    let root = |&value: &f32| f64::from(value.max(0.0)).sqrt();
    eigenvalues.iter().rev().map(root).collect()
}

/// A row-major symmetric matrix, checked.
fn matrix(gram: &[f32], n: usize) -> Result<Mat<f32>, GroupError> {
    match not_finite(gram, n) {
        Some(example) => Err(GroupError::NotFinite {
            operation: "spectrum",
            example,
        }),
        None => Ok(Mat::from_fn(n, n, |i, j| gram[j * n + i])),
    }
}
