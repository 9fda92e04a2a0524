//! From the device to numbers.

use burn::tensor::Tensor;
use gradual_grad::host::read_together;

use crate::error::LossError;

/// The entries of several vectors, in one read.
pub(crate) fn host_together<const N: usize>(
    operation: &'static str,
    vectors: [Tensor<1>; N],
) -> Result<[Vec<f64>; N], LossError> {
    read_together(vectors).map_err(|problem| LossError::Read { operation, problem })
}
