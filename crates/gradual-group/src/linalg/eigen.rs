//! Symmetric eigenproblems: all eigenvectors, or the leading ones.

use faer::linalg::matmul::triangular::{self, BlockStructure};
use faer::traits::RealField;
use faer::traits::math_utils::from_f64;
use faer::{Accum, Mat, Par, Side};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::error::GroupError;

/// Directions carried beside the wanted ones, and rounds of subspace iteration. Iterating on more than a quarter of all
/// directions costs more than solving for all.
const OVERSAMPLING: usize = 12;
const ROUNDS: usize = 4;

/// Eigenvalues, smallest first, and eigenvectors in columns of a symmetric matrix, of which the lower triangle is read.
pub(crate) fn eigen<T: RealField>(gram: &Mat<T>) -> Result<(Vec<T>, Mat<T>), GroupError> {
    let examples = gram.nrows();
    let eigen = gram.self_adjoint_eigen(Side::Lower);
    let eigen = eigen.map_err(|_| GroupError::Eigen { examples })?;
    let values = eigen.S().column_vector().iter().cloned();
    Ok((values.collect(), eigen.U().to_owned()))
}

/// The `carried` leading eigenvalues, smallest first, and eigenvectors in columns of a symmetric positive semi-definite
/// matrix, by subspace iteration from a fixed random start.
pub(crate) fn subspace<T: RealField>(
    gram: &Mat<T>,
    carried: usize,
) -> Result<(Vec<T>, Mat<T>), GroupError> {
    iterated(gram, carried, |basis| gram * basis)
}

/// [`subspace`] for a symmetric matrix A whose eigenvalues lie between −1 and 1, and of which the largest ones count, not
/// those of the largest size: A² + A has the same eigenvectors, takes λ > 0 to between λ and 2λ, and leaves at most ¼ of
/// any λ < 0. So every direction of λ > 0.21 comes before those below zero.
pub(crate) fn upper_subspace<T: RealField>(
    matrix: &Mat<T>,
    carried: usize,
) -> Result<(Vec<T>, Mat<T>), GroupError> {
    iterated(matrix, carried, |basis| {
        let image = matrix * basis;
        matrix * &image + image
    })
}

/// Subspace iteration with an operator that has the eigenvectors of the matrix.
fn iterated<T: RealField>(
    matrix: &Mat<T>,
    carried: usize,
    operator: impl Fn(&Mat<T>) -> Mat<T>,
) -> Result<(Vec<T>, Mat<T>), GroupError> {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let mut start = |_, _| from_f64::<T>(f64::from(random.random_range(-1.0f32..1.0)));
    let mut basis = Mat::from_fn(matrix.nrows(), carried, &mut start);
    for _ in 0..ROUNDS {
        basis = operator(&basis).qr().compute_thin_Q();
    }
    let (values, vectors) = eigen(&(basis.transpose() * matrix * &basis))?;
    Ok((values, &basis * vectors))
}

/// How many directions to carry for `count` leading ones of `n`; none where solving for all costs less.
pub(crate) fn carried(count: usize, n: usize) -> Option<usize> {
    let carried = count.saturating_add(OVERSAMPLING);
    (carried <= n / 4).then_some(carried)
}

/// RᵀR for rows R `[n, m]`: its lower triangle `[m, m]`, which is all that the solver reads.
pub(crate) fn inner_products<T: RealField>(rows: &Mat<T>) -> Mat<T> {
    let m = rows.ncols();
    let mut inner = Mat::zeros(m, m);
    triangular::matmul(
        &mut inner,
        BlockStructure::TriangularLower,
        Accum::Replace,
        rows.transpose(),
        BlockStructure::Rectangular,
        rows,
        BlockStructure::Rectangular,
        from_f64::<T>(1.0),
        Par::Seq,
    );
    inner
}
