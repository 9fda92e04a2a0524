//! From the device to numbers.

use burn::tensor::Tensor;

use crate::LossError;

/// The entries of a tensor, row-major.
pub(crate) fn host<const D: usize>(
    operation: &'static str,
    tensor: Tensor<D>,
) -> Result<Vec<f64>, LossError> {
    let data = tensor.into_data().convert::<f64>();
    data.try_to_vec().map_err(|problem| LossError::Read {
        operation,
        problem: format!("{problem:?}"),
    })
}
