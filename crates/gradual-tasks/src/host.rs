//! Numbers from the device.

use burn::tensor::Tensor;
use gradual::train::TrainError;

/// The numbers of a tensor, row-major.
pub(crate) fn read<const D: usize>(
    values: Tensor<D>,
    operation: &'static str,
) -> Result<Vec<f32>, TrainError> {
    let values = values.into_data().convert::<f32>().try_to_vec::<f32>();
    values.map_err(|problem| TrainError::Read {
        operation,
        problem: format!("{problem:?}"),
    })
}

/// The numbers of a vector, in double precision.
pub(crate) fn floats(values: Tensor<1>, operation: &'static str) -> Result<Vec<f64>, TrainError> {
    let values = read(values, operation)?;
    Ok(values.into_iter().map(f64::from).collect())
}
