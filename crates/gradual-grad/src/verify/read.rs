//! Numbers of a check.

use burn::tensor::Tensor;

use crate::error::GradError;
use crate::host::read;

pub(super) fn host(tensor: Tensor<1>) -> Result<Vec<f64>, GradError> {
    let operation = "verify";
    read(tensor).map_err(|problem| GradError::Read { operation, problem })
}
