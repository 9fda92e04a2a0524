//! Running moments of the factors of one parameter, and the factors scaled by them.

use burn::tensor::{DType, Tensor, TensorData};
use faer::linalg::solvers::DenseSolveCore;
use faer::{Mat, Side as Triangle};

use super::kind::Kind;
use super::part::Part;
use super::problem::Problem;
use super::vectors::Running;
use crate::error::GradError;
use crate::gradients::factor::Factor;
use crate::host::read;
use crate::precision::widest_of;

/// Least share of the mean diagonal entry that is added to a covariance: a coordinate that is always
/// zero stays zero.
const LEAST_DAMPING: f64 = 1e-12;

/// Running moments of a factor.
#[derive(Debug, Clone)]
pub(super) struct Moments {
    pub(super) kind: Kind,
    /// Running mean of the squared norm of a row in the metric.
    pub(super) size: Running<1>,
}

/// Replaces the covariances by the whitening matrices; all of them are read together.
///
/// # Errors
///
/// The path of a parameter and what is wrong with its covariance.
pub(super) fn whiten(kinds: &mut [(String, Kind)], damping: f64) -> Result<(), GradError> {
    let mut matrices: Vec<(&str, &mut Tensor<2>)> = Vec::new();
    for (path, kind) in kinds {
        let mut own = Vec::new();
        kind.covariances(&mut own);
        matrices.extend(own.into_iter().map(|matrix| (path.as_str(), matrix)));
    }
    let Some((first, _)) = matrices.first() else {
        return Ok(());
    };
    let flat: Vec<Tensor<1>> = matrices
        .iter()
        .map(|(_, matrix)| (*matrix).clone().flatten(0, 1))
        .collect();
    let wide = widest_of(&flat).unwrap_or(DType::F32);
    let flat = flat.into_iter().map(|matrix| matrix.cast(wide)).collect();
    let values = read::<f64, 1>(Tensor::cat(flat, 0));
    let mut values = &*values.map_err(|problem| Problem::Read(problem).at(first))?;
    for (path, matrix) in matrices {
        let (covariance, rest) = values.split_at(matrix.shape().num_elements());
        *matrix = whitener(covariance, matrix, damping).map_err(|problem| problem.at(path))?;
        values = rest;
    }
    Ok(())
}

/// W with W Wᵀ = (C + damping)⁻¹, from the Cholesky factor on the host.
fn whitener(values: &[f64], like: &Tensor<2>, damping: f64) -> Result<Tensor<2>, Problem> {
    let [d, _] = like.dims();
    let like = (like.device(), like.dtype());
    if values.iter().any(|value| !value.is_finite()) {
        return Err(Problem::NotFinite);
    }
    let trace: f64 = (0..d).map(|i| values[i * d + i]).sum();
    if trace == 0.0 {
        return Ok(Tensor::zeros([d, d], (&like.0, like.1)));
    }
    let added = damping.max(LEAST_DAMPING) * trace / d as f64;
    let damped = Mat::from_fn(d, d, |i, j| {
        values[i * d + j] + if i == j { added } else { 0.0 }
    });
    // Of the inverse, so that the factor multiplies from the right.
    let inverse = damped
        .llt(Triangle::Lower)
        .map_err(|_| Problem::Singular)?
        .inverse();
    let factor = inverse
        .llt(Triangle::Lower)
        .map_err(|_| Problem::Singular)?;
    let lower = factor.L();
    let entries: Vec<f64> = (0..d * d)
        .map(|entry| lower[(entry / d, entry % d)])
        .collect();
    Ok(Tensor::from_data(
        TensorData::new(entries, [d, d]).convert_dtype(like.1),
        (&like.0, like.1),
    ))
}

impl Moments {
    /// The moments after one more draw, whose kind they are given.
    pub(super) fn after(
        kind: Kind,
        size: Option<Running<1>>,
        factor: &Factor,
        part: Part,
        memory: f64,
    ) -> Self {
        let scaled = kind.apply(factor.clone()).part(part);
        let norms = scaled.as_ref().map(Factor::squared_norms);
        let none = || Tensor::zeros([1], (&factor.device(), factor.dtype()));
        let norm = norms.unwrap_or_else(none);
        Self {
            size: Running::after(size, norm.mean(), memory),
            kind,
        }
    }

    /// Whether a factor has the coordinates that the moments are of.
    pub(super) fn fit(&self, factor: &Factor) -> Result<(), Problem> {
        self.kind.fit(factor)
    }

    /// The factor in the metric; none where it has no such part.
    pub(super) fn apply(&self, factor: Factor, part: Part, balanced: bool) -> Option<Factor> {
        let scaled = self.kind.apply(factor).part(part)?;
        if !balanced {
            return Some(scaled);
        }
        let size = self.size.mean(scaled.dtype());
        let zero = size.clone().lower_equal_elem(0.0);
        Some(scaled.scale(size.sqrt().recip().mask_fill(zero, 0.0)))
    }
}
