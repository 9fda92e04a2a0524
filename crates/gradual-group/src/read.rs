//! Tensors read back from their device, as numbers of the host.

use burn::tensor::{Element, Tensor};
use gradual_grad::host::{read, read_together};

use crate::error::GroupError;

/// The entries of a tensor, row-major, on the host.
pub(crate) fn host<const D: usize>(
    operation: &'static str,
    tensor: &Tensor<D>,
) -> Result<Vec<f32>, GroupError> {
    read(tensor.clone()).map_err(GroupError::read(operation))
}

/// The entries of several vectors, in one read.
pub(crate) fn host_together<const N: usize>(
    operation: &'static str,
    vectors: [Tensor<1>; N],
) -> Result<[Vec<f32>; N], GroupError> {
    read_together(vectors).map_err(GroupError::read(operation))
}

/// The entries of one row for each example, `[n, m]`, row-major, in the precision that is asked for.
pub(crate) fn finite_rows<E: Element + Into<f64>>(
    operation: &'static str,
    rows: &Tensor<2>,
) -> Result<Vec<E>, GroupError> {
    let [_, m] = rows.dims();
    let rows: Vec<E> = read(rows.clone()).map_err(GroupError::read(operation))?;
    match rows.iter().position(|&value| !value.into().is_finite()) {
        Some(entry) => Err(GroupError::NotFinite {
            operation,
            example: entry / m,
        }),
        None => Ok(rows),
    }
}

/// The entries of a Gram matrix `[n, n]`, row-major, in double precision.
pub(crate) fn wide_gram(operation: &'static str, gram: &Tensor<2>) -> Result<Vec<f64>, GroupError> {
    let [n, _] = gram.dims();
    let gram: Vec<f64> = read(gram.clone()).map_err(GroupError::read(operation))?;
    match not_finite(&gram, n) {
        Some(example) => Err(GroupError::NotFinite { operation, example }),
        None => Ok(gram),
    }
}

/// The example to blame for a non-finite entry of a row-major `[n, n]` matrix of products. A non-finite gradient spoils
/// the products of all others with it, but of the squares on the diagonal its own alone, so the diagonal is looked at
/// first.
pub(crate) fn not_finite<T: Copy + Into<f64>>(entries: &[T], examples: usize) -> Option<usize> {
    let bad = |&value: &T| !value.into().is_finite();
    let own = entries.iter().step_by(examples + 1).position(bad);
    let any = || entries.iter().position(bad);
    own.or_else(|| any().map(|entry| entry / examples))
}
